"""The PostgreSQL back end: turns a query into one parameterised statement over hosted tables.

    statement = compile(query, tables, context=Context(now=…))
    cursor.execute(statement.text, statement.parameters)
    rows = cursor.fetchall()

`tables` maps the logical name of an entity to where its records are; it raises NotFound for an
entity without a table. Identifiers are quoted, values are named parameters. What each value of
a row means is in `statement.columns`; one row more than `statement.limit` is asked for, which
tells whether there is more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from organizations.errors import InvalidRequest
from organizations.query import sql_aggregates
from organizations.query.context import Context
from organizations.query.nodes import Query
from organizations.query.sql_columns import Output, outputs
from organizations.query.sql_filters import (
    aliases,
    everything,
    filtered_sources,
    from_clause,
    membership,
    where,
    with_parents,
)
from organizations.query.sql_order import after, direction, order_by, orders, sort_keys
from organizations.query.sql_terms import (
    BIGINT,
    Build,
    Term,
    all_of,
    begin,
    folded,
    primary_id,
)
from organizations.query.statements import (
    DEFAULT_LIMIT,
    OutputColumn,
    Statement,
    TableInfo,
    Tables,
)
from organizations.schema import AttributeType

__all__ = [
    "DEFAULT_LIMIT",
    "OutputColumn",
    "Statement",
    "TableInfo",
    "Tables",
    "compile",
    "compile_count",
    "compile_filter",
    "compile_ids",
]


def compile(query: Query, tables: Tables, *, context: Context) -> Statement:
    """Return the statement for one page of rows: joined rows, as Dataverse gives them.

    Raises InvalidRequest that names the faulty element, and what `tables` raises.
    """
    build = begin(query, tables, context)
    if query.aggregate:
        return _aggregates(build)
    return _distinct(build) if query.distinct else _rows(build)


def compile_count(query: Query, tables: Tables, *, context: Context) -> Statement:
    """Return the statement for the number of rows of all pages: one row, one integer."""
    build = begin(query, tables, context)
    if query.aggregate:
        body, _ = _aggregate_body(build)
    elif query.distinct:
        body, _, _ = _distinct_body(build)
    else:
        joined, names = everything(build), aliases(build, "t")
        body = sql.SQL("SELECT FROM {} WHERE {}").format(
            from_clause(build, joined, names), where(build, joined, names)
        )
    text = sql.SQL("SELECT count(*) FROM ({}) AS found").format(body)
    column = OutputColumn("count", None, query.entity)
    return Statement(text.as_string(None), build.parameters, (column,))


def compile_ids(
    query: Query, tables: Tables, *, context: Context, after: str | None = None, limit: int
) -> Statement:
    """Return the statement for distinct primary ids in ascending order, beyond id `after`.

    One column; at most `limit` rows: ask again after the last id until fewer come. The order,
    paging and selection of the query are left aside.
    """
    build = begin(query, tables, context)
    root, names = build.scope.root, aliases(build, "t")
    joined = with_parents(build, filtered_sources(build))
    key = build.primary_id(root, names[0])
    terms = [where(build, joined, names)]
    if after is not None:
        terms.append(sql.SQL("{} > {}").format(key, build.bind(after, sql.SQL("uuid"))))
    text = sql.SQL("SELECT {}{} FROM {} WHERE {} ORDER BY {} LIMIT {}").format(
        sql.SQL("DISTINCT " if joined else ""),
        key,
        from_clause(build, joined, names),
        all_of(terms),
        key,
        build.bind(limit, BIGINT),
    )
    column = OutputColumn(primary_id(root).name, primary_id(root), query.entity)
    return Statement(text.as_string(None), build.parameters, (column,))


def compile_filter(
    query: Query, tables: Tables, *, context: Context, record: str
) -> tuple[str, dict[str, Any]]:
    """Return a WHERE condition and its parameters: is the record in the query?

    For statements that others write: `record` is the plain SQL alias of the entity's table there
    (not beginning with `m_`). Parameters are called `q0`, `q1`…
    """
    build = begin(query, tables, context)
    text = sql.SQL("({})").format(membership(build, record)).as_string(None)
    return text, build.parameters


def _listed(terms: Sequence[Term]) -> Term:
    return sql.SQL(", ").join(terms)


def _rows(build: Build) -> Statement:
    joined, names = everything(build), aliases(build, "t")
    found = outputs(build, names)
    keys = sort_keys(build, joined, names)
    terms = [where(build, joined, names)]
    if build.query.cookie:
        terms.append(after(build, keys))
    limit, paging = _paging(build)
    text = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {}{}").format(
        _listed([output.term for output in found] + [key.term for key in keys]),
        from_clause(build, joined, names),
        all_of(terms),
        order_by(keys),
        paging,
    )
    columns = tuple(output.column for output in found)
    cookie_keys = tuple(key.key for key in keys)
    return Statement(text.as_string(None), build.parameters, columns, limit, cookie_keys)


def _paging(build: Build) -> tuple[int | None, Term]:
    """Return the size of the page and the LIMIT clause; a cookie replaces the offset."""
    query = build.query
    if query.top is not None:
        return None, sql.SQL(" LIMIT {}").format(build.bind(query.top, BIGINT))
    limit = min(query.count or DEFAULT_LIMIT, DEFAULT_LIMIT)
    paging = sql.SQL(" LIMIT {}").format(build.bind(limit + 1, BIGINT))
    if query.page > 1 and not (query.cookie and _uses_cookies(query)):
        offset = build.bind((query.page - 1) * limit, BIGINT)
        paging = sql.SQL("{} OFFSET {}").format(paging, offset)
    return limit, paging


def _uses_cookies(query: Query) -> bool:
    return not (query.aggregate or query.distinct)


def _distinct_body(build: Build) -> tuple[Term, list[Output], list[Term]]:
    """Return the distinct rows, their outputs, and the names of their columns."""
    names = aliases(build, "t")
    found = outputs(build, names)
    used = {output.source.number for output in found} | filtered_sources(build)
    used |= {source.number for source, _ in orders(build)}
    joined = with_parents(build, used)
    columns: list[Term] = [sql.Identifier(f"c{index}") for index in range(len(found))]
    shown = [
        sql.SQL("{} AS {}").format(output.term, column)
        for output, column in zip(found, columns, strict=True)
    ]
    body = sql.SQL("SELECT DISTINCT {} FROM {} WHERE {}").format(
        _listed(shown), from_clause(build, joined, names), where(build, joined, names)
    )
    return body, found, columns


def _distinct(build: Build) -> Statement:
    body, found, columns = _distinct_body(build)
    members = [
        direction(
            _distinct_column(found, columns, order.attribute, source.number), order.descending
        )
        for source, order in orders(build)
    ]
    members += [direction(_sortable(*pair), False) for pair in zip(found, columns, strict=True)]
    limit, paging = _paging(build)
    text = sql.SQL("SELECT {} FROM ({}) AS found ORDER BY {}{}").format(
        _listed(columns), body, _listed(members), paging
    )
    shown = tuple(output.column for output in found)
    return Statement(text.as_string(None), build.parameters, shown, limit)


def _sortable(output: Output, column: Term) -> Term:
    return folded(column) if output.attribute.type in _TEXTS else column


_TEXTS = frozenset({AttributeType.STRING, AttributeType.MEMO})


def _distinct_column(found: list[Output], columns: list[Term], name: str, number: int) -> Term:
    for output, column in zip(found, columns, strict=True):
        if (output.attribute.name, output.source.number) == (name, number):
            return _sortable(output, column)
    raise InvalidRequest(
        f"A distinct query can be sorted only by what it returns, and '{name}' is not returned.",
        "order",
    )


def _aggregate_body(build: Build) -> tuple[Term, list[sql_aggregates.Summary]]:
    joined, names = everything(build), aliases(build, "t")
    found = sql_aggregates.summaries(build, names)
    body = sql.SQL("SELECT {} FROM {} WHERE {}{}").format(
        _listed([summary.term for summary in found]),
        from_clause(build, joined, names),
        where(build, joined, names),
        sql_aggregates.group_by(found),
    )
    return body, found


def _aggregates(build: Build) -> Statement:
    body, found = _aggregate_body(build)
    limit, paging = _paging(build)
    text = sql.SQL("{}{}{}").format(body, sql_aggregates.order_by(build, found), paging)
    columns = tuple(summary.column for summary in found)
    return Statement(text.as_string(None), build.parameters, columns, limit)
