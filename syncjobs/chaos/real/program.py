"""Programs of real worlds: those of memory, and between their steps what an installation adds."""

from __future__ import annotations

from random import Random

from syncjobs.chaos import program
from syncjobs.chaos.program import Program, Step

TASKS = {
    "start": 5,
    "task": 9,
    "task meanwhile": 6,
    "tick": 2,
    "cancel": 3,
    "kill worker": 5,
    "lose database": 4,
}
"""Runs that are started as by a button, the calls to workers, and what becomes of workers."""

DECISIONS = {"recycle": 4, "choose restored": 3, "apply plan": 3}
"""What persons do that memory does not know."""

OWN = {**TASKS, **DECISIONS}
SHARE = 0.3
"""Of all steps so many are of our own kinds."""

_NAMES, _WEIGHTS = list(OWN), list(OWN.values())


def make_program(seed: int, steps: int) -> Program:
    """Make the program of a seed."""
    random = Random(f"real {seed}")  # noqa: S311 - worlds must repeat
    given = program.make_program(seed, max(1, round(steps * (1 - SHARE))))
    found = list(given.steps)
    for _ in range(round(len(found) * SHARE / (1 - SHARE))):
        found.insert(random.randint(0, len(found)), _step(random))
    return given._replace(steps=found)


def _step(random: Random) -> Step:
    which, what, how = (random.randrange(1000) for _ in range(3))
    return Step(random.choices(_NAMES, _WEIGHTS)[0], which, what, how)
