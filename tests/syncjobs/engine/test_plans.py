"""A dry run makes a plan that says exactly what a run will do (I8)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncjobs.engine.planned import PlanKind, plan_digest
from syncjobs.engine.values import ConflictRule
from tests.syncjobs.engine.planning_world import (
    FAST,
    KINDS,
    STEPS,
    MemoryBook,
    Steps,
    carry_out,
    everything,
    ids,
    log_of,
    make_two_ways,
    plan_of,
    written_since,
)
from tests.syncjobs.engine.world import make_accounts, make_world


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
