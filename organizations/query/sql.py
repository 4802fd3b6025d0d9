"""The PostgreSQL back end: turns a query into one parameterised statement over hosted tables.

    statement = compile(query, tables, context=Context(now=…))
    cursor.execute(statement.text, statement.parameters)
    rows = cursor.fetchall()         # one value per statement.columns

`tables` maps the logical name of an entity to where its records are; it raises NotFound for an
entity without a table. Identifiers are quoted, values are named parameters. One row more than
the page holds is asked for, so that `len(rows) > statement.limit` tells that there is more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from organizations.query.context import Context
from organizations.query.nodes import Query
from organizations.schema import Attribute, ColumnPart, Entity

DEFAULT_LIMIT = 5000


@dataclass(frozen=True, slots=True)
class TableInfo:
    """Where the records of an entity are: PostgreSQL schema, table and metadata."""

    schema: str
    table: str
    entity: Entity


Tables = Callable[[str], TableInfo]


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One value of each row: `name` is the attribute or alias (`alias.attribute` when linked).

    `attribute` is None for results of an aggregate that have no type of their own (counts, date
    parts, averages). A polymorphic lookup gives two columns: its id, then the column `part`
    TARGET with the same `name`. `entity` is the logical name of the record the value belongs to.
    """

    name: str
    attribute: Attribute | None
    entity: str
    part: ColumnPart = ColumnPart.VALUE


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with `%(name)s` placeholders, its parameters and the meaning of its columns.

    `limit` is the size of the page, None when the answer is whole.
    """

    text: str
    parameters: Mapping[str, object]
    columns: tuple[OutputColumn, ...]
    limit: int | None


def compile(query: Query, tables: Tables, *, context: Context) -> Statement:
    """Return the statement for one page of a query's rows (joined rows, as Dataverse gives them)."""
    raise NotImplementedError


def compile_count(query: Query, tables: Tables, *, context: Context) -> Statement:
    """Return the statement for the number of rows, paging left aside: one row, one integer."""
    raise NotImplementedError


def compile_ids(
    query: Query, tables: Tables, *, context: Context, after: str | None = None, limit: int
) -> Statement:
    """Return the statement for distinct primary ids in ascending order, beyond id `after`.

    One column; at most `limit` rows (none added): ask again after the last id until none comes.
    """
    raise NotImplementedError


def compile_filter(
    query: Query, tables: Tables, *, context: Context, record: str
) -> tuple[str, dict[str, object]]:
    """Return a WHERE condition (text, parameters) on the table alias `record` for membership.

    For statements that others write (bulk reads, counts): true for records in the query.
    """
    raise NotImplementedError
