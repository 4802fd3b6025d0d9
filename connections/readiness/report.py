"""A readiness report as a value: findings about the server and about each entity.

Pure: no database, no network. A finding has a colour, says what was seen, and, unless it is
green, what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Colour(StrEnum):
    """How grave a finding is: red stops a run or an entity, amber costs something."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


_GRAVITY = list(Colour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `fix` is what to do, '' where nothing need be done."""

    colour: Colour
    about: str
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityReport:
    """One entity: what it needs, and what was found. `count` is about how many records it has."""

    name: str
    label: str = ""
    readable: bool = False
    tracks_changes: bool = False
    count: int | None = None
    required: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    many_to_many: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def colour(self) -> Colour:
        """Return the gravest colour found."""
        return worst(item.colour for item in self.findings)

    @property
    def fix(self) -> str:
        """Return what to do first, '' if nothing."""
        found = (item.fix for item in self.findings if item.colour is self.colour)
        return next(filter(None, found), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found of the server as a whole, and of each entity."""

    server: tuple[Finding, ...]
    entities: tuple[EntityReport, ...] = ()

    @property
    def colour(self) -> Colour:
        """Return the gravest colour found."""
        return worst(
            [*(item.colour for item in self.server), *(item.colour for item in self.entities)]
        )

    @property
    def summary(self) -> str:
        """Return one sentence with the counts of entities by colour."""
        found = [item.colour for item in self.entities]
        counted = ", ".join(f"{found.count(colour):,} {colour}" for colour in reversed(_GRAVITY))
        return f"Readiness: {self.colour}. Entities: {counted}."


def worst(colours: Iterable[Colour]) -> Colour:
    """Return the gravest of these colours; green if there is none."""
    return max(colours, key=_GRAVITY.index, default=Colour.GREEN)


def to_json(report: Report) -> Mapping[str, Any]:
    """Return the report as JSON: what is saved, shown by the API and by the command."""
    return {
        "colour": report.colour,
        "summary": report.summary,
        "server": [asdict(item) for item in report.server],
        "entities": [
            asdict(item) | {"colour": item.colour, "fix": item.fix} for item in report.entities
        ],
    }
