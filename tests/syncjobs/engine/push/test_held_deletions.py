"""A parent is not deleted on the server before its child is, whenever it is delivered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from syncjobs.engine.transactions import Status
from tests.syncjobs.engine.push.clashing import pend
from tests.syncjobs.engine.push.deliver import TwoWays, make_both, make_two_ways


def make_refused() -> tuple[TwoWays, str, str]:
    """Let the client delete parent and child, of which the server keeps the child."""
    world = make_two_ways()
    (parent,) = make_both(world)
    (child,) = make_both(world, parentaccountid=parent)
    world.client.delete("account", child)
    world.client.delete("account", parent)
    world.server.faults.always_rejected = {child}
    world.push()
    return world, parent, child


def test_a_child_that_the_server_keeps_holds_its_parent_in_every_push() -> None:
    world, parent, child = make_refused()
    for _ in range(2):
        assert world.rows("server").keys() == {parent, child}
        assert world.transaction(Status.PENDING).message == (
            f"It waits for the delete of account {child}, which was not accepted: Not accepted."
        )
        world.later(timedelta(days=1))
        world.push()


def test_a_parent_follows_its_child() -> None:
    world, _, _ = make_refused()
    world.push()
    world.server.faults.always_rejected = set()
    pend(world, world.transaction(Status.ERROR))
    world.push()
    assert world.rows("server") == {}
    assert {item.status for item in world.transactions()} == {Status.PROCESSED}


def test_a_parent_waits_for_a_child_whose_time_has_not_come() -> None:
    world = make_two_ways()
    (parent,) = make_both(world)
    (child,) = make_both(world, parentaccountid=parent)
    world.client.delete("account", child)
    world.collect()
    waiting = world.transaction()
    with world.state.page():
        world.state.hold()
        world.line.save([replace(waiting, next_attempt=world.now + timedelta(hours=1))])
    world.client.delete("account", parent)
    world.push()
    assert world.rows("server").keys() == {parent, child}
    assert "which was not delivered yet" in world.transactions(Status.PENDING)[-1].message
    world.later(timedelta(hours=1))
    world.push()
    assert world.rows("server") == {}


def test_a_dry_run_holds_it_too() -> None:
    world, _, _ = make_refused()
    predicted = world.sync(dry_run=True)["account"].counts
    assert world.sync()["account"].counts == predicted
    assert predicted.pushed == 0
