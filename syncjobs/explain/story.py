"""What is told of a record, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from organizations.query.explaining import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column on both sides as text, in the client's terms; `is_equal` counts if compared."""

    name: str
    server: str | None
    client: str | None
    is_compared: bool = True

    @property
    def is_equal(self) -> bool:
        """Whether both sides hold the same."""
        return self.server == self.client


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One column before and after a write, as text; None is empty."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to the record: when, what in words, in which run, by whom."""

    at: datetime
    kind: str
    what: str
    run: str = ""
    actor: str = ""
    changes: tuple[Changed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What both sides agreed on last."""

    server_version: int
    client_version: int
    state: str
    taken_back: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideNow:
    """The record on one side now; `problem` says why that could not be asked."""

    version: int = 0
    is_there: bool = False
    problem: str = ""


@dataclass(slots=True, kw_only=True)
class Story:
    """All that is known of one record of a connection.

    `waits` are sentences about what waits for the record. `verdict` is that of the sync filter,
    `finding` its conditions; the server has the last word (`server_says`: None if not asked).
    """

    entity: str
    server_id: str
    client_id: str
    summary: str = ""
    link: Linked | None = None
    server: SideNow = field(default_factory=SideNow)
    client: SideNow = field(default_factory=SideNow)
    fields: list[Field] = field(default_factory=list)
    verdict: str = ""
    finding: Finding | None = None
    server_says: bool | None = None
    waits: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
