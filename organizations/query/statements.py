"""What the PostgreSQL back end takes and gives: where tables are, and a statement to execute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from organizations.errors import InvalidRequest
from organizations.query import cookies
from organizations.schema import Attribute, ColumnPart, Entity

DEFAULT_LIMIT = 5000
"""Records on a page when the query does not say, and at most (Dataverse)."""


MOST_COLUMNS = 1600
"""Columns of an answer; PostgreSQL has 1,664 in one row."""


def _same(name: str) -> str:
    return name


@dataclass(frozen=True, slots=True)
class TableInfo:
    """Where the records of an entity are: PostgreSQL schema, table and metadata.

    `column` gives the physical name of a column of `schema.columns` (names may be shortened).
    """

    schema: str
    table: str
    entity: Entity
    column: Callable[[str], str] = _same


Tables = Callable[[str], TableInfo]


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One value of each row: `name` is the attribute or alias (`alias.attribute` when linked).

    `attribute` is None for results that have no attribute's type (counts, date parts). A
    polymorphic lookup gives two columns: its id, then the column `part` TARGET with the same
    `name`. `entity` is the logical name of the entity the attribute belongs to.
    """

    name: str
    attribute: Attribute | None
    entity: str
    part: ColumnPart = ColumnPart.VALUE


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with `%(name)s` placeholders, its parameters and the meaning of its columns.

    Each row holds one value per column, then the values of the sort keys `keys`, which only
    `cookie` needs. `limit` is the size of the page, None when the answer is whole: the statement
    asks for one row more than the page holds, which tells whether there is more.
    """

    text: str
    parameters: Mapping[str, Any]
    columns: tuple[OutputColumn, ...]
    limit: int | None = None
    keys: tuple[cookies.Key, ...] = ()

    def __post_init__(self) -> None:
        """Raise InvalidRequest for more columns than a row can have."""
        number = len(self.columns) + len(self.keys)
        if number > MOST_COLUMNS:
            raise InvalidRequest(
                f"A query has at most {MOST_COLUMNS:,} columns, not {number:,}; a lookup to "
                "several entities takes two. Select fewer attributes.",
                "attribute",
            )

    def cookie(self, rows: Sequence[Sequence[Any]], page: int) -> str:
        """Return the paging cookie after the last of `rows` (those of the page, none added).

        '' where the query cannot be continued by a cookie; the page number then does.
        """
        if not rows or not self.keys:
            return ""
        start = len(self.columns)
        return cookies.write(self.keys, rows[0][start:], rows[-1][start:], page)
