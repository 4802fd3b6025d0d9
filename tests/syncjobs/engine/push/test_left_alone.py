"""Records of the server that a pull leaves alone while a change of the client is on its way."""

from __future__ import annotations

from datetime import timedelta

from connections.connectors.memory import Fault
from syncjobs.engine.plan import GOING
from syncjobs.engine.transactions import Action, Status
from syncjobs.engine.values import Position
from tests.syncjobs.engine.push.clashing import ASK, pend
from tests.syncjobs.engine.push.deliver import TwoWays, make_both, make_two_ways


def make_asked() -> tuple[TwoWays, str]:
    """Make a record whose lost creation met a change, so that a person is asked."""
    world = make_two_ways(ASK)
    made = world.client.create("account", {"name": "New"})
    world.server.faults.at_write(1, Fault.LOST_RESPONSE)
    world.push()
    world.server.update("account", made, {"name": "theirs"})
    world.later(timedelta(hours=1))
    return world, made


def test_what_was_made_and_deleted_is_not_made_again_while_its_creation_waits() -> None:
    world, made = make_asked()
    world.client.delete("account", made)
    world.sync()
    assert made not in world.rows("client")
    assert world.transactions(Status.PENDING, Status.ERROR)[-1].action is Action.DELETE
    assert GOING in {problem.message for problem in world.reporter.problems}
    assert world.state.left_behind(1) == {made}


def test_a_first_load_looks_at_the_client_where_a_change_waits() -> None:
    world, made = make_asked()
    world.client.delete("account", made)
    world.collect()
    assert world.state.position(1) == Position()
    assert not world.state.has_links(1)
    world.sync()
    assert world.rows("client") == {}


def test_a_pair_is_not_made_again_that_was_removed_while_its_making_waits() -> None:
    world = make_two_ways()
    (first,), tag = make_both(world), world.server.create("tag", {"name": "VIP"})
    world.sync()
    world.server.associate("accounttags", first, tag)
    pair = world.client.associate("accounttags", first, tag)
    world.server.faults.at_write(1, Fault.LOST_RESPONSE)
    world.push()
    world.client.delete("accounttag", pair)
    world.sync()
    assert world.rows("client", "accounttag") == {}
    world.later(timedelta(hours=1))
    world.sync()
    assert world.rows("client", "accounttag") == world.rows("server", "accounttag") == {}


def test_a_deletion_that_folded_into_an_older_change_is_the_newest() -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "mine"})
    world.server.update("account", first, {"name": "theirs"})
    world.sync()
    older = world.transaction(Status.ARCHIVED)
    world.client.update("account", first, {"name": "again"})
    world.sync()
    pend(world, older)
    world.client.delete("account", first)
    world.server.update("account", first, {"name": "theirs again"})
    world.sync()
    assert world.transaction(Status.ARCHIVED).action is Action.DELETE
    assert world.rows("client") == world.rows("server") != {}
    assert world.state.left_behind(1) == set()


def test_a_removal_that_failed_leaves_alone_the_pair_that_was_made_again() -> None:
    world = make_two_ways()
    (first,), tag = make_both(world), world.server.create("tag", {"name": "VIP"})
    pair = world.server.associate("accounttags", first, tag)
    world.sync()
    world.client.delete("accounttag", pair)
    world.server.faults.always_rejected.add(pair)
    world.sync()
    failed = world.transaction(Status.ERROR)
    again = world.client.associate("accounttags", first, tag)
    world.sync()
    world.server.faults.always_rejected.clear()
    pend(world, failed)
    world.sync()
    assert world.transaction(Status.ARCHIVED).action is Action.DISASSOCIATE
    world.sync()
    assert world.rows("server", "accounttag").keys() == {pair}
    assert world.rows("client", "accounttag").keys() == {again}
    assert world.state.left_behind(world.task("accounttag").key) == set()
