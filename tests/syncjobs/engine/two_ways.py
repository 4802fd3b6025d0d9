"""A world with a queue, and collecting in it without a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connections.connectors.memory import MemoryConnector
from syncjobs.engine.collect import Source, collect
from syncjobs.engine.transactions import Transaction
from syncjobs.engine.values import Options
from tests.syncjobs.engine.memory_queue import MemoryQueue
from tests.syncjobs.engine.world import (
    CONNECTION,
    World,
    make_world,
)


def make_two_way(**more: object) -> World:
    """A world whose accounts are carried, with a queue."""
    world = make_world(**more)  # type: ignore[arg-type]
    world.queue = MemoryQueue(world.state)
    return world


def collect_all(world: World, **more: object) -> Mapping[str, str]:
    """Collect as a run does, without the run."""
    assert world.queue is not None
    options = Options(page_size=2, sleep=world.waits.append)
    source = Source(
        client=MemoryConnector(world.client, origin=CONNECTION),
        state=world.state,
        queue=world.queue,
        reporter=world.reporter,
        options=options,
    )
    return collect(replace(source, **more), world.tasks())  # type: ignore[arg-type]


def waiting(world: World) -> list[Transaction]:
    assert world.queue is not None
    return [item for item in world.queue.transactions if item.is_waiting]
