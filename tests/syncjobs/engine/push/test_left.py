"""Client changes of records that left the sync filter and stayed on the client."""

from __future__ import annotations

import pytest

from syncjobs.engine.transactions import Status
from syncjobs.engine.values import ConflictRule, LinkState
from tests.syncjobs.engine.push.deliver import TwoWays, make_both, make_two_ways
from tests.syncjobs.engine.world import make_filter

RULES = list(ConflictRule)
ASK, CLIENT, MERGE, NEWEST, SERVER = (
    ConflictRule(name) for name in ("ask", "client", "merge", "newest", "server")
)


def make_left(rule: ConflictRule) -> tuple[TwoWays, str]:
    """Let a record leave the filter and stay on the client."""
    world = make_two_ways(rule)
    world.filters = {"account": make_filter("city", "Brno")}
    (first,) = make_both(world)
    world.server.update("account", first, {"city": "Wien"})
    world.sync()
    assert world.state.links(1, [first])[first].state is LinkState.LEFT_FILTER
    return world, first


@pytest.mark.parametrize("rule", RULES)
def test_an_edit_of_a_record_that_left_the_filter(rule: ConflictRule) -> None:
    world, first = make_left(rule)
    world.client.update("account", first, {"name": "mine"})
    counts = world.push()["account"]
    assert counts.conflicts == 1
    goes = rule in (CLIENT, MERGE)
    assert counts.pushed == goes
    on_server = world.server.get("account", first)
    assert (on_server["name"], on_server["city"]) == ("mine" if goes else "Both", "Wien")
    status = Status.ERROR if rule is ASK else Status.PROCESSED if goes else Status.ARCHIVED
    assert world.transactions()[0].status is status


@pytest.mark.parametrize("rule", RULES)
def test_a_deletion_of_a_record_that_left_the_filter(rule: ConflictRule) -> None:
    world, first = make_left(rule)
    world.client.delete("account", first)
    world.push()
    assert (first in world.rows("server")) is (rule is not CLIENT)
    if rule in (SERVER, CLIENT, NEWEST):
        assert world.state.count_links(1) == 0
        world.server.update("account", first, {"city": "Brno"}) if rule is not CLIENT else None
        world.sync()
        assert (first in world.rows("client")) is (rule is not CLIENT)
