"""One side deleted what the other changed: what each rule makes of it, from the edit to rest."""

from __future__ import annotations

import pytest

from syncjobs.engine.conflicts import WHOLE
from syncjobs.engine.transactions import Changed, Status
from syncjobs.engine.values import ConflictRule, Counts, LinkState, Side
from tests.syncjobs.engine.push.clashing import (
    ASK,
    CLIENT,
    MERGE,
    NEWEST,
    SERVER,
    choose,
    equal,
    make_both_delete,
    pend,
)
from tests.syncjobs.engine.push.deliver import make_both, make_two_ways


@pytest.mark.parametrize("rule", [SERVER, NEWEST])
def test_a_deletion_of_the_server_wins(rule: ConflictRule) -> None:
    world, first = make_both_delete(rule, is_client=False)
    world.sync_deletion = True
    world.sync()
    assert world.rows("client") == {}
    assert world.transaction(Status.ARCHIVED).changes == {"name": Changed("Both", "mine")}


def test_a_record_the_server_deleted_is_made_again() -> None:
    world, first = make_both_delete(CLIENT, is_client=False)
    world.sync()
    assert equal(world)
    assert world.server.get("account", first)["name"] == "mine"
    assert world.server.get("account", first)["city"] == "Brno"
    world.sync()
    assert world.state.links(1, [first])[first].state is LinkState.CURRENT


def test_a_record_is_made_again_without_what_is_gone() -> None:
    world = make_two_ways(CLIENT)
    (parent,) = make_both(world)
    child = world.server.create("account", {"name": "child", "parentaccountid": parent})
    world.sync()
    world.server.delete("account", child)
    world.client.update("account", child, {"name": "mine"})
    world.push()
    assert world.server.get("account", child)["parentaccountid"] == parent
    assert [item.action.value for item in world.transactions()] == ["update", "update"]


@pytest.mark.parametrize("rule", [MERGE, ASK])
@pytest.mark.parametrize("is_client", [True, False])
@pytest.mark.parametrize("side", [Side.CLIENT, Side.SERVER])
def test_a_deletion_is_asked_about(rule: ConflictRule, is_client: bool, side: Side) -> None:
    world, first = make_both_delete(rule, is_client=is_client)
    world.sync_deletion = True
    world.push()
    asked = world.transaction(Status.ERROR)
    assert asked.conflict is not None
    assert (asked.conflict.server_version == 0) is not is_client
    choose(world, **{WHOLE: side})
    world.sync()
    world.sync()
    assert equal(world)
    is_there = (side is Side.SERVER) == is_client
    assert (first in world.rows("server")) is is_there


@pytest.mark.parametrize("rule", [SERVER, NEWEST])
def test_a_record_the_client_deleted_comes_back(rule: ConflictRule) -> None:
    world, first = make_both_delete(rule, is_client=True)
    world.sync()
    assert equal(world)
    assert world.client.get("account", first)["name"] == "theirs"


def test_a_record_the_server_changed_is_deleted_and_can_be_made_again() -> None:
    world, first = make_both_delete(CLIENT, is_client=True)
    world.sync()
    assert world.rows("server") == {} == world.rows("client")
    kept = world.transaction(Status.ARCHIVED)
    assert kept.action.value == "create"
    pend(world, kept)
    world.sync()
    assert world.server.get("account", first)["name"] == "theirs"


def test_both_sides_deleted_it() -> None:
    world = make_two_ways(ASK)
    (first,) = make_both(world)
    world.client.delete("account", first)
    world.server.delete("account", first)
    assert world.push()["account"] == Counts(pushed=1)
    assert world.state.count_links(1) == 0
