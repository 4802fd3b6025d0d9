"""The neutral vocabulary of data: records, references, pages of flat rows, changes.

A *flat row* is a tuple in the order of `schema.columns(entity)`. Rows are what moves in bulk: a
page of five thousand costs no object per value. A `Record` is one row with names, for everything
that handles records one by one. The Python type of each value is defined in `values`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

Value = str | int | float | bool | Decimal | None
"""A value of a flat row. GUIDs, dates, multi-selects and party lists are canonical text."""

Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A lookup's value: the entity and id of another record; `label` is for people only."""

    entity: str
    id: str
    label: str | None = field(default=None, compare=False)


RecordValue = Value | Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record with named values; only attributes that were asked for or set are present."""

    entity: str
    id: str
    values: Mapping[str, RecordValue]
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A record that could not be taken, and why, in words for an administrator."""

    id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a reader: flat rows of one entity, and how to go on.

    `columns` names the values of each row, primary id first. `versions` runs parallel to `rows`
    (0 where the back end has none). `deleted` are ids the back end reports as deleted.
    `resume` continues after this page, even in another process; None on the last page.
    `checkpoint` is set on the last page only: reading again since it gives what changed later.
    """

    entity: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    versions: Sequence[int]
    deleted: Sequence[str] = ()
    rejected: Sequence[Rejection] = ()
    resume: str | None = None
    checkpoint: str | None = None


class Rendered(NamedTuple):
    """Rows in the form in which a target takes them in bulk: their ids, and all of them in one."""

    ids: Sequence[str]
    body: bytes


class Action(StrEnum):
    """What happened to a record, or shall happen to it."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of an organization's change log; `origin` is the connection that wrote, or ''."""

    entity: str
    id: str
    action: Action
    version: int
    origin: str = ""
