"""A dry run makes a plan that says exactly what a run will do, and a run can do only that (I8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections.connectors.memory import MemoryOrganization
from connections.errors import PlanChanged
from organizations.query.nodes import Link, Query
from organizations.records import Action
from syncjobs.engine.approved import Approved
from syncjobs.engine.planned import (
    Book,
    PlanKind,
    PlannedChange,
    PlannedPage,
    plan_digest,
)
from syncjobs.engine.values import ConflictRule, Side
from tests.syncjobs.engine.memory_queue import MemoryQueue
from tests.syncjobs.engine.world import CONNECTION, World, make_accounts, make_filter, make_world

Written = set[tuple[str, str, str, str]]
"""(side, entity, record, action)."""


@dataclass
class MemoryBook(Book):
    """A plan in memory."""

    pages: list[PlannedPage] = field(default_factory=list)
    changes: list[PlannedChange] = field(default_factory=list)

    def page(self, page: PlannedPage) -> None:
        self.pages.append(page)

    def change(self, change: PlannedChange) -> None:
        self.changes.append(change)

    @property
    def written(self) -> Written:
        return {
            (page.side.value, page.entity, record, page.action.value)
            for page in self.pages
            for record in page.records
        }

    def kinds(self, entity: str = "account") -> dict[PlanKind, list[str]]:
        found: dict[PlanKind, list[str]] = {}
        for change in self.changes:
            if change.entity == entity:
                found.setdefault(change.kind, []).append(change.record)
        return found


def make_two_ways(**more: object) -> World:
    """A world in step with four accounts inside the filter, that collects and delivers."""
    more = {"filters": {"account": make_filter()}, "sync_deletion": True} | more
    world = make_world(**more)  # type: ignore[arg-type]
    world.queue = MemoryQueue(world.state)
    make_accounts(world, 4, lambda number: {"city": "Bratislava", "name": f"Account {number}"})
    world.server.create("tag", {"name": "VIP"})
    world.sync()
    return world


def make_tagged() -> Query:
    """Accounts with a tag: a filter whose records enter and leave without being changed."""
    link = Link(entity="accounttag", from_attribute="accountid", to_attribute="accountid")
    return Query(entity="account", links=(link,))


def plan_of(world: World) -> MemoryBook:
    book = MemoryBook()
    world.sync(dry_run=True, book=book)
    return book


def apply(world: World, book: MemoryBook) -> None:
    world.sync(approved=Approved(book.pages))


def log_of(world: World) -> dict[str, int]:
    return {side.value: len(organization.log) for side, organization in both(world)}


def both(world: World) -> Iterator[tuple[Side, MemoryOrganization]]:
    yield Side.SERVER, world.server
    yield Side.CLIENT, world.client


def written_since(world: World, before: dict[str, int]) -> Written:
    return {
        (side.value, change.entity, change.id, change.action.value)
        for side, organization in both(world)
        for change in organization.log[before[side.value] :]
        if change.origin == CONNECTION
    }


def ids(world: World) -> list[str]:
    return sorted(world.rows("server"))


def test_it_shows_each_kind_of_change() -> None:
    world = make_two_ways()
    first, second, third, fourth = ids(world)
    world.server.update("account", first, {"name": "Renamed"})
    world.server.delete("account", second)
    world.server.update("account", third, {"city": "Wien"})
    world.client.update("account", fourth, {"name": "Mine"})
    made = world.client.create("account", {"city": "Bratislava", "name": "New here"})
    new = world.server.create("account", {"city": "Bratislava", "name": "New there"})
    book = plan_of(world)
    kinds = book.kinds()
    assert kinds[PlanKind.CREATE] == [new]
    assert kinds[PlanKind.UPDATE] == [first]
    assert kinds[PlanKind.DELETE] == [second]
    assert kinds[PlanKind.LEFT] == [third]
    assert sorted(kinds[PlanKind.PUSH]) == sorted([fourth, made])
    update = next(change for change in book.changes if change.kind is PlanKind.UPDATE)
    assert update.fields == (("name", "Account 0", "Renamed"),) or len(update.fields) == 1
    assert world.counts().updated == 1
    assert book.written == {
        ("client", "account", new, "create"),
        ("client", "account", first, "update"),
        ("client", "account", second, "delete"),
        ("client", "account", third, "delete"),
        ("server", "account", fourth, "update"),
        ("server", "account", made, "create"),
    }


def test_it_shows_conflicts_and_rejections() -> None:
    world = make_two_ways()
    first, second, *_ = ids(world)
    world.server.update("account", first, {"name": "Theirs"})
    world.server.update("account", second, {"name": "Refused"})
    world.client.faults.always_rejected = {second}
    world.queue = None
    world.client.update("account", first, {"name": "Mine"})
    book = plan_of(world)
    assert book.kinds() == {PlanKind.CONFLICT: [first], PlanKind.REJECTED: [second]}
    assert all(change.message for change in book.changes)


def test_it_shows_a_conflict_that_a_rule_decides() -> None:
    world = make_two_ways()
    first = ids(world)[0]
    world.server.update("account", first, {"name": "Theirs"})
    world.client.update("account", first, {"name": "Mine"})
    kinds = plan_of(world).kinds()
    assert (kinds[PlanKind.CONFLICT], kinds[PlanKind.UPDATE]) == ([first], [first])
    world.conflict_rule = ConflictRule.ASK
    assert plan_of(world).kinds() == {PlanKind.CONFLICT: [first]}


def test_it_shows_at_most_twenty_of_a_kind() -> None:
    world = make_world(page_size=7, entities=("account",))
    make_accounts(world, 30)
    book = plan_of(world)
    assert len(book.changes) == 20
    assert sum(page.count for page in book.pages) == 30


def test_the_same_plan_has_the_same_digest() -> None:
    world = make_two_ways()
    world.server.update("account", ids(world)[0], {"name": "Renamed"})
    first, again = plan_of(world), plan_of(world)
    assert plan_digest(p.digest for p in first.pages) == plan_digest(p.digest for p in again.pages)
    world.server.update("account", ids(world)[0], {"name": "Renamed again"})
    other = plan_of(world)
    assert plan_digest(p.digest for p in first.pages) != plan_digest(p.digest for p in other.pages)


def test_nothing_to_do_is_an_empty_plan() -> None:
    assert plan_of(make_two_ways()) == MemoryBook()


# Edits between the plan and its application, as (name, act).


def rename(world: World, which: int) -> None:
    for account in ids(world)[which : which + 1]:
        world.server.update("account", account, {"name": f"Renamed {world.server.version}"})


def leave(world: World, which: int) -> None:
    for account in ids(world)[which : which + 1]:
        world.server.update("account", account, {"city": "Wien"})


def remove(world: World, which: int) -> None:
    for account in ids(world)[which : which + 1]:
        world.server.delete("account", account)


def add(world: World, which: int) -> None:
    world.server.create("account", {"city": ("Bratislava", "Wien")[which % 2], "name": "New"})


def pair(world: World, which: int) -> None:
    tag = sorted(world.rows("server", "tag"))[0]
    for account in ids(world)[which : which + 1]:
        world.server.associate("accounttags", account, tag)


def edit_client(world: World, which: int) -> None:
    for account in sorted(world.rows("client"))[which : which + 1]:
        name = f"Client {world.client.version}"
        world.client.update("account", account, {"name": name})


def remove_on_client(world: World, which: int) -> None:
    for account in sorted(world.rows("client"))[which : which + 1]:
        world.client.delete("account", account)


def add_on_client(world: World, which: int) -> None:
    world.client.create("account", {"city": ("Bratislava", "Wien")[which % 2], "name": "Mine"})


def refuse_on_client(world: World, which: int) -> None:
    world.client.faults.always_rejected = set(sorted(world.rows("server"))[which : which + 1])


def refuse_on_server(world: World, which: int) -> None:
    world.server.faults.always_rejected = set(sorted(world.rows("client"))[which : which + 1])


EDITS = (
    rename,
    leave,
    remove,
    add,
    pair,
    edit_client,
    remove_on_client,
    add_on_client,
    refuse_on_client,
    refuse_on_server,
)
Steps = list[tuple[Callable[[World, int], None], int]]
STEPS = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 5)), max_size=8)
FAST = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def carry_out(world: World, steps: Steps) -> None:
    for act, which in steps:
        act(world, which)


KINDS = st.fixed_dictionaries(
    {
        "page_size": st.sampled_from((1, 2, 50)),
        "sync_deletion": st.booleans(),
        "conflict_rule": st.sampled_from(ConflictRule),
        "filters": st.sampled_from(({}, {"account": make_filter()}, {"account": make_tagged()})),
    }
)


@FAST
@given(steps=STEPS, kind=KINDS, full=st.booleans())
def test_a_dry_run_writes_nothing_and_predicts_the_run(
    steps: Steps, kind: dict[str, object], full: bool
) -> None:
    world = make_two_ways(**kind)
    carry_out(world, steps)
    before = everything(world)
    book = MemoryBook()
    predicted = world.sync(dry_run=True, full=full, book=book)
    assert everything(world) == before
    logs = log_of(world)
    assert world.sync(full=full) == predicted
    assert written_since(world, logs) <= book.written


@FAST
@given(steps=STEPS, later=STEPS, kind=KINDS)
def test_an_approved_run_does_exactly_the_plan_or_stops(
    steps: Steps, later: Steps, kind: dict[str, object]
) -> None:
    world = make_two_ways(**kind)
    carry_out(world, steps)
    book = MemoryBook()
    predicted = world.sync(dry_run=True, book=book)
    carry_out(world, later)
    logs = log_of(world)
    with suppress(PlanChanged) if later else nullcontext():
        assert world.sync(approved=Approved(book.pages)) == predicted or later
    assert written_since(world, logs) <= book.written


def everything(world: World) -> object:
    assert world.queue is not None
    organizations = [(side.version, side.tables, len(side.log)) for _, side in both(world)]
    return repr((organizations, world.state.saved, world.state.writes))


def test_it_says_which_record_is_new_in_a_page() -> None:
    world = make_two_ways(page_size=50)
    rename(world, 0)
    book = plan_of(world)
    rename(world, 1)
    second = ids(world)[1]
    before = everything(world)
    with pytest.raises(PlanChanged) as raised:
        apply(world, book)
    assert str(raised.value) == (
        "Something has changed since the plan was made. Entity 'account', records to be updated "
        "on the client: by the plan's page 1, 1 record of 'account' was to be updated on the "
        f"client, now it would be 2; {second} was not among them. Nothing of this page was "
        "written. Make a new plan and apply that."
    )
    assert everything(world) == before


def test_it_says_which_record_would_get_other_values() -> None:
    world = make_two_ways()
    rename(world, 0)
    book = plan_of(world)
    rename(world, 0)
    message = f"as many, but not with the same values; {ids(world)[0]} would get other values"
    with pytest.raises(PlanChanged, match=message):
        apply(world, book)


def test_it_says_what_the_plan_knew_nothing_of() -> None:
    world = make_two_ways()
    rename(world, 0)
    book = plan_of(world)
    world.server.create("tag", {"name": "Gold"})
    with pytest.raises(PlanChanged, match="the plan has none of them, now 1 record of 'tag'"):
        apply(world, book)


def test_it_says_what_is_no_longer_to_be_done() -> None:
    world = make_two_ways()
    first = ids(world)[0]
    world.server.update("account", first, {"name": "Renamed"})
    book = plan_of(world)
    world.server.update("account", first, {"name": world.client.get("account", first)["name"]})
    with pytest.raises(PlanChanged, match="by the plan, 1 record of 'account' was to be updated"):
        apply(world, book)


def test_it_stops_before_a_delivery_that_was_not_planned() -> None:
    world = make_two_ways()
    rename(world, 0)
    book = plan_of(world)
    edit_client(world, 2)
    version = world.server.version
    with pytest.raises(PlanChanged, match="records to be updated on the server"):
        apply(world, book)
    assert world.server.version == version


def test_it_says_that_a_delivery_may_be_the_reason() -> None:
    world = make_two_ways()
    edit_client(world, 0)
    book = plan_of(world)
    rename(world, 2)
    with pytest.raises(PlanChanged, match="What this run delivered may be the reason"):
        apply(world, book)


def test_it_stops_where_a_planned_delivery_was_made_meanwhile() -> None:
    world = make_two_ways()
    edit_client(world, 0)
    rename(world, 2)
    book = plan_of(world)
    world.sync()
    rename(world, 3)
    before = world.client.version
    with pytest.raises(PlanChanged, match="1 record of 'account' was to be updated on the server"):
        apply(world, book)
    assert world.client.version == before


def test_a_worker_that_goes_on_takes_what_came_as_done() -> None:
    world = make_two_ways(page_size=1)
    for which in range(3):
        rename(world, which)
    book = plan_of(world)
    world.reporter.cancel_at = 0
    done: list[str] = []
    approved = Approved(book.pages, done.append)
    apply_some = Approved(book.pages)
    world.sync(approved=approved)
    assert done == [page.digest for page in book.pages]
    apply_some.came(done)
    world.sync(approved=apply_some)


def test_large_pages_are_known_by_their_range() -> None:
    world = make_world(page_size=5000, entities=("account",))
    made = sorted(make_accounts(world, 250))
    book = plan_of(world)
    assert [(page.count, page.first, page.last, page.records) for page in book.pages] == [
        (250, made[0], made[-1], {})
    ]
    rename(world, 3)
    with pytest.raises(PlanChanged, match=f"not with the same values .{made[0]} to {made[-1]}."):
        apply(world, book)
    assert world.rows("client") == {}


def test_an_action_has_a_word() -> None:
    pages = {page.action for page in plan_of(_with_all_actions()).pages}
    assert pages == set(Action)


def _with_all_actions() -> World:
    world = make_two_ways()
    rename(world, 0)
    remove(world, 1)
    add(world, 0)
    return world
