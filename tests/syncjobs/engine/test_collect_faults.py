"""Collecting is stopped anywhere, repeated, run twice at once, refused, and rehearsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connections.connectors.base import Edits
from connections.connectors.memory import MemoryConnector, MemoryOrganization
from connections.errors import LoginFailed, Refused, Retryable
from syncjobs.engine.collect import Source, collect
from syncjobs.engine.dry_queue import DryQueue
from syncjobs.engine.transactions import Transaction
from syncjobs.engine.values import EntityTask, Options
from syncjobs.errors import LostLease
from tests.syncjobs.engine.memory_state import Crash, MemoryReporter, MemoryState
from tests.syncjobs.engine.two_ways import collect_all, make_two_way, waiting
from tests.syncjobs.engine.world import (
    CONNECTION,
    World,
    make_accounts,
)


def edit_everything(world: World) -> None:
    """Edits of several pages: creates, updates, deletes, pairs; then what waits is changed."""
    ids = make_accounts(world, 4)
    tag = world.server.create("tag", {"name": "VIP"})
    world.sync()
    for account in ids:
        world.client.update("account", account, {"name": f"Mine {account[:4]}"})
    world.client.delete("account", ids[0])
    made = world.client.create("account", {"name": "New"})
    world.client.associate("accounttags", ids[1], tag)
    world.client.update("account", made, {"city": "Brno"})


def test_it_may_die_anywhere_and_comes_to_the_same() -> None:
    expected = make_two_way()
    edit_everything(expected)
    collect_all(expected)
    wanted = waiting(expected)
    assert len(wanted) == 6
    dying, died = 0, True
    while died:
        dying += 1
        world = make_two_way()
        edit_everything(world)
        died = dies(world, dying)
        collect_all(world)
        writes = world.state.writes
        assert [replace(item, id=0, at=None) for item in waiting(world)] == [
            replace(item, id=0, at=None) for item in wanted
        ]
        collect_all(world)
        assert world.state.writes == writes
    assert dying > 15


def dies(world: World, point: int) -> bool:
    """Collect and die at that boundary; tell whether there was one."""
    points = iter(range(point - 1))

    def before(_: str) -> None:
        if next(points, None) is None:
            raise Crash

    world.state.before = before
    try:
        collect_all(world)
    except Crash:
        return True
    finally:
        world.state.before = lambda _: None
    return False


def test_two_collections_at_once_collect_each_edit_once() -> None:
    world = make_two_way()
    world.client.create("account", {"name": "a"})
    calls = iter([True])

    def before(point: str) -> None:
        if point == "page" and next(calls, False):
            collect_all(world)

    world.state.before = before
    collect_all(world)
    assert len(waiting(world)) == 1


def test_a_worker_that_lost_the_run_collects_nothing() -> None:
    world = make_two_way()
    world.client.create("account", {"name": "a"})
    world.state.lost = True
    with pytest.raises(LostLease):
        collect_all(world)
    assert waiting(world) == []


class Failing(MemoryConnector):
    """A client whose log fails, each time with the next error."""

    def __init__(self, organization: MemoryOrganization, *errors: Exception) -> None:
        super().__init__(organization, origin=CONNECTION)
        self.errors = list(errors)

    def edits(self, names: object, since: int, *, limit: int = 5000) -> Edits:
        if self.errors:
            raise self.errors.pop(0)
        return super().edits(names, since, limit=limit)  # type: ignore[arg-type]


def test_a_client_without_a_log_is_reported_once() -> None:
    world = make_two_way()
    client = Failing(world.client, Refused("Changes cannot be collected."))
    assert collect_all(world, client=client) == {}
    (problem,) = world.reporter.problems
    assert (problem.entity, problem.code) == ("", "Refused")
    assert problem.message == "Changes cannot be collected."


def test_a_client_that_does_not_let_us_in_ends_the_run() -> None:
    world = make_two_way()
    with pytest.raises(LoginFailed):
        collect_all(world, client=Failing(world.client, LoginFailed("No.")))


def test_it_waits_for_a_client_that_does_not_answer() -> None:
    world = make_two_way()
    world.client.create("account", {"name": "a"})
    client = Failing(world.client, Retryable("Busy.", after=3.0), Retryable("Busy."))
    assert collect_all(world, client=client) == {}
    assert (world.waits, len(waiting(world))) == ([3.0, 2.0], 1)


@pytest.mark.parametrize("entities", [("account", "tag"), ("account", "systemuser", "tag")])
def test_one_entity_that_fails_does_not_stop_the_others(entities: tuple[str, ...]) -> None:
    world = make_two_way(entities=entities)
    make_accounts(world, 1)
    world.sync()
    account = next(iter(world.rows("client")))
    world.client.update("account", account, {"name": "Mine"})
    tag = world.client.create("tag", {"name": "x"})
    tasks = {task.name: task for task in world.tasks()}
    narrow = replace(
        world.client.entities["account"],
        attributes=tuple(
            item for item in world.client.entities["account"].attributes if item.name != "city"
        ),
    )
    world.client.entities = {**world.client.entities, "account": narrow}
    failed = collect_tasks(world, list(tasks.values()))
    assert failed == {"account": "Entity 'account' has no attribute 'city' any more."}
    assert [item.client_id for item in waiting(world)] == [tag]
    assert [item.entity for item in world.reporter.problems] == ["account"]


def collect_tasks(world: World, tasks: list[EntityTask]) -> Mapping[str, str]:
    assert world.queue is not None
    source = Source(
        client=MemoryConnector(world.client, origin=CONNECTION),
        state=world.state,
        queue=world.queue,
        reporter=world.reporter,
        options=Options(),
    )
    return collect(source, tasks)


def test_a_log_that_does_not_reach_back_fails_until_a_full_run_accepts_it() -> None:
    world = make_two_way()
    collect_all(world)
    world.client.create("account", {"name": "Forgotten"})
    world.client.expire_checkpoints()
    failed = collect_all(world)
    assert set(failed) == set(world.entities)
    world.reporter = MemoryReporter()
    assert collect_all(world, full=True) == {}
    (problem,) = world.reporter.problems
    assert (problem.entity, problem.record, problem.code) == ("", "", "CheckpointExpired")
    assert problem.message == "Edits since version 0 are no longer known."
    later = world.client.create("account", {"name": "Later"})
    assert collect_all(world) == {}
    assert [item.client_id for item in waiting(world)] == [later]


def test_a_dry_collection_writes_nothing_and_shows_what_would_wait() -> None:
    world = make_two_way()
    edit_everything(world)
    assert world.queue is not None
    real, writes, state = world.queue, world.state.writes, world.state
    dry = DryQueue(real)
    for _ in range(2):
        with_dry = collect_dry(world, dry)
        assert len(with_dry) == 6
    assert (real.transactions, state.writes) == ([], writes)
    collect_all(world)
    assert [replace(item, id=0) for item in with_dry] == [
        replace(item, id=0) for item in waiting(world)
    ]


def collect_dry(world: World, queue: DryQueue) -> list[Transaction]:
    state = MemoryState(saved=world.state.saved)
    source = Source(
        client=MemoryConnector(world.client, origin=CONNECTION),
        state=state,
        queue=queue,
        reporter=world.reporter,
        options=Options(page_size=2),
    )
    collect(source, world.tasks())
    return list(queue.due([task.key for task in world.tasks()], datetime.now(UTC)))
