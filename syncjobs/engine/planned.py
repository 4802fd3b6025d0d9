"""A plan as a value: what a run writes, page by page, with a fingerprint of each.

A *page* here is what one call writes to one side: records of one entity, created, updated or
deleted. Its *digest* is BLAKE2b with 128 bits over entity, side, action, columns and the rows
sorted by id, so two pages with the same digest write the same values to the same records. The
plan's digest is over the digests of its pages, in the order in which they are written.

From a server that stamps what is written (`Connector.stamps`), a record that was delivered comes
back with when and by whom: that belongs to the delivery, so updates of the client are without such
records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple, Protocol

import msgspec

from connections.connectors.base import Batch, Connector
from organizations.records import Action, Value
from organizations.schema import Entity
from syncjobs.engine.airbag import Guard
from syncjobs.engine.protocols import Queue, Reporter, State
from syncjobs.engine.values import Side

NAMED = 200
"""A plan can name each record of pages of up to so many; of larger ones it keeps the range."""

_encode = msgspec.msgpack.Encoder(decimal_format="string").encode


class PlanKind(StrEnum):
    """What happens to a record, as a plan shows it; values are stored."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    LEFT = "left"
    PUSH = "push"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class FieldChange(NamedTuple):
    """A column before and after."""

    name: str
    old: Value
    new: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """One record of a plan, shown as a sample. `action` is what is done to it, if anything."""

    entity: str
    kind: PlanKind
    record: str
    action: str = ""
    name: str = ""
    message: str = ""
    fields: Sequence[FieldChange] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPage:
    """What one call writes.

    `records` is {id: first digits of its digest}; empty if too many, but never for the server.
    """

    entity: str
    side: Side
    action: Action
    count: int
    first: str
    last: str
    digest: str
    records: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> tuple[str, Side, Action]:
        """What pages are compared by: entity, side and action."""
        return self.entity, self.side, self.action


class Parties(NamedTuple):
    """Everything a run works with."""

    server: Connector
    client: Connector
    state: State
    reporter: Reporter
    guard: Guard
    queue: Queue | None = None


class Book(Protocol):
    """Where a plan is written down."""

    def page(self, page: PlannedPage) -> None:
        """Add a page, in the order in which it would be written."""

    def change(self, change: PlannedChange) -> None:
        """Add a sample."""


def page_of(
    entity: Entity, side: Side, batch: Batch, delivered: AbstractSet[str] = frozenset()
) -> PlannedPage:
    """Return what a batch would write; `delivered` are the ids of what was, in the same run."""
    if batch.rendered is not None:
        raise ValueError("A batch of which a plan is made holds its rows.")
    is_echo = side is Side.CLIENT and batch.action is Action.UPDATE
    without = delivered if is_echo else frozenset()
    changed = batch.changed or (None,) * len(batch.rows)
    parts = {
        str(row[0]): _encode((row, None if names is None else sorted(names)))
        for row, names in zip(batch.rows, changed, strict=True)
        if row[0] not in without
    }
    ids = sorted(parts)
    is_named = side is Side.SERVER or len(ids) <= NAMED
    head = _encode((entity.name, side, batch.action, batch.columns))
    return PlannedPage(
        entity=entity.name,
        side=side,
        action=batch.action,
        count=len(ids),
        first=ids[0] if ids else "",
        last=ids[-1] if ids else "",
        digest=digest_of((head, *(parts[item] for item in ids))),
        records={item: digest_of((parts[item],))[:8] for item in ids} if is_named else {},
    )


def digest_of(parts: Iterable[bytes]) -> str:
    """Return 32 hexadecimal digits over the parts, in their order."""
    made = blake2b(digest_size=16)
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.hexdigest()


def plan_digest(digests: Iterable[str]) -> str:
    """Return the digest of a plan with these pages, in the order in which they are written."""
    return digest_of(digest.encode() for digest in digests)
