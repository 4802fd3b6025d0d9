"""Many worlds, one after another or in several processes, and what came of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from syncjobs.chaos.oracle import Violation
from syncjobs.chaos.play import Outcome, play
from syncjobs.chaos.program import STEPS, Program, make_program
from syncjobs.chaos.shrink import shrink

_CHUNK = 20
"""Worlds that one process is given at a time."""


class Broken(NamedTuple):
    """A world that violates an invariant, and the shortest program found that still does."""

    seed: int
    violation: Violation
    program: Program


@dataclass
class Tally:
    """What came of many worlds. `struck` counts faults by fault and action."""

    worlds: int = 0
    steps: list[int] = field(default_factory=list)
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: list[Outcome] = field(default_factory=list)

    @property
    def median_steps(self) -> float:
        """How many steps half of the worlds had at least."""
        return median(self.steps) if self.steps else 0

    def take(self, outcome: Outcome) -> None:
        """Count one world."""
        self.worlds += 1
        self.steps.append(outcome.steps)
        self.struck.update(outcome.struck)
        if outcome.violations:
            self.broken.append(outcome)


def play_seeds(seeds: Iterable[int], steps: int = STEPS) -> Iterator[Outcome]:
    """Play the worlds of these seeds here."""
    for seed in seeds:
        yield play(make_program(seed, steps))


def tally(
    seeds: range, steps: int = STEPS, *, processes: int = 1, until_broken: bool = False
) -> Tally:
    """Play the worlds of these seeds and count; `until_broken`: end with the first violation."""
    found = Tally()
    if processes == 1 or until_broken:
        for outcome in play_seeds(seeds, steps):
            found.take(outcome)
            if until_broken and found.broken:
                break
        return found
    chunks = [seeds[start : start + _CHUNK] for start in range(0, len(seeds), _CHUNK)]
    with ProcessPoolExecutor(processes) as pool:
        for outcomes in pool.map(_play_chunk, chunks, [steps] * len(chunks)):
            for outcome in outcomes:
                found.take(outcome)
    return found


def shortest(seed: int, steps: int = STEPS) -> Broken | None:
    """Make the program of a failing world short; None if the world does not fail."""
    program = make_program(seed, steps)
    if not play(program).violations:
        return None
    small = shrink(program, _invariant)
    return Broken(seed, play(small).violations[0], small)


def _invariant(program: Program) -> str:
    violations = play(program).violations
    return violations[0].invariant if violations else ""


def _play_chunk(seeds: range, steps: int) -> list[Outcome]:
    return list(play_seeds(seeds, steps))
