"""The cells of the matrix, by the authors' names, and the names of the tests that prove them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

GROUPS = {
    "standard": ("account", "lead", "competitor"),
    "n2n": ("leadcompetitors",),
    "activities": ("appointment",),
    "special": ("systemuser", "roleprivileges", "systemuserroles", "role"),
    "custom": ("new_equipment",),
}
ENTITIES = tuple(name for names in GROUPS.values() for name in names)
FILTERS = ("unfiltered", "filtered")
MODES = ("instant", "offline")
NOT_DELETED = frozenset({"roleprivileges"})
"""The authors test deletions of the special entities without it."""
METADATA = {
    1: "a new custom entity",
    2: "a new attribute on an existing entity",
    3: "something changed in an existing attribute",
    4: "an existing attribute removed",
    5: "an entity removed",
    6: "localizations changed",
}
CONNECTING = ("1a", "1c")


@dataclass(frozen=True)
class Origin:
    """How a client behind Dynamics came to be: as Sales or by connecting; connected before."""

    as_sales: bool
    had_another: bool


BEHIND_DYNAMICS = {
    "1a": Origin(as_sales=False, had_another=False),
    "1b": Origin(as_sales=True, had_another=False),
    "1c": Origin(as_sales=False, had_another=True),
    "1d": Origin(as_sales=True, had_another=True),
}
BEHIND_RC1 = {
    f"2{letter}": (rc1, kind)
    for letter, (kind, rc1) in zip(
        "abcdefghijkl",
        product(("new", "as Sales", "like RC1"), BEHIND_DYNAMICS),
        strict=True,
    )
}
"""Case → the case of RC1, and what RC2 is before it is connected."""
TOPOLOGY = {
    "created": "test_what_is_created_reaches_the_others_once",
    "changed": "test_what_is_changed_reaches_the_others_once",
    "deleted": "test_what_is_deleted_is_deleted_on_the_others_once",
    "linked and parted": "test_pairs_are_made_and_parted_on_the_others",
}
SIDES = ("dynamics", "rc1", "rc2")


@dataclass(frozen=True)
class Circumstances:
    """With or without sync filters, and how client changes travel."""

    filters: str
    mode: str

    @property
    def is_filtered(self) -> bool:
        return self.filters == "filtered"

    @property
    def tag(self) -> str:
        return f"{self.filters} {self.mode}"


@dataclass(frozen=True)
class Cell:
    """One entity under some circumstances."""

    group: str
    entity: str
    circumstances: Circumstances

    @property
    def id(self) -> str:
        where = self.circumstances
        return f"{self.group}-{self.entity}-{where.filters}-{where.mode}"


ALL_CIRCUMSTANCES = [Circumstances(*pair) for pair in product(FILTERS, MODES)]
DATA = [
    Cell(group, entity, circumstances)
    for circumstances in ALL_CIRCUMSTANCES
    for group, entities in GROUPS.items()
    for entity in entities
]
DELETIONS = [cell for cell in DATA if cell.entity not in NOT_DELETED]


def table() -> str:
    """Return the matrix in Markdown, with the test of each cell."""
    lines = [
        "# The authors' acceptance tests and ours",
        "",
        "Cells of mission.md A4 and the tests that prove them, all in `tests/acceptance/`,",
        "against a Dynamics twin over real HTTP with a client hosted here. Written by",
        "`python -m tests.acceptance`. The authors too leave out deletions of roleprivileges.",
        "",
        "| Group | Entity | Filter | Mode | Data | Deletions |",
        "|---|---|---|---|---|---|",
    ]
    for cell in DATA:
        where = cell.circumstances
        data = f"`test_data.py::test_data[{cell.id}]`"
        gone = f"`test_deletions.py::test_deletions[{cell.id}]`" if cell in DELETIONS else "–"
        line = (cell.group, cell.entity, where.filters, where.mode, data, gone)
        lines.append(f"| {' | '.join(line)} |")
    lines += ["", "| Case | Test |", "|---|---|"]
    lines += [f"| {what} | `{test}` |" for what, test in _cases()]
    return "\n".join(lines) + "\n"


def _cases() -> Iterator[tuple[str, str]]:
    for number, text in METADATA.items():
        yield f"metadata {number}: {text}", f"test_metadata.py::test_metadata[{number}]"
    for case in CONNECTING:
        yield f"connecting {case}", f"test_connecting.py::test_connecting[{case}]"
    yield from _connecting()
    yield from _topology()
    for name in ("deletion", "n2n-removal", "owner-change"):
        yield f"advanced deletions: {name}", f"test_tracked.py::test_advanced_deletions[{name}]"


def _connecting() -> Iterator[tuple[str, str]]:
    for case, origin in BEHIND_DYNAMICS.items():
        text = "as Sales" if origin.as_sales else "made by connecting"
        text += ", connected to another Dynamics before" if origin.had_another else ""
        yield f"behind Dynamics {case}: {text}", f"test_cases.py::test_connecting[{case}]"
    for case, (rc1, kind) in BEHIND_RC1.items():
        text = f"RC1 as {rc1}, RC2 {kind}"
        yield f"behind RC1 {case}: {text}", f"test_cases.py::test_connecting[{case}]"


def _topology() -> Iterator[tuple[str, str]]:
    for what, test in TOPOLOGY.items():
        for side in SIDES:
            yield f"Dynamics, RC1, RC2: {what} on {side}", f"test_topologies.py::{test}[{side}]"
    quiet = "Dynamics, RC1, RC2: a further run carries nothing"
    yield quiet, "test_topologies.py::test_nothing_echoes"
