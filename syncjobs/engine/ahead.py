"""Beginning with the next entities while one is written, so that nobody waits for the network.

1. a thread asks the server what it must be asked before an entity can begin;
2. between two entities, the positions of the next ones are found, which needs the state, and
   their readings begin, each in a thread or process of its own;
3. when the turn of an entity comes, its reading is taken.

What goes wrong ahead of time counts for nothing: the entity begins anew when its turn comes, and
an error that stays is raised then.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from connections.errors import ConnectorError
from organizations.errors import OrganizationError
from syncjobs.engine.pull import Context, Pull
from syncjobs.engine.values import EntityTask, Position
from syncjobs.errors import ServerChanged

_PASSING_ON = (ConnectorError, OrganizationError, ServerChanged)


@dataclass(slots=True)
class Begun:
    """An entity that is being read: where from, how many records (if that is known), its pull."""

    position: Position
    expected: Future[int | None] | None
    pull: Pull


class Ahead:
    """Begins to read entities before their turn. Close it at the end of the run."""

    def __init__(self, context: Context, tasks: Sequence[EntityTask]) -> None:
        """`tasks` in the order in which they will be taken."""
        self._context, self._tasks = context, tasks
        options = context.options
        can = context.server.reads_apart and options.read_ahead
        self._depth = options.entities_ahead if can else 0
        self._threads = ThreadPoolExecutor(max(1, self._depth), "entities-ahead")
        self._highest: dict[int, Future[int]] = {}
        self._begun: dict[int, Begun] = {}

    def take(self, task: EntityTask) -> Begun | None:
        """Return the reading of an entity whose turn has come, if it was begun, and begin others.

        Call it for every task, in order.
        """
        if not self._depth:
            return None
        place = self._tasks.index(task)
        for later in self._tasks[place : place + 1 + 2 * self._depth]:
            if later.key not in self._highest:
                ask = self._context.server.highest_version
                self._highest[later.key] = self._threads.submit(ask, later.server)
        for later in self._tasks[place : place + 1 + self._depth]:
            if later.key not in self._begun and self._is_known(later):
                self._begin(later)
        return self._begun.pop(task.key, None)

    def close(self) -> None:
        """End the readings that were not taken."""
        for begun in self._begun.values():
            begun.pull.close()
        self._begun.clear()
        self._threads.shutdown(cancel_futures=True)

    def _is_known(self, task: EntityTask) -> bool:
        future = self._highest[task.key]
        return future.done() and future.exception() is None

    def _begin(self, task: EntityTask) -> None:
        context = self._context
        highest = self._highest[task.key].result()
        try:
            position = context.start.position(task, full=context.full, highest=highest)
            pull = Pull(context, task, position)
        except _PASSING_ON:
            return
        if context.full and position.resume:
            return  # whether an interrupted reading goes on is found out when its turn comes
        pull.begin()
        self._begun[task.key] = Begun(position, self._expected(task, position), pull)

    def _expected(self, task: EntityTask, position: Position) -> Future[int | None] | None:
        if not position.full or position.resume:
            return None
        return self._threads.submit(self._context.server.estimate, task.server, task.query)
