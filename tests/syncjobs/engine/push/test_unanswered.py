"""An answer was lost: what the client's values replaced on the server is kept all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connections.connectors.memory import Fault
from syncjobs.engine.transactions import LOST, Changed, Status
from tests.syncjobs.engine.push.clashing import CLIENT
from tests.syncjobs.engine.push.deliver import TwoWays, make_both, make_two_ways


def lost_values(world: TwoWays) -> list[object]:
    return [item.changes for item in world.transactions(Status.ARCHIVED) if item.code == LOST]


def test_a_record_that_was_made_on_both_sides() -> None:
    world = make_two_ways(CLIENT)
    made = world.server.create("account", {"name": "theirs"})
    world.client.create("account", {"name": "mine"}, id=made)
    world.server.faults.at_write(2, Fault.LOST_RESPONSE)
    world.push()
    assert world.server.get("account", made)["name"] == "mine"
    assert world.transaction().attempts == 1
    world.later(timedelta(hours=1))
    world.sync()
    assert lost_values(world) == [{"name": Changed("mine", "theirs")}]
    assert world.rows("server") == world.rows("client")


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_value_that_the_server_put_back(is_deleted: bool) -> None:
    world = make_two_ways(CLIENT)
    (first,) = make_both(world, city="Brno")
    world.client.update("account", first, {"city": "Praha"})
    if is_deleted:
        world.server.delete("account", first)
    world.server.faults.at_write(1, Fault.LOST_RESPONSE)
    world.push()
    assert world.server.get("account", first)["city"] == "Praha"
    world.server.update("account", first, {"city": "Brno"})
    world.later(timedelta(hours=1))
    world.sync()
    assert world.server.get("account", first)["city"] == "Praha"
    assert lost_values(world) == [{"city": Changed("Praha", "Brno")}]
    assert world.rows("server") == world.rows("client")


def test_what_the_server_got_while_nobody_knew_that_it_has_the_record() -> None:
    world = make_two_ways()
    made = world.client.create("account", {"name": "New"})
    world.server.faults.at_write(1, Fault.LOST_RESPONSE)
    world.push()
    world.server.update("account", made, {"city": "Wien"})
    world.client.update("account", made, {"name": "Newer"})
    world.later(timedelta(hours=1))
    world.push()
    world.client.update("account", made, {"city": "Brno"})
    world.push()
    assert world.server.get("account", made)["city"] == "Brno"
    assert lost_values(world) == [{"city": Changed("Brno", "Wien")}]


def test_nothing_is_kept_of_a_server_that_never_changed() -> None:
    world = make_two_ways(CLIENT)
    (first,) = make_both(world, city="Brno")
    world.client.update("account", first, {"city": "Praha"})
    world.server.faults.at_write(1, Fault.RETRY)
    world.push()
    world.later(timedelta(hours=1))
    world.sync()
    assert world.server.get("account", first)["city"] == "Praha"
    assert lost_values(world) == []
