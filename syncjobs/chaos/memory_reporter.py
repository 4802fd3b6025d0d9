"""A reporter that keeps what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from syncjobs.engine.protocols import Reporter
from syncjobs.engine.values import Counts, Problem
from syncjobs.errors import Cancelled


@dataclass
class MemoryReporter(Reporter):
    """Keeps what it is told. `cancel_at`: how many calls of `checkpoint` until Cancelled."""

    order: list[str] = field(default_factory=list)
    full: dict[str, bool] = field(default_factory=dict)
    expected: dict[str, int | None] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    finished: dict[str, str] = field(default_factory=dict)
    cancel_at: int = 0
    checkpoints: int = 0

    def run_started(self, entities: Sequence[str]) -> None:
        """Keep the order."""
        self.order = list(entities)

    def entity_started(self, entity: str, *, full: bool, expected: int | None) -> None:
        """Keep how the entity is read."""
        self.full[entity], self.expected[entity] = full, expected
        self.counts.setdefault(entity, Counts())

    def progress(self, entity: str, counts: Counts) -> None:
        """Add the counts."""
        self.counts.setdefault(entity, Counts()).add(counts)

    def problem(self, problem: Problem) -> None:
        """Keep the problem."""
        self.problems.append(problem)

    def entity_finished(self, entity: str, failed: str = "") -> None:
        """Keep how it ended."""
        self.finished[entity] = failed

    def checkpoint(self) -> None:
        """Count the calls; raise Cancelled when it is time."""
        self.checkpoints += 1
        if self.checkpoints == self.cancel_at:
            raise Cancelled("Somebody asked the run to stop.")
