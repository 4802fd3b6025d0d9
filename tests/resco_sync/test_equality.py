"""Both sides are read again and compared field by field."""

from __future__ import annotations

from connections.connectors.memory import MemoryConnector
from resco_sync.equality import Compared, compare_entity
from tests.syncjobs.engine.world import World, make_accounts, make_filter, make_world


def compared(world: World, name: str = "account") -> Compared:
    """Compare one entity of the two organizations in memory."""
    server, client = MemoryConnector(world.server), MemoryConnector(world.client)
    translations = world.state.translations(("systemuser",))
    return compare_entity(world.task(name), server, client, translations)


def test_it_finds_both_sides_equal_after_a_run() -> None:
    world = make_world()
    make_accounts(world, 5)
    world.sync()
    assert compared(world) == Compared(entity="account", server=5, client=5, equal=5)
    assert compared(world).is_equal


def test_it_sees_a_value_that_differs_on_the_client_only() -> None:
    world = make_world()
    first, *_ = make_accounts(world, 3)
    world.sync()
    world.client.update("account", first, {"name": "Changed here"})
    assert compared(world) == Compared(entity="account", server=3, client=3, equal=2)
    assert not compared(world).is_equal


def test_it_sees_a_record_that_is_missing_on_one_side() -> None:
    world = make_world()
    first, *_ = make_accounts(world, 3)
    world.sync()
    world.client.delete("account", first)
    assert compared(world) == Compared(entity="account", server=3, client=2, equal=2)
    assert not compared(world).is_equal


def test_it_asks_the_server_only_for_what_its_filter_lets_through() -> None:
    world = make_world(filters={"account": make_filter()})
    make_accounts(world, 4, lambda number: {"city": "Bratislava" if number else "Brno"})
    world.sync()
    assert compared(world).is_equal
    assert compared(world).server == 3


def test_it_knows_matched_records_and_pairs_by_what_they_mean() -> None:
    world = make_world()
    user = {"domainname": "ada", "fullname": "Ada"}
    there = world.server.create("systemuser", user)
    here = world.client.create("systemuser", user)
    assert there != here
    owner = {"ownerid": there, "ownerid__type": "systemuser"}
    account = world.server.create("account", {"name": "A", **owner})
    tag = world.server.create("tag", {"name": "T"})
    for side in (world.server, world.client):
        side.associate("accounttags", account, tag)
    world.sync()
    for name in ("systemuser", "account", "tag", "accounttag"):
        assert compared(world, name).is_equal, name
