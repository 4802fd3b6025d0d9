"""A dry run writes nothing and predicts the run (I8)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest

from connections.connectors.memory import Fault
from tests.syncjobs.engine.world import World, make_accounts, make_filter, make_world


def first_run(world: World) -> None:
    make_accounts(world, 5)


def page_twice(world: World) -> None:
    make_accounts(world, 5)


def everything_at_once(world: World) -> None:
    ids = make_accounts(world, 6, lambda number: {"city": "Bratislava", "name": str(number)})
    world.server.create("systemuser", {"domainname": "ann"})
    world.client.create("systemuser", {"domainname": "ann"})
    world.sync()
    world.client.update("account", ids[0], {"name": "Mine"})
    world.server.update("account", ids[0], {"name": "Theirs"})
    world.server.update("account", ids[1], {"city": "Wien"})
    world.server.update("account", ids[2], {"name": "New"})
    world.server.delete("account", ids[3])
    world.client.delete("account", ids[4])
    world.server.update("account", ids[4], {"name": "New"})
    make_accounts(world, 3, lambda number: {"city": "Bratislava"})
    world.server.create("systemuser", {"domainname": "bob"})
    world.client.create("systemuser", {"domainname": "bob"})


def nothing(world: World) -> None:
    make_accounts(world, 5)
    world.sync()


@pytest.mark.parametrize("prepare", [first_run, page_twice, everything_at_once, nothing])
@pytest.mark.parametrize("sync_deletion", [True, False])
def test_it_predicts_the_run_and_writes_nothing(
    prepare: Callable[[World], None], sync_deletion: bool
) -> None:
    world = make_world(filters={"account": make_filter()}, sync_deletion=sync_deletion)
    if prepare is not everything_at_once:
        world.filters = {}
    prepare(world)
    before = (world.client.version, world.state.writes, deepcopy(world.state.saved))
    break_line(world, prepare)
    predicted = world.sync(dry_run=True)
    assert (world.client.version, world.state.writes, world.state.saved) == before
    break_line(world, prepare)
    assert world.sync() == predicted


def break_line(world: World, prepare: Callable[[World], None]) -> None:
    if prepare is page_twice:
        world.server.faults.at_page(2, Fault.DUPLICATE)


def test_it_goes_on_after_a_fault_without_counting_twice() -> None:
    world = make_world(entities=("account",))
    make_accounts(world, 5)
    world.server.faults.at_page(2, Fault.RETRY)
    assert world.counts(dry_run=True).created == 5
    assert world.counts().created == 5
