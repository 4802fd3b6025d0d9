"""Changes that wait behind an attempted one of their record, while the server changed it too."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from connections.connectors.base import Batch, BatchResult
from connections.connectors.memory import Fault, MemoryConnector
from organizations.schema import Entity
from syncjobs.engine.push.ends import Ends, Names, ServerRecord
from syncjobs.engine.transactions import Action, Changed, Conflict, Status
from syncjobs.engine.values import ConflictRule, Side
from tests.syncjobs.engine.push.clashing import ASK, CLIENT, SERVER, choose
from tests.syncjobs.engine.push.deliver import TwoWays, make_both, make_two_ways, put_in
from tests.syncjobs.engine.push.settled import Settling
from tests.syncjobs.engine.world import CONNECTION

LOST_BEFORE = Conflict(base={}, server={"name": "Theirs"}, client={"name": "New"}, server_version=7)


def make_lost_create(rule: ConflictRule = SERVER) -> tuple[TwoWays, str]:
    """Make an account on the client whose creation is answered by nobody."""
    world = make_two_ways(rule)
    made = world.client.create("account", {"name": "New"})
    world.server.faults.at_write(1, Fault.LOST_RESPONSE)
    world.push()
    world.later(timedelta(hours=1))
    assert world.rows("server").keys() == {made}
    return world, made


def test_an_edit_behind_a_lost_create_meets_what_the_server_changed() -> None:
    world, made = make_lost_create()
    world.server.update("account", made, {"revenue": "9"})
    world.client.update("account", made, {"revenue": "12"})
    world.sync()
    assert world.transaction(Status.ARCHIVED).changes == {"revenue": Changed(None, Decimal("12"))}
    assert world.rows("server") == world.rows("client")
    assert str(world.server.get("account", made)["revenue"]) == "9.00"


def test_an_edit_behind_a_lost_create_leaves_alone_what_it_does_not_replace() -> None:
    world, made = make_lost_create()
    world.server.update("account", made, {"revenue": "9"})
    world.client.update("account", made, {"city": "Brno"})
    world.sync()
    assert world.transactions(Status.ARCHIVED, Status.ERROR) == []
    assert world.rows("server") == world.rows("client")
    on_server = world.server.get("account", made)
    assert (str(on_server["revenue"]), on_server["city"]) == ("9.00", "Brno")


@pytest.mark.parametrize("rule", [SERVER, CLIENT])
def test_a_deletion_behind_a_lost_create_meets_what_the_server_changed(rule: ConflictRule) -> None:
    world, made = make_lost_create(rule)
    world.server.update("account", made, {"revenue": "9"})
    world.client.delete("account", made)
    world.sync()
    if rule is SERVER:
        assert world.transaction(Status.ARCHIVED).action is Action.DELETE
        assert world.rows("server") == world.rows("client") != {}
    else:
        kept = world.transaction(Status.ARCHIVED)
        assert kept.changes is not None
        assert str(kept.changes["revenue"].new) == "9.00"
        assert world.rows("server") == {}


def test_a_deletion_behind_a_lost_create_is_delivered() -> None:
    world, made = make_lost_create()
    world.client.delete("account", made)
    world.sync()
    assert world.rows("server") == world.rows("client") == {}
    assert {item.status for item in world.transactions()} == {Status.PROCESSED}


def test_a_change_behind_one_that_a_person_decided_meets_what_the_client_has_not_seen() -> None:
    world = make_two_ways(ASK)
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "mine"})
    world.server.update("account", first, {"city": "Praha"})
    world.push()
    waits = world.transaction(Status.ERROR)
    put_in(world, "account", first, Action.UPDATE, {"city": Changed("Brno", "Wien")})
    follower = replace(
        world.transaction(Status.PENDING), version=waits.version, first_version=waits.first_version
    )
    with world.state.page():
        world.state.hold()
        world.line.save([follower])
    choose(world, name=Side.CLIENT)
    world.push()
    assert world.server.get("account", first)["city"] == "Praha"
    asked = world.transaction(Status.ERROR)
    assert asked.conflict is not None
    assert asked.conflict.server == {"city": "Praha"}


def test_what_the_server_changes_before_it_is_read_back_was_not_agreed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make_two_ways()
    made = world.client.create("account", {"name": "New"})
    world.collect()
    world.client.update("account", made, {"revenue": "12"})
    write = MemoryConnector.write

    def busy(self: MemoryConnector, entity: Entity, batch: Batch) -> BatchResult:
        result = write(self, entity, batch)
        world.server.update("account", made, {"revenue": "9"})
        return result

    monkeypatch.setattr(MemoryConnector, "write", busy)
    world.deliver()
    monkeypatch.undo()
    world.sync()
    assert str(world.server.get("account", made)["revenue"]) == "9.00"
    assert world.transaction(Status.ARCHIVED).changes == {"revenue": Changed(None, Decimal("12"))}


def test_what_each_attempt_replaced_is_kept() -> None:
    world = make_two_ways(CLIENT)
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "mine"})
    for name in ("theirs", "theirs again"):
        world.server.update("account", first, {"name": name})
        world.server.faults.at_write(1, Fault.LOST_RESPONSE)
        world.push()
        world.later(timedelta(hours=1))
    world.sync()
    kept = [
        item.changes["name"].new for item in world.transactions(Status.ARCHIVED) if item.changes
    ]
    assert kept == ["theirs", "theirs again"]
    assert world.server.get("account", first)["name"] == "mine"


def test_what_an_attempt_replaced_is_kept_though_its_column_is_gone() -> None:
    settling = Settling(conflict=LOST_BEFORE, attempts=1)
    narrow = replace(settling.case.ends.task, attributes=settling.case.ends.task.attributes[:1])
    ends = Ends(
        MemoryConnector(settling.world.server),
        MemoryConnector(settling.world.client),
        narrow,
        Names({}, {}),
    )
    server = ServerRecord(9, "", ("c",), ("c",))
    settling.results.attempted(replace(settling.case, ends=ends, server=server), settling.send())
    _, lost = settling.save()
    assert lost.changes == {"name": Changed("New", "Theirs")}


def test_a_loop_that_is_sent_again_is_followed_still() -> None:
    world = make_two_ways()
    first, second = (world.client.create("account", {"name": name}) for name in "ab")
    world.client.update("account", first, {"parentaccountid": second})
    world.client.update("account", second, {"parentaccountid": first})
    world.server.faults.at_write(1, Fault.CONFLICT)
    world.server.faults.at_write(2, Fault.LOST_RESPONSE)
    world.sync()
    world.later(timedelta(hours=1))
    for item in list(world.rows("server")):
        world.server.update("account", item, {"city": "Brno"})
    world.sync()
    for item, other in ((first, second), (second, first)):
        assert world.client.get("account", item)["parentaccountid"] == other


def test_what_follows_is_put_in_once_though_its_record_is_sent_twice() -> None:
    world = make_two_ways(CLIENT)
    parent, first = make_both(world, 2)
    world.server.update("account", first, {"parentaccountid": parent})
    world.sync()
    world.client.update("account", first, {"name": "mine"})
    world.server.delete("account", first)
    world.server.faults.at_write(1, Fault.CONFLICT)
    world.push()
    assert [item.status for item in world.transactions()] == [Status.PROCESSED] * 2
    assert world.rows("server") == world.rows("client")


def test_what_was_delivered_already_does_not_hide_what_the_client_lacks() -> None:
    world = make_two_ways()
    (first,) = make_both(world, city="Wien")
    put_in(world, "account", first, Action.UPDATE, {"city": Changed(None, "Wien")})
    version = world.client.update("account", first, {"name": "emptied"}, origin=CONNECTION)
    link = world.state.links(1, [first])[first]
    with world.state.page():
        world.state.hold()
        world.state.save_links(1, [link._replace(client_version=version)])
    world.deliver()
    world.sync()
    assert world.client.get("account", first)["name"] == "Both"
