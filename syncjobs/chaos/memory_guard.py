"""Held deletions in memory, with limits that a small world reaches."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from organizations.records import Action
from syncjobs.chaos.memory_state import MemoryState
from syncjobs.engine.airbag import Guard, Holding, Limits
from syncjobs.engine.values import Side

LIMITS = Limits(most=4, floor=1, percent=20)
_DAY = timedelta(hours=24)


@dataclass
class Kept:
    """What survives a crash, by entity. `ever` are all server ids that were ever approved."""

    waiting: dict[int, Holding] = field(default_factory=dict)
    approved: dict[int, set[str]] = field(default_factory=dict)
    declined: dict[int, set[str]] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)

    def keep(self) -> Callable[[], None]:
        """Return what puts everything back as it is now."""
        waiting, ever = dict(self.waiting), set(self.ever)
        approved = {key: set(ids) for key, ids in self.approved.items()}
        declined = {key: set(ids) for key, ids in self.declined.items()}

        def restore() -> None:
            self.waiting, self.approved = waiting, approved
            self.declined, self.ever = declined, ever

        return restore


class MemoryGuard(Guard):
    """Remembers what waits for a person, and what was decided."""

    def __init__(self, state: MemoryState, clock: Callable[[], datetime]) -> None:
        """`state` opens the pages in which it writes, and knows what was deleted."""
        self.kept = Kept()
        self._state, self._clock = state, clock
        self._deleted: list[tuple[datetime, int, str]] = []
        self._counted = 0
        state.parts.append(self.kept)

    def limits(self) -> Limits:
        """Return limits for a world of a dozen records."""
        return LIMITS

    def recent(self, entity: int) -> int:
        """Return how many were deleted in the last 24 hours that nobody approved."""
        self._count()
        since = self._clock() - _DAY
        return sum(
            1
            for moment, key, record_id in self._deleted
            if key == entity and moment > since and record_id not in self.kept.ever
        )

    def approved(self, entity: int) -> Collection[str]:
        """Return what was approved and not carried out."""
        return set(self.kept.approved.get(entity, ()))

    def declined(self, entity: int) -> Collection[str]:
        """Return what is kept because a person decided so."""
        return set(self.kept.declined.get(entity, ()))

    def hold(self, entity: int, holding: Holding | None) -> None:
        """Let these wait, instead of what waited before."""
        if self.kept.waiting.get(entity) == holding:
            return
        with self._state.page():
            self._state.hold()
            self._state.write("held")
            if holding is None:
                self.kept.waiting.pop(entity, None)
            else:
                self.kept.waiting[entity] = holding

    def carried_out(self, entity: int) -> None:
        """What was approved is done."""
        if self.kept.approved.get(entity):
            with self._state.page():
                self._state.hold()
                self._state.write("carried out")
                del self.kept.approved[entity]

    def decide(self, entity: int, *, approve: bool) -> bool:
        """Approve or decline what waits; return whether anything did."""
        holding = self.kept.waiting.pop(entity, None)
        if holding is None:
            return False
        chosen = self.kept.approved if approve else self.kept.declined
        chosen.setdefault(entity, set()).update(holding.server_ids)
        if approve:
            self.kept.ever.update(holding.server_ids)
        return True

    def _count(self) -> None:
        # Images have no time: those that are new were made since the last look, by this run.
        images = self._state.images
        for entity, made in images[self._counted :]:
            if made.side is Side.CLIENT and made.action is Action.DELETE:
                self._deleted += [(self._clock(), entity, item) for item in made.ids]
        self._counted = len(images)
