"""A process that dies at any point loses nothing and repeats nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.syncjobs.engine.memory_state import Crash
from tests.syncjobs.engine.test_pull import assert_idle
from tests.syncjobs.engine.world import World, make_accounts, make_world


def make_busy_world(*, hosted: bool) -> World:
    """A world whose next run creates, updates, deletes, keeps a conflict and a rejected record."""
    world = make_world(sync_deletion=True, hosted=hosted)
    ids = make_accounts(world, 6)
    tag = world.server.create("tag", {"name": "VIP"})
    world.server.associate("accounttags", ids[0], tag)
    world.sync()
    world.server.update("account", ids[0], {"name": "New"})
    world.server.delete("account", ids[1])
    world.server.disassociate("accounttags", ids[0], tag)
    world.server.associate("accounttags", ids[2], tag)
    world.client.update("account", ids[2], {"name": "Mine"})
    world.server.update("account", ids[2], {"name": "Theirs"})
    rejected, *_ = make_accounts(world, 3)
    world.client.faults.always_rejected = {rejected}
    return world


def make_first_world(*, hosted: bool) -> World:
    world = make_world(hosted=hosted)
    ids = make_accounts(world, 5)
    tag = world.server.create("tag", {"name": "VIP"})
    for account in ids[:3]:
        world.server.associate("accounttags", account, tag)
    return world


def crash_at(world: World, point: int) -> bool:
    """Run until the `point`-th step of the state; return whether it came to that."""
    steps = iter(range(point))

    def step(name: str) -> None:
        if next(steps, None) is None:
            raise Crash(name)

    world.state.before = step
    try:
        world.sync()
    except Crash:
        return True
    finally:
        world.state.before = lambda name: None
    return False


@pytest.mark.parametrize("hosted", [True, False], ids=["one transaction", "remote client"])
@pytest.mark.parametrize("make", [make_first_world, make_busy_world])
def test_it_ends_equal_wherever_it_dies(make: Callable[..., World], hosted: bool) -> None:
    calm = make(hosted=hosted)
    calm.sync()
    point = 0
    while True:
        world = make(hosted=hosted)
        if not crash_at(world, point):
            break
        world.sync()
        for entity in world.entities:
            assert world.rows("client", entity) == calm.rows("client", entity), point
        assert without_versions(world) == without_versions(calm), point
        world.client.faults.always_rejected = set()
        point += 1
    assert point > 15


@pytest.mark.parametrize("hosted", [True, False], ids=["one transaction", "remote client"])
def test_it_goes_on_at_the_last_page(hosted: bool) -> None:
    world = make_world(entities=("account",), hosted=hosted)
    make_accounts(world, 7)
    crash_at(world, 8)
    done = len(world.state.saved.links[1])
    assert 0 < done < 7
    assert world.counts().read == 7 - done
    assert world.rows("client") == world.rows("server")
    assert_idle(world)


def without_versions(world: World) -> object:
    return {
        entity: {item: (link.client_id, link.digest, link.state) for item, link in links.items()}
        for entity, links in world.state.saved.links.items()
    }, world.state.saved.left
