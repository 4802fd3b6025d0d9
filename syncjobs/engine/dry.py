"""A dry run: the same engine over two sides and a memory that only pretend to write."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet

from syncjobs.engine.airbag import Guard, Holding, Limits
from syncjobs.engine.dry_client import DryClient, Left
from syncjobs.engine.dry_queue import DryQueue, Note
from syncjobs.engine.dry_server import DryServer
from syncjobs.engine.dry_state import DryState
from syncjobs.engine.planned import Book, Parties, PlannedChange, PlannedPage
from syncjobs.engine.planning import CONFLICT, Planning
from syncjobs.engine.protocols import Reporter
from syncjobs.engine.transactions import Status, Transaction
from syncjobs.engine.values import Counts, EntityTask, LinkState, Problem

_DECIDED = frozenset({Status.ERROR, Status.ARCHIVED})
"""What becomes of a change that meets another on the server, unless it wins."""


def rehearsed(parties: Parties, tasks: Sequence[EntityTask], book: Book | None) -> Parties:
    """Return the parties of a dry run: nothing is written but the plan, to `book`."""
    planning = Planning(book or Unread(), has_echoes=parties.server.stamps)
    for task in tasks:
        planning.know(task.server)
    queue = None
    if parties.queue is not None:
        queue = DryQueue(parties.queue, _conflicts_of(planning, tasks))
    state = DryState(parties.state, planning, queue)
    return Parties(
        server=DryServer(parties.server, planning),
        client=DryClient(parties.client, planning, _left_of(state, tasks)),
        state=state,
        reporter=DryReporter(parties, planning),
        guard=DryGuard(parties.guard),
        queue=queue,
    )


def _conflicts_of(planning: Planning, tasks: Sequence[EntityTask]) -> Note:
    """Return what shows a change that lost to the server's, or waits for a person."""
    names = {task.key: task.name for task in tasks}

    def note(item: Transaction, why: str) -> None:
        if item.conflict is not None and item.status in _DECIDED:
            entity, message = names[item.entity], item.message or why
            planning.problem(
                Problem(entity=entity, record=item.client_id, code=CONFLICT, message=message)
            )

    return note


def _left_of(state: DryState, tasks: Sequence[EntityTask]) -> Left:
    """Return what tells which records left the filter."""
    keys = {task.name: task.key for task in tasks}

    def left(entity: str, client_ids: Sequence[str]) -> AbstractSet[str]:
        links = state.links_by_client(keys[entity], client_ids).values()
        return {link.client_id for link in links if link.state == LinkState.LEFT_FILTER}

    return left


class Unread(Book):
    """A plan that nobody wants to see."""

    def page(self, page: PlannedPage) -> None:
        """Forget it."""

    def change(self, change: PlannedChange) -> None:
        """Forget it."""


class DryReporter(Reporter):
    """Hands everything on, and shows conflicts and rejections in the plan."""

    def __init__(self, parties: Parties, planning: Planning) -> None:
        """`parties` are the real ones; their sides are asked for names."""
        self._inner, self._planning = parties.reporter, planning
        self._sides = (parties.server, parties.client)

    def run_started(self, entities: Sequence[str]) -> None:
        """Hand it on."""
        self._inner.run_started(entities)

    def entity_started(self, entity: str, *, full: bool, expected: int | None) -> None:
        """Hand it on."""
        self._inner.entity_started(entity, full=full, expected=expected)

    def progress(self, entity: str, counts: Counts) -> None:
        """Hand it on."""
        self._inner.progress(entity, counts)

    def problem(self, problem: Problem) -> None:
        """Hand it on, and keep it for the plan."""
        self._planning.problem(problem)
        self._inner.problem(problem)

    def entity_finished(self, entity: str, failed: str = "") -> None:
        """Hand it on, and show its problems."""
        if not failed:
            self._planning.show_problems(entity, self._sides)
        self._inner.entity_finished(entity, failed)

    def checkpoint(self) -> None:
        """Hand it on."""
        self._inner.checkpoint()


class DryGuard(Guard):
    """Knows what the real guard knows, and lets nothing wait."""

    def __init__(self, guard: Guard) -> None:
        """`guard` is only asked."""
        self._guard = guard

    def limits(self) -> Limits:
        """Ask the real guard."""
        return self._guard.limits()

    def recent(self, entity: int) -> int:
        """Ask the real guard."""
        return self._guard.recent(entity)

    def approved(self, entity: int) -> Collection[str]:
        """Ask the real guard."""
        return self._guard.approved(entity)

    def declined(self, entity: int) -> Collection[str]:
        """Ask the real guard."""
        return self._guard.declined(entity)

    def hold(self, entity: int, holding: Holding | None) -> None:
        """Remember nothing."""

    def carried_out(self, entity: int) -> None:
        """Remember nothing."""
