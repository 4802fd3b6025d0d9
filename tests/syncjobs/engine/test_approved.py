"""A run that carries out a plan does exactly that, or stops and says what has changed."""

from __future__ import annotations

from contextlib import nullcontext, suppress

import pytest
from hypothesis import given

from connections.errors import PlanChanged
from organizations.records import Action
from syncjobs.engine.approved import Approved
from tests.syncjobs.engine.planning_world import (
    FAST,
    KINDS,
    STEPS,
    MemoryBook,
    Steps,
    add,
    apply,
    carry_out,
    edit_client,
    everything,
    ids,
    log_of,
    make_two_ways,
    plan_of,
    remove,
    rename,
    written_since,
)
from tests.syncjobs.engine.world import World, make_accounts, make_world


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
