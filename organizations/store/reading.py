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
from organizations.tables.database import fetch

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
    parameters = {"after": span.after, "since": span.since, "until": span.until, "limit": limit}
    statement = sql.SQL("SELECT {} FROM {} record{} ORDER BY {} LIMIT %(limit)s").format(
        layout.select(wanted),
        layout.table,
        _where(layout, span),
        layout.key if span.since is None else version,
    )
    return fetch(statement, parameters | dict(span.parameters or {}))


def by_id(layout: Layout, wanted: Sequence[str], ids: Sequence[str]) -> list[Row]:
    """Return those of these records that exist, in any order, with the version last."""
    statement = sql.SQL("SELECT {} FROM {} WHERE {} = ANY(%s::uuid[])")
    return fetch(statement.format(layout.select(wanted), layout.table, layout.key), [list(ids)])


def _where(layout: Layout, span: Span) -> sql.Composable:
    version = names.column(VERSION)
    parts: list[sql.Composable] = []
    if span.after is not None:
        parts.append(sql.SQL("record.{} > %(after)s::uuid").format(layout.key))
    if span.since is not None:
        parts.append(sql.SQL("record.{} > %(since)s").format(version))
    if span.until is not None:
        parts.append(sql.SQL("record.{} <= %(until)s").format(version))
    if span.condition:
        parts.append(sql.SQL("({})").format(sql.SQL(span.condition)))  # type: ignore[arg-type]
    return sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(parts)) if parts else sql.SQL("")
