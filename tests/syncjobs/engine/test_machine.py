"""Everything at once, in any order: the invariants of a direction (design 7).

Two organizations in memory are edited on both sides, lines break, processes die, checkpoints
expire, filters and switches change. After every run no client edit is lost and nothing is deleted
without evidence; at rest both sides are equal or each difference is on a list (I1-I6), a repeated
run writes nothing (I4), and a dry run has predicted the run (I8).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from connections.connectors.memory import Fault
from connections.connectors.memory.filtering import is_inside
from organizations.records import Action, Row
from syncjobs.engine.values import LinkRow, LinkState
from tests.syncjobs.engine.memory_state import Crash
from tests.syncjobs.engine.world import CONNECTION, make_filter, make_world

CITIES = ("Bratislava", "Wien")
WHICH = st.integers(0, 7)
PAGE_FAULTS = (Fault.RETRY, Fault.DUPLICATE, Fault.TRUNCATE)
WRITE_FAULTS = (Fault.RETRY, Fault.LOST_RESPONSE, Fault.CONFLICT)
ENTITIES = ("account", "accounttag", "tag")


class PullMachine(RuleBasedStateMachine):
    """`edits`: city the client's user gave a linked account. `unseen`: kept without evidence."""

    @initialize(hosted=st.booleans(), page_size=st.sampled_from((1, 2, 50)))
    def begin(self, hosted: bool, page_size: int) -> None:
        self.world = make_world(hosted=hosted, page_size=page_size)
        self.world.options = replace(self.world.options, left_behind_limit=50)
        self.edits: dict[str, str] = {}
        self.unseen: set[str] = set()
        self.reads_everything = False
        self.numbers = iter(range(10_000))

    # The server

    @rule(city=st.sampled_from(CITIES), owned=st.booleans())
    def create(self, city: str, owned: bool) -> None:
        users = sorted(self.world.rows("server", "systemuser"))
        owner = {"ownerid": users[0], "ownerid__type": "systemuser"} if owned and users else {}
        self.world.server.create("account", {"name": "New", "city": city, **owner})

    @rule(which=WHICH, city=st.sampled_from(CITIES))
    def edit(self, which: int, city: str) -> None:
        for account in self._one("server", which):
            name = f"Server {next(self.numbers)}"
            self.world.server.update("account", account, {"name": name, "city": city})

    @rule(which=WHICH)
    def touch(self, which: int) -> None:
        for account in self._one("server", which):
            self.world.server.update("account", account, {})

    @rule(which=WHICH)
    def delete(self, which: int) -> None:
        for account in self._one("server", which):
            self.world.server.delete("account", account)

    @rule(which=WHICH)
    def restore(self, which: int) -> None:
        gone = sorted(set(self.world.rows("client")) - set(self.world.rows("server")))
        for account in gone[which : which + 1]:
            self.world.server.create("account", {"city": "Bratislava"}, id=account)

    @rule()
    def add_tag(self) -> None:
        self.world.server.create("tag", {"name": "VIP"})

    @rule(which=WHICH, tag=WHICH)
    def associate(self, which: int, tag: int) -> None:
        for account in self._one("server", which):
            for tag_id in self._one("server", tag, "tag"):
                self.world.server.associate("accounttags", account, tag_id)

    @rule(which=WHICH)
    def disassociate(self, which: int) -> None:
        for pair in self._one("server", which, "accounttag"):
            self.world.server.delete("accounttag", pair)

    @rule(both=st.booleans())
    def add_user(self, both: bool) -> None:
        name = f"user {next(self.numbers)}"
        self.world.server.create("systemuser", {"domainname": name})
        if both:
            self.world.client.create("systemuser", {"domainname": name})

    # The client

    @rule(which=WHICH)
    def edit_on_client(self, which: int) -> None:
        for account in self._one("client", which):
            city = f"Client {next(self.numbers)}"
            self.world.client.update("account", account, {"city": city})
            if account in self._links("account"):
                self.edits[account] = city

    @rule(which=WHICH)
    def delete_on_client(self, which: int) -> None:
        for account in self._one("client", which):
            self.world.client.delete("account", account)
            self.edits.pop(account, None)

    @rule(which=WHICH)
    def reject(self, which: int) -> None:
        self.world.client.faults.always_rejected = set(self._one("server", which))

    # The settings

    @rule(filtered=st.booleans())
    def filter(self, filtered: bool) -> None:
        filters = {"account": make_filter()} if filtered else {}
        self.reads_everything |= filters != self.world.filters
        self.world.filters = filters

    @rule(on=st.booleans())
    def switch_sync_deletion(self, on: bool) -> None:
        self.world.sync_deletion = on

    # The weather

    @rule(page=st.integers(1, 4), fault=st.sampled_from(PAGE_FAULTS))
    def break_page(self, page: int, fault: Fault) -> None:
        self.world.server.faults.at_page(page, fault)

    @rule(batch=st.integers(1, 3), fault=st.sampled_from(WRITE_FAULTS))
    def break_write(self, batch: int, fault: Fault) -> None:
        self.world.client.faults.at_write(batch, fault)

    @rule()
    def expire(self) -> None:
        self.world.server.expire_checkpoints()
        self.reads_everything = True

    # Runs

    @rule(full=st.booleans())
    def sync(self, full: bool) -> None:
        self._run(full=full)

    @rule(point=st.integers(0, 20))
    def crash(self, point: int) -> None:
        steps = iter(range(point))

        def step(name: str) -> None:
            if next(steps, None) is None:
                raise Crash(name)

        self.world.state.before = step
        with suppress(Crash):
            self._run(full=False)
        self.world.state.before = lambda name: None

    @rule()
    def predict(self) -> None:
        self._calm()
        version, writes = self.world.client.version, self.world.state.writes
        predicted = self.world.sync(dry_run=True)
        assert (self.world.client.version, self.world.state.writes) == (version, writes)
        if not self.world.client.faults.always_rejected:
            assert self._run(full=False) == predicted

    @rule()
    def rest(self) -> None:
        self._calm()
        self.world.client.faults.always_rejected = set()
        self._run(full=False)
        self._run(full=False)
        self._assert_equal()
        version, writes = self.world.client.version, self.world.state.writes
        self._run(full=False)
        assert (self.world.client.version, self.world.state.writes) == (version, writes)

    @invariant()
    def no_client_edit_is_lost(self) -> None:
        for account, city in getattr(self, "edits", {}).items():
            assert self.world.client.get("account", account)["city"] == city

    # Helpers

    def _calm(self) -> None:
        for side in (self.world.server, self.world.client):
            side.faults.pages.clear()
            side.faults.writes.clear()

    def _run(self, *, full: bool) -> object:
        if full or self.reads_everything:
            self.unseen |= set(self.world.rows("client")) - set(self._inside())
        before = len(self.world.client.log)
        reports = self.world.sync(full=full)
        self.reads_everything &= any(report.failed for report in reports.values())
        for change in self.world.client.log[before:]:
            if change.action is Action.DELETE and change.entity == "account":
                assert change.origin == CONNECTION
                assert self.world.sync_deletion
                assert change.id not in self._inside()
        return reports

    def _assert_equal(self) -> None:
        for entity in ENTITIES:
            inside = self._inside() if entity == "account" else self.world.rows("server", entity)
            for record_id, row in inside.items():
                assert self._is_carried(entity, record_id, row), (entity, record_id)
        for account in set(self.world.rows("client")) - set(self._inside()):
            assert self._is_explained(account), account

    def _is_carried(self, entity: str, record_id: str, row: Row) -> bool:
        link = self._links(entity).get(record_id)
        if link is None:
            return False
        stored = self.world.client.tables[entity].get(link.client_id)
        if stored is None or stored.version != link.client_version:
            return True
        is_same = stored.row[1:] == self._translated(row)[1:]
        return is_same and link.state == LinkState.CURRENT or record_id in self._left(entity)

    def _is_explained(self, account: str) -> bool:
        link = self._links("account").get(account)
        return (
            (link is not None and link.state != LinkState.CURRENT)
            or account in self.unseen
            or account in self._left("account")
            or "empty-answer" in {problem.code for problem in self.world.reporter.problems}
        )

    def _translated(self, row: Row) -> Row:
        users = self._links("systemuser")
        return tuple(users[str(value)].client_id if value in users else value for value in row)

    def _inside(self) -> dict[str, Row]:
        rows, query = self.world.rows("server"), self.world.filters.get("account")
        if query is None:
            return rows
        server, now = self.world.server, self.world.now
        return {item: row for item, row in rows.items() if is_inside(server, query, row, now=now)}

    def _links(self, entity: str) -> dict[str, LinkRow]:
        return self.world.state.saved.links.get(self.world.task(entity).key, {})

    def _left(self, entity: str) -> set[str]:
        return self.world.state.saved.left.get(self.world.task(entity).key, set())

    def _one(self, side: str, which: int, entity: str = "account") -> Iterator[str]:
        yield from sorted(self.world.rows(side, entity))[which : which + 1]


PullMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestPull = PullMachine.TestCase
