"""Reading flat canonical rows of one entity, page by page, fast enough to serve and to compare.

The database prints every value in its canonical form, so that no Python object is made on the
way (5,000 rows of 20 values take some 30 ms).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from organizations.records import Row
from organizations.schema import VERSION
from organizations.store.layout import Layout
from organizations.tables import names
from organizations.tables.database import fetch, one

PAGE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which records: beyond id `after`, or with versions above `since`, never above `until`.

    With `since` the order is that of versions, else that of ids. `condition` is a membership
    test on the table alias `record`, with its parameters.
    """

    after: str | None = None
    since: int | None = None
    until: int | None = None
    condition: str = ""
    parameters: Mapping[str, object] | None = None


WHOLE = Span()


def page(layout: Layout, wanted: Sequence[str], *, span: Span = WHOLE, limit: int) -> list[Row]:
    """Return at most `limit` rows: the wanted columns and the version last."""
    version = names.column(VERSION)
    statement = sql.SQL("SELECT {} FROM {} record{} ORDER BY record.{} LIMIT %(limit)s").format(
        layout.select(wanted),
        layout.table,
        where(layout, span),
        layout.key if span.since is None else version,
    )
    return fetch(statement, parameters(span) | {"limit": limit})


def by_id(layout: Layout, wanted: Sequence[str], ids: Sequence[str]) -> list[Row]:
    """Return those of these records that exist, in any order, with the version last."""
    statement = sql.SQL("SELECT {} FROM {} WHERE {} = ANY(%s::uuid[])")
    return fetch(statement.format(layout.select(wanted), layout.table, layout.key), [list(ids)])


def count(layout: Layout, span: Span) -> int:
    """Return how many records are in a span."""
    statement = sql.SQL("SELECT count(*) FROM {} record{}")
    row = one(statement.format(layout.table, where(layout, span)), parameters(span))
    return int(row[0]) if row else 0


def longer(layout: Layout, attribute: str, length: int) -> int:
    """Return how many records hold more than `length` characters in a text attribute."""
    statement = sql.SQL("SELECT count(*) FROM {} WHERE length({}) > %(length)s")
    row = one(statement.format(layout.table, names.column(attribute)), {"length": length})
    return int(row[0]) if row else 0


def among(layout: Layout, ids: Sequence[str], span: Span) -> set[str]:
    """Return those of these ids whose records are in a span."""
    statement = sql.SQL("SELECT record.{0}::text FROM {1} record{2} AND record.{0} = ANY({3})")
    wanted = sql.SQL("%(ids)s::uuid[]")
    whole = statement.format(layout.key, layout.table, where(layout, span), wanted)
    return {str(row[0]) for row in fetch(whole, parameters(span) | {"ids": list(ids)})}


def highest_version(layout: Layout) -> int:
    """Return the highest version of any record, 0 if there is none."""
    statement = sql.SQL("SELECT coalesce(max({}), 0) FROM {}")
    row = one(statement.format(names.column(VERSION), layout.table))
    return int(row[0]) if row else 0


def parameters(span: Span) -> dict[str, object]:
    """Return what the test of a span refers to by name."""
    limits = {"after": span.after, "since": span.since, "until": span.until}
    return limits | dict(span.parameters or {})


def where(layout: Layout, span: Span) -> sql.Composable:
    """Return the test of a span on the table alias `record`, WHERE included."""
    version = names.column(VERSION)
    parts: list[sql.Composable] = [sql.SQL("true")]
    if span.after is not None:
        parts.append(sql.SQL("record.{} > %(after)s::uuid").format(layout.key))
    if span.since is not None:
        parts.append(sql.SQL("record.{} > %(since)s").format(version))
    if span.until is not None:
        parts.append(sql.SQL("record.{} <= %(until)s").format(version))
    if span.condition:
        parts.append(sql.SQL("({})").format(sql.SQL(span.condition)))
    return sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(parts))
