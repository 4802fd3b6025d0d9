"""A program: settings and steps, made from a seed without looking at any world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import NamedTuple

from syncjobs.engine.values import ConflictRule, Leaving

STEPS = 70
"""Steps of a world unless it is told otherwise; the rest that ends it comes on top."""

EDITS = {
    "create": 10,
    "update": 18,
    "touch": 2,
    "delete": 6,
    "restore": 4,
    "associate": 6,
    "disassociate": 4,
    "owner": 4,
    "parent": 5,
    "cycle": 3,
}
"""What users do on either side, and how often."""

SETTINGS = {
    "filter": 3,
    "sync deletion": 3,
    "leaving": 2,
    "conflict rule": 3,
    "write mode": 2,
    "hide attribute": 1,
    "shorten attribute": 1,
    "add attribute": 1,
    "update server": 2,
    "poison": 2,
    "illegible": 1,
    "heal": 1,
}
"""What administrators do, and what becomes of records."""

PERSONS = {"set to pending": 2, "archive": 1, "choose": 3, "decide held": 2}
"""What persons do with transactions and held deletions."""

TROUBLES = {
    "retry": 3,
    "refused": 2,
    "truncated page": 2,
    "duplicated page": 2,
    "empty answer": 2,
    "lost response": 4,
    "conflict": 2,
    "kill": 6,
    "second worker": 4,
    "edit meanwhile": 8,
    "expire": 1,
    "backup": 1,
    "restore backup": 1,
}
"""What goes wrong, and when."""

RUNS = {"sync": 20, "full": 2, "dry": 3, "deliver": 6, "rest": 1, "later": 2}
"""What moves records."""

KINDS = {**EDITS, **SETTINGS, **PERSONS, **TROUBLES, **RUNS}
_NAMES, _WEIGHTS = list(KINDS), list(KINDS.values())
_EDIT_NAMES, _EDIT_WEIGHTS = list(EDITS), list(EDITS.values())


class Step(NamedTuple):
    """One step. The numbers choose, by their rest, among what the world has then."""

    kind: str
    which: int = 0
    what: int = 0
    how: int = 0
    inner: str = ""

    def __str__(self) -> str:
        """Return the step as it is printed and read again."""
        inner = f" [{self.inner}]" if self.inner else ""
        return f"{self.kind}{inner} {self.which} {self.what} {self.how}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a world begins with."""

    page_size: int = 2
    is_hosted: bool = True
    is_strict: bool = False
    is_instant: bool = False
    is_deleting: bool = False
    leaving: Leaving = Leaving.DELETE
    rule: ConflictRule = ConflictRule.SERVER
    records: int = 4

    def __str__(self) -> str:
        """Return the settings as words."""
        return " ".join(f"{name}={value}" for name, value in asdict(self).items())


class Program(NamedTuple):
    """Everything a world needs to be the same again."""

    seed: int
    setting: Setting
    steps: Sequence[Step]


def make_program(seed: int, steps: int = STEPS) -> Program:
    """Make the program of a seed."""
    random = Random(seed)  # noqa: S311 - worlds must repeat
    count = random.randint(steps * 9 // 10, steps * 11 // 10)
    setting = Setting(
        page_size=random.choice((1, 2, 3, 50)),
        is_strict=random.random() < 0.5,
        is_instant=random.random() < 0.3,
        is_deleting=random.random() < 0.6,
        leaving=random.choice(list(Leaving)),
        rule=random.choice(list(ConflictRule)),
        records=random.randint(0, 8),
    )
    return Program(seed, setting, [_step(random) for _ in range(count)])


def _step(random: Random) -> Step:
    kind = random.choices(_NAMES, _WEIGHTS)[0]
    inner = random.choices(_EDIT_NAMES, _EDIT_WEIGHTS)[0] if kind == "edit meanwhile" else ""
    which, what, how = (random.randrange(1000) for _ in range(3))
    return Step(kind, which, what, how, inner)
