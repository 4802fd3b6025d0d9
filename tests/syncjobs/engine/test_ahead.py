"""Entities are begun before their turn, and nothing of that is left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from connections.connectors.base import ReadRequest
from connections.connectors.memory import MemoryConnector
from connections.errors import MetadataChanged, Refused
from organizations.records import Page
from organizations.schema import Entity
from syncjobs.engine.sync import sync
from syncjobs.engine.values import Options, Report
from syncjobs.errors import Cancelled
from tests.syncjobs.engine.memory_state import MemoryReporter
from tests.syncjobs.engine.test_apart import wait_until
from tests.syncjobs.engine.world import CONNECTION, World, make_accounts, make_world

OPTIONS = Options(page_size=2)


@dataclass
class Watched:
    """What a server was asked, by whichever thread; a full reading happens in another process."""

    changes: list[str] = field(default_factory=list)
    highest: list[str] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)


class FarConnector(MemoryConnector):
    """Reads as one does that is far away."""

    reads_apart = True
    watched: Watched

    def read(self, request: ReadRequest) -> Iterator[Page]:
        if request.since:
            self.watched.changes.append(request.entity.name)
        if request.entity.name in self.watched.fails:
            raise self.watched.fails[request.entity.name]
        yield from super().read(request)

    def highest_version(self, entity: Entity) -> int:
        self.watched.highest.append(entity.name)
        return super().highest_version(entity)


class WaitingReporter(MemoryReporter):
    """Lets an entity begin only when what it waits for has happened."""

    watched: Watched

    def entity_started(self, entity: str, *, full: bool, expected: int | None) -> None:
        super().entity_started(entity, full=full, expected=expected)
        if not full and entity == self.order[1]:
            wait_until(lambda: set(self.order) <= set(self.watched.changes))


def run(
    world: World,
    *,
    reporter: MemoryReporter | None = None,
    watched: Watched | None = None,
    options: Options = OPTIONS,
) -> dict[str, Report]:
    server = FarConnector(world.server)
    server.watched = watched or Watched()
    world.reporter = reporter or MemoryReporter()
    tasks = world.tasks()
    world.state.keys = {task.name: task.key for task in tasks}
    client = MemoryConnector(world.client, origin=CONNECTION)
    reports = sync(server, client, tasks, world.state, world.reporter, options=options)
    return {report.entity: report for report in reports}


def children() -> set[str]:
    path = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    return set(path.read_text().split())


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No test may leave a process or a thread."""
    processes, before = children(), set(threading.enumerate())
    yield
    assert children() <= processes
    assert set(threading.enumerate()) <= before


def make_loaded_world() -> World:
    world = make_world()
    make_accounts(world, 7)
    world.server.create("tag", {"name": "red"})
    run(world)
    return world


def test_it_carries_the_same_in_the_same_order() -> None:
    far, near = make_world(), make_world()
    make_accounts(far, 7)
    far.server.create("tag", {"name": "red"})
    assert run(far)["account"].counts.created == 7
    near.sync()
    assert list(far.reporter.finished) == list(near.reporter.finished) == far.reporter.order
    assert far.rows("client") == far.rows("server")
    assert run(far)["account"].counts.created == 0


def test_it_reads_the_next_entities_while_one_is_written() -> None:
    world, watched = make_loaded_world(), Watched()
    reporter = WaitingReporter()
    reporter.watched = watched
    run(world, reporter=reporter, watched=watched)
    assert set(watched.changes) == set(reporter.order)
    # Once for each entity, and once more for the one whose users are matched beforehand.
    assert sorted(watched.highest) == sorted([*reporter.order, "systemuser"])


def test_it_begins_with_none_before_its_turn_if_told_so() -> None:
    world, watched = make_loaded_world(), Watched()
    options = replace(OPTIONS, entities_ahead=0)
    run(world, watched=watched, options=options)
    assert watched.changes == world.reporter.order


def test_an_error_comes_when_the_turn_of_its_entity_has_come() -> None:
    world = make_loaded_world()
    last = world.reporter.order[-1]
    reports = run(world, watched=Watched(fails={last: MetadataChanged("It is gone.")}))
    assert [name for name, report in reports.items() if report.failed] == [last]
    assert list(world.reporter.finished) == world.reporter.order


@pytest.mark.parametrize("loaded", [True, False], ids=["changes", "everything"])
def test_a_cancelled_run_leaves_nothing_running(loaded: bool) -> None:
    world = make_loaded_world() if loaded else make_world()
    make_accounts(world, 3)
    with pytest.raises(Cancelled):
        run(world, reporter=MemoryReporter(cancel_at=3))


def test_a_refused_run_leaves_nothing_running() -> None:
    world = make_loaded_world()
    first = world.reporter.order[0]
    with pytest.raises(Refused, match="no longer"):
        run(world, watched=Watched(fails={first: Refused("You may no longer.")}))
