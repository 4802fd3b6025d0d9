"""A dry run delivers nothing and predicts what would be (I8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connections.connectors.memory import Fault
from organizations.query.nodes import Condition, Group, Link, Operator, Query
from syncjobs.engine.values import ConflictRule, LinkState
from tests.syncjobs.engine.push.deliver import TwoWays, make_both, make_two_ways


def make_everything(rule: ConflictRule) -> TwoWays:
    """Let both sides create, change, delete, pair, loop, clash; one record is never taken."""
    world = make_two_ways(rule)
    theirs = world.server.create("systemuser", {"domainname": "ann"})
    mine = world.client.create("systemuser", {"domainname": "ann"})
    ids = make_both(world, 8)
    tag = world.client.create("tag", {"name": "VIP"})
    world.client.associate("accounttags", ids[0], tag)
    world.client.update("account", ids[0], {"city": "Praha"})
    world.client.delete("account", ids[1])
    world.client.update("account", ids[2], {"name": "mine"})
    world.server.update("account", ids[2], {"name": "theirs"})
    world.client.update("account", ids[3], {"name": "mine"})
    world.server.update("account", ids[3], {"city": "Wien"})
    world.client.update("account", ids[4], {"name": "mine"})
    world.server.delete("account", ids[4])
    world.client.delete("account", ids[5])
    world.server.update("account", ids[5], {"name": "theirs"})
    world.server.update("account", ids[6], {"ownerid": theirs, "ownerid__type": "systemuser"})
    world.client.update("account", ids[7], {"ownerid": mine, "ownerid__type": "systemuser"})
    first, second = (world.client.create("account", {"name": name}) for name in "ab")
    world.client.update("account", first, {"parentaccountid": second})
    world.client.update("account", second, {"parentaccountid": first})
    world.client.create("account", {"name": "child", "parentaccountid": ids[1]})
    return world


@pytest.mark.parametrize("rule", list(ConflictRule))
@pytest.mark.parametrize("sync_deletion", [True, False])
def test_it_predicts_what_is_delivered(rule: ConflictRule, sync_deletion: bool) -> None:
    world = make_everything(rule)
    world.sync_deletion = sync_deletion
    before = (world.server.version, world.client.version, world.state.writes)
    predicted = world.sync(dry_run=True)
    assert (world.server.version, world.client.version, world.state.writes) == before
    assert world.transactions() == []
    problems = world.reporter.problems
    found = world.sync()
    assert {name: report.counts for name, report in found.items()} == {
        name: report.counts for name, report in predicted.items()
    }
    assert {name: set(report.samples) for name, report in found.items()} == {
        name: set(report.samples) for name, report in predicted.items()
    }
    assert [item.code for item in world.reporter.problems] == [item.code for item in problems]
    assert predicted["account"].counts.pushed > 4


def test_it_predicts_although_the_newest_records_of_the_server_are_gone() -> None:
    world = make_two_ways()
    make_both(world, 2)
    (newest,) = make_both(world)
    world.server.delete("account", newest)
    world.client.create("account", {"name": "New"})
    predicted = world.sync(dry_run=True)["account"].counts
    assert (predicted.kept, predicted.pushed) == (1, 1)
    assert world.sync()["account"].counts == predicted


def test_it_predicts_although_the_client_deleted_the_last_record_of_the_server() -> None:
    world = make_two_ways()
    last, newest = make_both(world, 2)
    world.server.delete("account", newest)
    world.client.delete("account", last)
    predicted = world.sync(dry_run=True)["account"].counts
    assert (predicted.kept, predicted.pushed) == (1, 1)
    assert world.sync()["account"].counts == predicted


def test_it_predicts_although_nobody_knows_what_an_earlier_attempt_replaced() -> None:
    world = make_two_ways(ConflictRule.CLIENT)
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "mine"})
    world.server.update("account", first, {"name": "theirs"})
    world.server.faults.at_write(1, Fault.RETRY)
    world.push()
    world.later(timedelta(hours=1))
    world.rule = ConflictRule.ASK
    world.server.update("account", first, {"name": "newer"})
    predicted = world.sync(dry_run=True)["account"].counts
    assert predicted.updated == 0
    assert world.sync()["account"].counts == predicted


def test_it_predicts_that_a_pair_which_the_server_has_is_refused() -> None:
    world = make_two_ways()
    account, _ = make_both(world, 2)
    tag = world.server.create("tag", {"name": "VIP"})
    world.sync()
    pair = world.client.associate("accounttags", account, tag)
    world.server.associate("accounttags", account, tag)
    world.server.faults.always_rejected = {pair}
    predicted = world.sync(dry_run=True)["accounttag"].counts
    assert (predicted.rejected, predicted.pushed) == (1, 0)
    assert world.sync()["accounttag"].counts == predicted


def make_families() -> tuple[TwoWays, list[str], list[str]]:
    """Carry accounts whose parent is in Brno: three children of each of two parents."""
    world = make_two_ways(ConflictRule.CLIENT)
    parents = make_both(world, 2)
    world.server.update("account", parents[1], {"city": "Wien"})
    children = [
        world.server.create("account", {"name": "child", "parentaccountid": parent})
        for parent in parents * 3
    ]
    world.sync()
    in_brno = Group(children=(Condition("city", Operator.EQ, ("Brno",)),))
    parent = Link(
        entity="account",
        from_attribute="accountid",
        to_attribute="parentaccountid",
        filter=in_brno,
    )
    world.filters = {"account": Query(entity="account", links=(parent,))}
    world.sync()
    return world, parents, children


@pytest.mark.parametrize("sync_deletion", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_it_predicts_who_enters_and_leaves_by_what_is_delivered(
    sync_deletion: bool, full: bool
) -> None:
    world, (first, second), children = make_families()
    world.sync_deletion = sync_deletion
    world.client.update("account", first, {"city": "Wien"})
    world.client.update("account", second, {"city": "Brno"})
    for child in children:
        world.server.update("account", child, {"name": "touched"})
    predicted = world.sync(dry_run=True, full=full)["account"].counts
    assert world.sync(full=full)["account"].counts == predicted
    assert predicted.pushed == 2
    states = world.state.links(1, children)
    inside = {item for item, link in states.items() if link.state is LinkState.CURRENT}
    assert inside == set(children[1::2])


def test_who_is_linked_to_what_nobody_can_read_stays_as_he_is() -> None:
    world, (first, _), children = make_families()
    world.server.faults.unreadable.add(first)
    world.client.update("account", children[0], {"name": "mine"})
    assert world.sync(dry_run=True)["account"].counts == world.sync()["account"].counts
    assert world.state.links(1, children)[children[0]].state is LinkState.CURRENT
