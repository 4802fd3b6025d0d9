"""Verify: both sides are read, and every difference is found with its fields and its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from connections.connectors.base import ReadRequest
from connections.connectors.memory import MemoryConnector
from organizations.records import Page
from organizations.schema import VERSION, Attribute, AttributeType, Entity
from syncjobs.engine import verify as engine
from syncjobs.engine.values import LinkState
from syncjobs.engine.verify import (
    Difference,
    DifferenceKind,
    FieldDifference,
    Fingerprint,
    Spool,
    Unequal,
    Verified,
    verify,
)
from syncjobs.errors import OverBudget
from tests.syncjobs.engine.world import CONNECTION, World, make_accounts, make_filter, make_world

KIND = DifferenceKind
Found = dict[str, Verified]


@dataclass
class MemorySpool(Spool):
    server: dict[str, Fingerprint] = field(default_factory=dict)
    client: dict[str, Fingerprint] = field(default_factory=dict)

    def clear(self) -> None:
        self.server.clear()
        self.client.clear()

    def put(self, fingerprints: Sequence[Fingerprint], *, of_server: bool) -> None:
        side = self.server if of_server else self.client
        side |= {item.client_id: item for item in fingerprints}

    def unequal(self, size: int) -> Iterator[Sequence[Unequal]]:
        found = []
        for key in sorted(self.server.keys() | self.client.keys()):
            there, here = self.server.get(key), self.client.get(key)
            if there is None or here is None or there.digest != here.digest:
                found.append(Unequal(key, there.server_id if there else None))
        for start in range(0, len(found), size):
            yield found[start : start + size]


class CountingConnector(MemoryConnector):
    """Counts what it is asked, as one far away does."""

    sent = 0
    asked: list[int] = []

    def requests_sent(self) -> int:
        return self.sent

    def read(self, request: ReadRequest) -> Iterator[Page]:
        for page in super().read(request):
            self.sent += 1
            yield page

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        self.sent += 1
        self.asked = [*self.asked, len(ids)]
        return super().fetch(entity, attributes, ids)


def check(world: World, *names: str, server: MemoryConnector | None = None, **how: Any) -> Found:
    world.state.keys = {task.name: task.key for task in world.tasks()}
    writes = world.state.writes
    found = verify(
        server or MemoryConnector(world.server),
        MemoryConnector(world.client, origin=CONNECTION),
        [task for task in world.tasks() if not names or task.name in names],
        world.state,
        MemorySpool(),
        world.reporter,
        **how,
    )
    result = {item.entity: item for item in found}
    assert world.state.writes == writes
    return result


def only(world: World) -> Difference:
    found = check(world, "account")["account"]
    assert found.differences == 1
    return found.listed[0]


def test_both_sides_are_equal_after_a_sync() -> None:
    world = make_world()
    make_accounts(world, 5)
    world.sync()
    found = check(world)
    assert found["account"] == Verified(entity="account", server=5, client=5, equal=5, read=5)
    assert not any(item.differences for item in found.values())
    assert world.reporter.counts["account"].read >= 5


def test_a_record_that_was_not_carried_is_missing() -> None:
    world = make_world()
    make_accounts(world, 2)
    world.sync()
    account = world.server.create("account", {"name": "New"})
    difference = only(world)
    assert (difference.kind, difference.server_id) == (KIND.MISSING, account)
    assert difference.reason == "It was not carried yet. Sync All carries it."


def test_a_record_that_could_not_be_carried_refers_to_the_run() -> None:
    world = make_world(entities=("account",))
    (account,) = make_accounts(world, 1)
    world.client.faults.always_rejected = {account}
    world.sync()
    assert only(world).reason == "A run could not carry it. The run's errors say why."


def test_a_record_deleted_on_the_client_is_missing() -> None:
    world = make_world()
    (account,) = make_accounts(world, 1)
    world.sync()
    world.client.delete("account", account)
    difference = only(world)
    assert (difference.kind, difference.client_id) == (KIND.MISSING, account)
    assert difference.reason == "It was deleted on the client."


def test_a_record_of_the_client_alone_is_extra() -> None:
    world = make_world()
    account = world.client.create("account", {"name": "Mine"})
    difference = only(world)
    assert (difference.kind, difference.client_id) == (KIND.EXTRA, account)
    assert difference.reason == "It was made on the client and is not on the server."


def test_a_record_kept_although_the_server_deleted_it_says_so() -> None:
    world = make_world()
    (account,) = make_accounts(world, 1)
    world.sync()
    world.server.delete("account", account)
    assert only(world).reason.startswith("It is no longer on the server")
    world.sync()
    expected = "The server deleted it; it was kept, because Sync Deletion is off."
    assert only(world).reason == expected


def test_a_record_that_left_the_filter_says_so() -> None:
    world = make_world(filters={"account": make_filter()})
    (account,) = make_accounts(world, 1, lambda _: {"city": "Bratislava"})
    world.sync()
    world.server.update("account", account, {"city": "Brno"})
    world.sync()
    expected = "It left the sync filter; it was kept, because Sync Deletion is off."
    assert only(world).reason == expected


@pytest.mark.parametrize(
    ("side", "reason"),
    [
        ("server", "It was changed on the server since it was last carried. Sync All carries it."),
        ("client", "It was changed on the client since it was last carried."),
    ],
)
def test_a_change_names_its_side_and_its_fields(side: str, reason: str) -> None:
    world = make_world()
    (account,) = make_accounts(world, 1)
    world.sync()
    organization = world.server if side == "server" else world.client
    organization.update("account", account, {"name": "Other", "city": "Brno"})
    difference = only(world)
    assert (difference.kind, difference.reason) == (KIND.DIFFERS, reason)
    names = {item.name: (item.server, item.client) for item in difference.fields}
    expected: dict[str, tuple[str | None, str | None]]
    expected = {"city": (None, "Brno"), "name": ("Account 0", "Other")}
    if side == "server":
        expected = {name: (there, here) for name, (here, there) in expected.items()}
    assert names == expected


def test_a_change_on_both_sides_says_so() -> None:
    world = make_world()
    (account,) = make_accounts(world, 1)
    world.sync()
    world.server.update("account", account, {"name": "There"})
    world.client.update("account", account, {"name": "Here"})
    difference = only(world)
    assert difference.fields == (FieldDifference("name", "There", "Here"),)
    assert difference.reason.startswith("It was changed on both sides")


def test_a_record_on_both_sides_that_was_never_carried_says_so() -> None:
    world = make_world()
    (account,) = make_accounts(world, 1)
    world.client.create("account", {"accountid": account, "name": "Other"})
    assert only(world).reason.startswith("Both sides have it, but it was never carried.")


def test_records_under_different_ids_are_compared_with_each_other() -> None:
    world = make_world()
    there = world.server.create("systemuser", {"domainname": "ann", "fullname": "Ann"})
    here = world.client.create("systemuser", {"domainname": "ann", "fullname": "Ann"})
    account = world.server.create(
        "account", {"name": "A", "ownerid": there, "ownerid__type": "systemuser"}
    )
    world.sync()
    assert not any(item.differences for item in check(world).values())
    world.server.update("systemuser", there, {"fullname": "Anna"})
    found = check(world)["systemuser"]
    assert [(item.server_id, item.client_id) for item in found.listed] == [(there, here)]
    assert account in world.rows("client")


def test_pairs_are_compared_by_what_they_pair() -> None:
    world = make_world()
    account, tag = world.server.create("account", {}), world.server.create("tag", {})
    world.server.create("accounttag", {"accountid": account, "tagid": tag})
    world.client.create("accounttag", {"accountid": account, "tagid": tag})
    assert not check(world)["accounttag"].differences


def test_what_changed_while_it_looked_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    (account,) = make_accounts(world, 1)
    unequal = MemorySpool.unequal

    def late(self: MemorySpool, size: int) -> Iterator[Sequence[Unequal]]:
        found = list(unequal(self, size))
        values = {"accountid": account, "name": "Account 0", "revenue": 0}
        world.client.create("account", values)
        yield from found

    monkeypatch.setattr(MemorySpool, "unequal", late)
    assert check(world)["account"].differences == 0


def test_it_lists_so_many_and_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LISTED", 2)
    world = make_world()
    make_accounts(world, 5)
    found = check(world)["account"]
    assert (found.differences, len(found.listed), found.equal) == (5, 2, 0)


# Quick: versions stand for what nobody wrote


def make_versioned(count: int = 5) -> tuple[World, list[str]]:
    """A world that was carried, whose server tells versions."""
    world = make_world(entities=("account",))
    account = world.server.entities["account"]
    version = Attribute(name=VERSION, type=AttributeType.BIGINT, is_updatable=False)
    entity = replace(account, attributes=(*account.attributes, version))
    world.server.entities = {**world.server.entities, "account": entity}
    accounts = make_accounts(world, count)
    world.sync()
    return world, accounts


def quickly(world: World) -> tuple[Verified, CountingConnector]:
    server = CountingConnector(world.server)
    return check(world, "account", server=server, quick=True)["account"], server


def test_what_nobody_wrote_is_not_read_again() -> None:
    world, _ = make_versioned()
    found, server = quickly(world)
    assert found == Verified(entity="account", server=5, client=5, equal=5, read=0)
    assert server.asked == []


def test_what_the_server_wrote_is_read_by_id() -> None:
    world, (first, *_) = make_versioned()
    world.server.update("account", first, {"name": "Theirs"})
    world.server.create("account", {"name": "New"})
    found, server = quickly(world)
    assert (found.server, found.client, found.equal, found.differences) == (6, 5, 4, 2)
    assert found.read == 2
    assert server.asked


def test_a_client_record_that_changed_is_found_whatever_its_version_says() -> None:
    world, (first, second, *_) = make_versioned()
    world.client.update("account", first, {"name": "Mine"})
    stored = world.client.tables["account"][second]
    row = tuple("Tampered" if value == "Account 1" else value for value in stored.row)
    world.client.tables["account"][second] = stored._replace(row=row)
    found, _ = quickly(world)
    assert {item.server_id for item in found.listed} == {first, second}


def test_a_record_that_was_pushed_and_not_pulled_yet_is_read() -> None:
    world, (first, *_) = make_versioned()
    world.server.update("account", first, {"name": "What the server made of it"})
    key = world.task("account").key
    link = world.state.saved.links[key][first]
    version = world.server.tables["account"][first].version
    world.state.saved.links[key][first] = link._replace(server_version=version)
    found, server = quickly(world)
    assert (found.differences, found.read) == (1, 1)


def test_a_record_that_left_the_filter_is_not_taken_for_equal() -> None:
    world, (first, *_) = make_versioned()
    key = world.task("account").key
    link = world.state.saved.links[key][first]
    world.state.saved.links[key][first] = link._replace(state=LinkState.LEFT_FILTER)
    assert quickly(world)[0].read == 1


def test_everything_is_read_where_versions_prove_nothing() -> None:
    world, _ = make_versioned()
    world.filters["account"] = make_filter()
    assert quickly(world)[0].read == quickly(world)[0].server
    world, _ = make_versioned()
    plain = make_world().server.entity("account")
    world.server.entities = {**world.server.entities, "account": plain}
    assert quickly(world)[0].read == 5


# A budget of requests


def test_it_stops_when_the_requests_are_used_up() -> None:
    world = make_world()
    make_accounts(world, 9)
    world.sync()
    server = CountingConnector(world.server)
    with pytest.raises(OverBudget, match="The budget of 3 requests is used up"):
        check(world, "account", "tag", server=server, budget=3)
    assert server.sent <= 4


def test_a_budget_that_suffices_changes_nothing() -> None:
    world = make_world()
    make_accounts(world, 3)
    world.sync()
    server = CountingConnector(world.server)
    assert check(world, "account", server=server, budget=99)["account"].equal == 3
