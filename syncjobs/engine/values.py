"""What the engine is told, what it remembers, and what it counts: frozen values and one counter.

The engine knows entities by the id of their `SyncedEntity` row, so that state needs no look-ups.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from organizations.query.nodes import Query
from organizations.schema import Attribute, Entity


class LinkState(IntEnum):
    """Why a client record is there; the numbers are stored."""

    CURRENT = 0
    SERVER_DELETED = 1
    LEFT_FILTER = 2


@dataclass(frozen=True, slots=True)
class LinkRow:
    """What both sides agreed on for one record (`digest` is a GUID text of 128 bits)."""

    server_id: str
    client_id: str
    server_version: int
    client_version: int
    digest: str
    state: LinkState = LinkState.CURRENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far an entity has been read: the engine's view of a Checkpoint row."""

    scope: str = ""
    token: str = ""
    resume: str = ""
    full: bool = False
    low_water: int = 0
    high_water: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityTask:
    """One entity to carry: both sides' metadata, the filter, and what to do with deletions.

    `attributes` are those both sides have, primary id first; `compared` are the names among
    them that decide "unchanged".
    """

    key: int
    server: Entity
    client: Entity
    attributes: tuple[Attribute, ...]
    query: Query | None = None
    sync_deletion: bool = False

    @property
    def name(self) -> str:
        """Logical name, the same on both sides."""
        return self.server.name


class Kind(StrEnum):
    """What is decided for one record of a page."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    KEPT = "kept"
    REJECTED = "rejected"


@dataclass(slots=True)
class Counts:
    """Counts of one entity in one run, in records."""

    read: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    rejected: int = 0
    conflicts: int = 0
    kept: int = 0
    pushed: int = 0

    def add(self, other: Counts) -> None:
        """Add another's counts to these."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One record or entity that could not be carried, for the run's history."""

    entity: str
    record: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How carrying one entity ended."""

    entity: str
    counts: Counts
    failed: str = ""
    samples: tuple[tuple[Kind, str], ...] = field(default=())
