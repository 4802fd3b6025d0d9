"""Collecting the client's changes: from its log into transactions, each edit once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connections.connectors.base import Edits
from connections.connectors.memory import Fault, MemoryConnector, MemoryOrganization
from connections.errors import Refused
from organizations.schema import Attribute, AttributeType
from syncjobs.engine.collect import AS_CARRIED, FAR, Source, collect
from syncjobs.engine.dry import DryState
from syncjobs.engine.dry_queue import DryQueue
from syncjobs.engine.folding import CANCELLED_OUT, MADE_AND_DELETED
from syncjobs.engine.transactions import Action, Changed, Status, Transaction
from syncjobs.engine.values import EntityTask, Options
from syncjobs.errors import LostLease
from tests.syncjobs.engine.memory_queue import MemoryQueue
from tests.syncjobs.engine.memory_state import Crash, MemoryReporter, MemoryState
from tests.syncjobs.engine.world import CONNECTION, World, make_accounts, make_world


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


def test_it_collects_what_was_changed() -> None:
    world = make_two_way()
    first, second = make_accounts(world, 2)
    world.sync()
    world.client.update("account", first, {"name": "Mine"}, actor="ann@example.com")
    world.client.delete("account", second)
    made = world.client.create("account", {"name": "New", "revenue": "1.5"})
    version = world.client.version
    assert collect_all(world) == {}
    updated, deleted, created = waiting(world)
    link = world.state.links_by_client(world.task("account").key, [first])[first]
    assert (updated.client_id, updated.action) == (first, Action.UPDATE)
    assert updated.changes == {"name": Changed("Account 0", "Mine")}
    assert (updated.based_on, updated.actor) == (link.server_version, "ann@example.com")
    assert (updated.version, updated.first_version) == (version - 2, version - 2)
    assert (deleted.client_id, deleted.action, deleted.changes) == (second, Action.DELETE, None)
    assert (created.client_id, created.action, created.based_on) == (made, Action.CREATE, 0)
    assert created.changes is not None
    assert created.changes["name"] == Changed(None, "New")
