"""Bringing rows near their table by COPY, before any lock is taken (design 5.1.5).

A stage is a temporary table of the session, one per entity and set of columns, emptied by every
commit. What PostgreSQL cannot hold is found here: a row that fails is looked for by halving and
costs only itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count

from django.db import DatabaseError, connection, transaction
from psycopg import sql

from organizations.errors import InvalidRequest
from organizations.records import Action, Row
from organizations.store import rendering
from organizations.store.faults import Fault, is_of_row, rejected
from organizations.store.layout import Layout
from organizations.tables import names
from organizations.tables.database import fetch, run
from organizations.tables.types import sql_type

MOST_ROWS = 5000
MOST_STAGES = 32
PREFIX = "stage_"
_first_ordinals = count(0, 1 << 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Rows in a stage: those with ordinals from `first` on, one per position in the batch."""

    layout: Layout
    action: Action
    columns: tuple[str, ...]
    table: sql.Identifier
    first: int
    ids: Sequence[str]
    failed: dict[int, Fault] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many positions the batch has, faulty ones included."""
        return len(self.ids)


def stage(
    layout: Layout,
    *,
    action: Action,
    columns: Sequence[str],
    rows: Sequence[Row],
    expected: Sequence[int],
    rendered: Sequence[str] | None = None,
) -> Staged:
    """Copy rows (primary id first) to a stage inside the caller's transaction.

    `rendered` are the same rows as `rendering.render` made them, if that was done before.
    """
    _check(layout, columns, rows)
    staged = Staged(
        layout=layout,
        action=action,
        columns=tuple(columns),
        table=_make(layout, columns),
        first=next(_first_ordinals),
        ids=[str(row[0]) for row in rows],
    )
    if rendered is None:
        rendered = rendering.render(map(layout.column, columns), rows)
    ordinals = count(staged.first)
    lines = [
        f"{ordinal}\t{version}\t{line}\n"
        for ordinal, version, line in zip(ordinals, expected, rendered, strict=False)
    ]
    halve(staged, lambda low, high: _copy(staged, lines[low:high]), 0, len(lines))
    return staged


def halve(staged: Staged, work: Callable[[int, int], None], low: int, high: int) -> None:
    """Do `work` on positions low..high; what a single row spoils is done without it."""
    if low >= high:
        return
    try:
        with transaction.atomic():
            work(low, high)
    except (DatabaseError, UnicodeEncodeError) as error:
        if not is_of_row(error):
            raise
        if high - low == 1:
            staged.failed.setdefault(low, rejected(error))
            return
        middle = (low + high) // 2
        halve(staged, work, low, middle)
        halve(staged, work, middle, high)


def _check(layout: Layout, columns: Sequence[str], rows: Sequence[Row]) -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Rows are staged inside a transaction only.")
    if not columns or columns[0] != layout.entity.primary_id:
        raise InvalidRequest(
            f"The first column of a batch of '{layout.entity.name}' must be its primary id "
            f"'{layout.entity.primary_id}'.",
            "columns",
        )
    if len(rows) > MOST_ROWS:
        raise InvalidRequest(
            f"A batch holds {len(rows)} rows; at most {MOST_ROWS} are written at once.", "rows"
        )


def _make(layout: Layout, columns: Sequence[str]) -> sql.Identifier:
    kinds = [(names.column(name), sql_type(layout.column(name))) for name in columns]
    mark = repr([layout.table.as_string(), *((item.as_string(), kind) for item, kind in kinds)])
    name = PREFIX + blake2b(mark.encode(), digest_size=12).hexdigest()
    known = [row[0] for row in fetch(_STAGES)]
    if name not in known:
        for old in known[: len(known) - MOST_STAGES + 1]:
            run(sql.SQL("DROP TABLE {}").format(sql.Identifier("pg_temp", old)))
        body = [sql.SQL("{} {}").format(item, sql.SQL(kind)) for item, kind in kinds]
        run(_CREATE.format(sql.Identifier(name), sql.SQL(", ").join(body)))
    return sql.Identifier("pg_temp", name)


_STAGES = sql.SQL(
    "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() "
    "AND relname LIKE 'stage\\_%' AND relkind = 'r' ORDER BY oid"
)
_CREATE = sql.SQL(
    "CREATE TEMPORARY TABLE {} (ord bigint, expected bigint, {}) ON COMMIT DELETE ROWS"
)
_COPY = sql.SQL("COPY {} FROM STDIN")


def _copy(staged: Staged, lines: Sequence[str]) -> None:
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(_COPY.format(staged.table).as_string(None)) as copy,
    ):
        copy.write("".join(lines))
