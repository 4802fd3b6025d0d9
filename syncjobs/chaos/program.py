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
    "touch": 3,
    "delete": 7,
    "purge": 8,
    "clash": 7,
    "restore": 9,
    "associate": 7,
    "disassociate": 6,
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
    "hide attribute": 2,
    "shorten attribute": 2,
    "add attribute": 2,
    "update server": 3,
    "poison": 2,
    "illegible": 1,
    "heal": 2,
}
"""What administrators do, and what becomes of records."""

PERSONS = {"set to pending": 4, "archive": 4, "choose": 11, "decide held": 17}
"""What persons do with transactions and held deletions."""

TROUBLES = {
    "retry": 3,
    "refused": 3,
    "truncated page": 3,
    "duplicated page": 4,
    "empty answer": 4,
    "lost response": 4,
    "conflict": 3,
    "kill": 6,
    "second worker": 4,
    "edit meanwhile": 8,
    "expire": 3,
    "backup": 5,
    "restore backup": 8,
}
"""What goes wrong, and when."""

RUNS = {"sync": 20, "full": 4, "dry": 3, "deliver": 6, "rest": 1, "later": 2}
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
