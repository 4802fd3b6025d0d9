"""What the engine is told, what it remembers, and what it counts: frozen values and one counter.

The engine knows entities by the id of their `SyncedEntity` row, so that state needs no look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from time import sleep
from typing import NamedTuple

from organizations.query.analysis import is_volatile
from organizations.query.nodes import Query
from organizations.records import Action, Row
from organizations.schema import Attribute, Entity


class LinkState(IntEnum):
    """Why a client record is there; the numbers are stored."""

    CURRENT = 0
    SERVER_DELETED = 1
    LEFT_FILTER = 2


class ConflictRule(StrEnum):
    """Who wins where both sides changed a record since it was last carried; values are stored."""

    SERVER = "server"
    CLIENT = "client"
    NEWEST = "newest"
    MERGE = "merge"
    ASK = "ask"


class Leaving(StrEnum):
    """What happens on the client when a record leaves the sync filter; values are stored."""

    KEEP = "keep"
    DELETE = "delete"


TAKEN_BACK = -1
"""The client version of a link whose client record an undo removed (`undo`)."""
NOT_TOLD = 0
"""The client version of a link whose client record has more than was collected and delivered."""
NOTHING_AGREED = "0" * 32
"""The digest of a link whose record both sides do not have alike: it equals no record's."""


class LinkRow(NamedTuple):
    """What both sides agreed on for one record.

    `digest` is that of `layout.Layout.digests`: 32 hexadecimal digits, lower case. A tuple,
    because a page makes five thousand of them.
    """

    server_id: str
    client_id: str
    server_version: int
    client_version: int
    digest: str
    state: LinkState = LinkState.CURRENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far an entity has been read: the engine's view of a Checkpoint row.

    `full`: the reading that `resume` continues is a full one. `fresh`: it began with no links and
    an empty client, so its records are creations unless the client says otherwise. `high_water`
    is the highest version seen. `completed` is when `token` was taken. `tracked` is what the
    server was seen to track, kept with the tracking entity only (`tracked`).
    `compared`: since this reading began, its ids were compared, or it was fresh to its end.
    """

    scope: str = ""
    token: str = ""
    resume: str = ""
    full: bool = False
    fresh: bool = False
    low_water: int = 0
    high_water: int = 0
    completed: datetime | None = None
    tracked: str = ""
    compared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityTask:
    """One entity to carry: both sides' metadata, the filter, and what to do with deletions.

    `sync_deletion`: deletions are found by comparing ids too; `is_tracked`: the server records
    them itself, in the entity that `is_tracking`, which is read and never copied. `leaving`
    counts only where deletions are carried. `key` is the id of the SyncedEntity. `attributes` are
    those both sides have, primary id first; those of them that decide "unchanged" say so
    themselves (`Attribute.is_compared`). `names` is the digest of the attributes that have other
    names on the server; here both sides have the client's.
    """

    key: int
    server: Entity
    client: Entity
    attributes: tuple[Attribute, ...]
    query: Query | None = None
    sync_deletion: bool = False
    is_tracked: bool = False
    is_tracking: bool = False
    leaving: Leaving = Leaving.DELETE
    conflict_rule: ConflictRule = ConflictRule.SERVER
    names: str = ""

    @property
    def deletes(self) -> bool:
        """Whether deletions of the server are carried: by comparison, or because it tracks them."""
        return self.sync_deletion or self.is_tracked

    @property
    def name(self) -> str:
        """Logical name, the same on both sides."""
        return self.server.name

    @property
    def is_volatile(self) -> bool:
        """Whether records enter and leave the filter without being changed (design 5.1.8)."""
        return self.query is not None and is_volatile(self.query)


class Side(StrEnum):
    """One of the two organizations; values are stored."""

    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What one page of writes did on one side, so that it can be taken back.

    `ids` are that side's, `versions` the records' after the write (0: deleted, or not known).
    `before` are the rows that updates and deletes met, in the order of `columns`; empty for
    creates. All run parallel.
    """

    side: Side
    action: Action
    ids: Sequence[str]
    versions: Sequence[int]
    columns: tuple[str, ...]
    before: Sequence[Row] = ()


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
    """Counts of one entity in one run, in records.

    `left` are those deleted because they left the sync filter, `kept` those that the server
    deleted, or that left, and that stay on the client; `held` are deletions that wait for a person.
    """

    read: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    rejected: int = 0
    conflicts: int = 0
    kept: int = 0
    left: int = 0
    held: int = 0
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


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to carry, not what: sizes, patience, and the clock (replaced in tests).

    With `read_ahead` the next page is read and prepared while this one is written, and the reading
    of up to `entities_ahead` further entities begins before their turn comes. After
    `attempts` failures in a row without a page carried, an entity has failed. `patience` is the
    longest wait in seconds that is obeyed. A checkpoint older than `refresh` is renewed even
    where nothing changed, before the server forgets it. Of more than `left_behind_limit` records
    left behind, the ids are not kept: the next run reads the entity in full. `push_size` client
    changes are delivered at a time; one that could not be is tried again after `first_retry`
    seconds, then after twice as long each time, up to `longest_retry`.
    """

    page_size: int = 5000
    read_ahead: bool = True
    entities_ahead: int = 3
    attempts: int = 5
    patience: float = 300.0
    refresh: timedelta = timedelta(days=1)
    left_behind_limit: int = 10_000
    push_size: int = 1000
    first_retry: float = 15.0
    longest_retry: float = 3600.0
    sleep: Callable[[float], None] = sleep
    clock: Callable[[], datetime] = _now
