"""What can go wrong, and when: faults that strike at the n-th place where they can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from connections.errors import Refused, Retryable
from syncjobs.chaos.memory_state import Crash


class Fault(StrEnum):
    """What goes wrong; EDIT is no fault, but a user who works while a run is under way.

    CALL is a call to a worker that comes then, because it was late, or sent twice: on the database
    only, since nobody calls workers in memory.
    """

    RETRY = "retry"
    REFUSED = "refused"
    TRUNCATED = "truncated page"
    DUPLICATED = "duplicated page"
    EMPTY = "empty answer"
    LOST = "lost response"
    CONFLICT = "conflict"
    KILL = "kill"
    TAKEOVER = "second worker"
    EDIT = "edit meanwhile"
    CALL = "task meanwhile"


class Place(StrEnum):
    """Where something can go wrong; those of the state are boundaries of its transactions."""

    WHOLE = "full reading"
    PAGE = "read"
    IDS = "ids"
    ASK = "ask"
    EDITS = "edits"
    WRITE = "write"
    WRITTEN = "written"
    STATE = "state"


_ASKED = frozenset({Place.PAGE, Place.IDS, Place.ASK, Place.EDITS, Place.WRITE})
STRIKES: dict[Fault, frozenset[Place]] = {
    Fault.RETRY: _ASKED,
    Fault.REFUSED: _ASKED,
    Fault.TRUNCATED: frozenset({Place.PAGE}),
    Fault.DUPLICATED: frozenset({Place.PAGE}),
    Fault.EMPTY: frozenset({Place.IDS, Place.WHOLE}),
    Fault.LOST: frozenset({Place.WRITTEN}),
    Fault.CONFLICT: frozenset({Place.WRITE}),
    Fault.KILL: frozenset(Place),
    Fault.TAKEOVER: frozenset(Place),
    Fault.EDIT: frozenset(Place),
    Fault.CALL: frozenset(Place),
}
"""The places where each fault can strike."""


@dataclass
class Planned:
    """One fault to come at the `count`-th place from now on where it can strike."""

    fault: Fault
    count: int
    act: Callable[[], None] | None = None


@dataclass
class Weather:
    """Faults to come, and how often each struck while which action was waiting to be carried.

    `is_inside` tells whether the page of a transaction is open, `is_lane_taken` whether somebody
    delivers: nobody else can come in then. `was_read` tells whether any record of an entity is
    carried.
    `pending` are the actions that were done since the last run that ended well.
    """

    planned: list[Planned] = field(default_factory=list)
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    pending: set[str] = field(default_factory=set)
    is_inside: Callable[[], bool] = lambda: False
    is_lane_taken: Callable[[], bool] = lambda: False
    was_read: Callable[[str], bool] = lambda entity: False
    _is_busy: bool = False

    @property
    def is_busy(self) -> bool:
        """Whether somebody else acts at this moment, to whom nothing happens."""
        return self._is_busy

    def plan(self, fault: Fault, count: int, act: Callable[[], None] | None = None) -> None:
        """Let a fault strike; `act` is what another worker or a user does."""
        self.planned.append(Planned(fault, count, act))

    def calm(self) -> None:
        """Let nothing more go wrong."""
        self.planned.clear()

    def come(self, place: Place, name: str = "") -> Fault | None:
        """Come to a place: raise what breaks it, or return what it has to do itself."""
        if self._is_busy:
            return None
        for planned in list(self.planned):
            if place in STRIKES[planned.fault] and self._can(planned.fault, name):
                planned.count -= 1
                if planned.count <= 0:
                    self.planned.remove(planned)
                    return self._strike(planned, name or place)
        return None

    def boundary(self, name: str) -> None:
        """Come to a boundary of the state's transactions."""
        self.come(Place.STATE, name)

    def _can(self, fault: Fault, name: str) -> bool:
        if fault is Fault.EMPTY:
            return name == "server"
        # Another worker, or a user, would wait for the end of the transaction, and a worker
        # also for the end of a delivery.
        if fault is Fault.TAKEOVER and self.is_lane_taken():
            return False
        return fault not in (Fault.TAKEOVER, Fault.EDIT, Fault.CALL) or not self.is_inside()

    def _strike(self, planned: Planned, name: str) -> Fault | None:
        fault = planned.fault
        self._count(f"kill at {name}" if fault is Fault.KILL else fault)
        if fault is Fault.KILL:
            raise Crash(name)
        if fault is Fault.RETRY:
            raise Retryable("Too many requests.", code="429")
        if fault is Fault.REFUSED:
            raise Refused("The user may not do this.", code="403")
        if fault is Fault.LOST:
            raise Retryable("The connection was lost after the request.")
        if planned.act is not None:
            self._let(planned.act)
            return None
        return fault

    def _let(self, act: Callable[[], None]) -> None:
        self._is_busy = True
        try:
            act()
        finally:
            self._is_busy = False

    def _count(self, fault: str) -> None:
        self.struck.update((fault, action) for action in self.pending)

    def count(self, fault: str) -> None:
        """Count something that went wrong elsewhere."""
        self._count(fault)


def total(tables: Iterable[Counter[tuple[str, str]]]) -> Counter[tuple[str, str]]:
    """Add several tables of faults and actions."""
    result: Counter[tuple[str, str]] = Counter()
    for table in tables:
        result.update(table)
    return result
