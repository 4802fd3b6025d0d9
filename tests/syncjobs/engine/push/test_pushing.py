"""Client changes reach the server: each kind, in order, once."""

from __future__ import annotations

from syncjobs.engine.transactions import Status
from syncjobs.engine.values import Counts
from tests.syncjobs.engine.push.deliver import make_both, make_two_ways


def test_it_creates_updates_and_deletes() -> None:
    world = make_two_ways()
    first, second = make_both(world, 2)
    made = world.client.create("account", {"name": "New", "revenue": "1.5"})
    world.client.update("account", first, {"city": "Praha"})
    world.client.delete("account", second)
    assert world.push() == {"account": Counts(pushed=3)}
    assert world.rows("server") == world.rows("client")
    assert world.server.get("account", made)["name"] == "New"
    assert {item.status for item in world.transactions()} == {Status.PROCESSED}


def test_a_repeated_run_writes_nothing() -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    world.client.update("account", first, {"city": "Praha"})
    world.client.create("account", {"name": "New"})
    world.sync()
    before = (world.server.version, world.client.version)
    assert world.counts() == Counts(read=2, unchanged=2) or world.counts() == Counts()
    assert (world.server.version, world.client.version) == before


def test_it_makes_parents_before_children_and_pairs_after_both() -> None:
    world = make_two_ways()
    child = world.client.create("account", {"name": "Child"})
    tag = world.client.create("tag", {"name": "VIP"})
    world.client.associate("accounttags", child, tag)
    parent = world.client.create("account", {"name": "Parent"})
    world.client.update("account", child, {"parentaccountid": parent})
    world.push()
    order = [change.id for change in world.server.log]
    assert order.index(parent) < order.index(child)
    assert world.rows("server") == world.rows("client")
    assert [row[1:] for row in world.rows("server", "accounttag").values()] == [
        row[1:] for row in world.rows("client", "accounttag").values()
    ]
