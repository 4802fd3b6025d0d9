"""Answering queries of the filter language from hosted tables (`organizations.query.sql`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from psycopg.types.string import TextLoader

from organizations.catalog import Catalog
from organizations.query import sql as compiler
from organizations.query.context import Context
from organizations.query.nodes import Query
from organizations.query.sql_groups import compile_groups
from organizations.query.statements import OutputColumn, Statement, TableInfo
from organizations.records import RecordValue, Reference
from organizations.schema import AttributeType, ColumnPart, DateBehavior
from organizations.store.layout import layout
from organizations.tables import names
from organizations.values import quantize

_AS_TEXT = ("uuid", "date", "timestamp", "timestamptz")
Converter = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One page of a query's rows, keyed by attribute or alias (`alias.attribute` when linked).

    `cookie` continues after this page where the query allows it; `more` tells whether there is
    anything to continue with. `total` is the number of all rows, if it was asked for.
    """

    rows: list[dict[str, RecordValue]] = field(default_factory=list)
    more: bool = False
    cookie: str = ""
    total: int | None = None


def answer(catalog: Catalog, query: Query, context: Context, *, total: bool = False) -> Answer:
    """Return one page of a query's rows. Raises NotFound, InvalidRequest."""
    statement = compiler.compile(query, tables(catalog), context=context)
    found = fetch_text(statement)
    limit = statement.limit
    page = found if limit is None else found[:limit]
    return Answer(
        rows=_named(statement.columns, page),
        more=len(found) > len(page),
        cookie=statement.cookie(page, query.page),
        total=count(catalog, query, context) if total else None,
    )


def count(catalog: Catalog, query: Query, context: Context) -> int:
    """Return the number of a query's rows, paging left aside."""
    statement = compiler.compile_count(query, tables(catalog), context=context)
    return int(fetch_text(statement)[0][0])


def ids(
    catalog: Catalog, query: Query, context: Context, *, after: str | None, limit: int
) -> list[str]:
    """Return at most `limit` distinct ids of the query's entity beyond `after`, ascending."""
    statement = compiler.compile_ids(
        query, tables(catalog), context=context, after=after, limit=limit
    )
    return [str(row[0]) for row in fetch_text(statement)]


def groups(
    catalog: Catalog, query: Query, context: Context, *, attribute: str, alias: str, limit: int
) -> list[tuple[str, str]]:
    """Return group and id of the first `limit` records of every group, group by group."""
    statement = compile_groups(
        query, tables(catalog), context=context, attribute=attribute, alias=alias, limit=limit
    )
    return [(str(group), str(key)) for group, key in fetch_text(statement)]


def tables(catalog: Catalog) -> Callable[[str], TableInfo]:
    """Return where the query back end finds the records of enabled entities."""

    def table(name: str) -> TableInfo:
        place = layout(catalog, name)
        schema = catalog.organization.schema
        return TableInfo(schema, names.shorten(name), place.entity, names.shorten)

    return table


def fetch_text(statement: Statement) -> list[tuple[Any, ...]]:
    """Return the rows of a statement with ids and dates as the database prints them."""
    with connection.cursor() as cursor:
        for kind in _AS_TEXT:
            cursor.cursor.adapters.register_loader(kind, TextLoader)
        cursor.execute(statement.text, statement.parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _named(
    columns: Sequence[OutputColumn], rows: Sequence[Sequence[Any]]
) -> list[dict[str, RecordValue]]:
    heads = [(n, c) for n, c in enumerate(columns) if c.part is ColumnPart.VALUE]
    targets = {c.name: n for n, c in enumerate(columns) if c.part is ColumnPart.TARGET}
    plain = [(n, c.name, _converter(c)) for n, c in heads if not _is_lookup(c)]
    lookups = [(n, c, targets.get(c.name)) for n, c in heads if _is_lookup(c)]
    answers = []
    for row in rows:
        named = {name: convert(row[n]) for n, name, convert in plain}
        for n, column, target in lookups:
            named[column.name] = _reference(column, row[n], row[target] if target else None)
        answers.append(named)
    return answers


def _is_lookup(column: OutputColumn) -> bool:
    return column.attribute is not None and column.attribute.is_lookup


def _reference(column: OutputColumn, value: str | None, entity: str | None) -> RecordValue:
    if value is None or column.attribute is None:
        return None
    return Reference(entity or next(iter(column.attribute.targets), ""), value)


def _same(value: Any) -> Any:
    return value


def _instant(value: str | None) -> str | None:
    return None if value is None else f"{value[:10]}T{value[11:19]}Z"


def _local(value: str | None) -> str | None:
    return None if value is None else value.replace(" ", "T")


def _converter(column: OutputColumn) -> Converter:
    attribute = column.attribute
    if attribute is None:
        return _same
    if attribute.type is AttributeType.DATETIME:
        kinds = {DateBehavior.USER_LOCAL: _instant, DateBehavior.TIME_ZONE_INDEPENDENT: _local}
        return kinds.get(attribute.date_behavior, _same)
    if attribute.type in (AttributeType.DECIMAL, AttributeType.MONEY):
        places = attribute.precision
        return lambda value: None if value is None else quantize(value, places)
    return _same
