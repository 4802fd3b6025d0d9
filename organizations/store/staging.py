"""Bringing rows near their table by COPY, before any lock is taken (design 5.1.5).

What PostgreSQL cannot hold is found here: a row that fails is looked for by halving and costs
only itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from django.db import DatabaseError, connection, transaction
from psycopg import sql

from organizations.errors import InvalidRequest
from organizations.records import Action, Rendered, Row
from organizations.store import rendering, stages
from organizations.store.faults import Fault, is_of_row, rejected
from organizations.store.layout import Layout
from organizations.store.stages import Stage
from organizations.tables import names

MOST_ROWS = 5000
_first_ordinals = count(0, 1 << 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Rows in a stage: those with ordinals from `first` on, one per position in the batch."""

    layout: Layout
    action: Action
    columns: tuple[str, ...]
    stage: Stage
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
    rendered: Rendered | None = None,
) -> Staged:
    """Copy rows (primary id first) to a stage inside the caller's transaction.

    `rendered` stands for the rows where they were rendered before; then `rows` is not looked at.
    """
    _check(layout, columns, len(rows if rendered is None else rendered.ids))
    if rendered is None:
        body = rendering.render(map(layout.column, columns), rows)
        rendered = Rendered([str(row[0]) for row in rows], body)
    staged = Staged(
        layout=layout,
        action=action,
        columns=tuple(columns),
        stage=stages.stage(layout, columns),
        first=next(_first_ordinals),
        ids=rendered.ids,
    )
    if rendered.ids:
        staged = _copied(staged, rendered.body, expected)
    return staged


def _copied(staged: Staged, body: bytes, expected: Sequence[int]) -> Staged:
    if not any(expected):
        first = _copy_numbered(staged, body)
        if first is not None:
            return replace(staged, first=first)
    parts = (_digits(count(staged.first)), _digits(expected), body.split(b"\n"))
    whole = list(map(b"\t".join, zip(*parts, strict=False)))
    halve(staged, lambda low, high: _copy(staged, whole[low:high]), 0, len(whole))
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


def _check(layout: Layout, columns: Sequence[str], size: int) -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Rows are staged inside a transaction only.")
    if not columns or columns[0] != layout.entity.primary_id:
        raise InvalidRequest(
            f"The first column of a batch of '{layout.entity.name}' must be its primary id "
            f"'{layout.entity.primary_id}'.",
            "columns",
        )
    if layout.entity.is_view:
        raise InvalidRequest(f"Entity '{layout.entity.name}' can only be read.", "columns")
    if size > MOST_ROWS:
        raise InvalidRequest(
            f"A batch holds {size} rows; at most {MOST_ROWS} are written at once.", "rows"
        )


_COPY = sql.SQL("COPY {} FROM STDIN")
_COPY_NUMBERED = sql.SQL("COPY {} ({}) FROM STDIN")


def _copy_numbered(staged: Staged, body: bytes) -> int | None:
    """Copy new records and let the database number them; return the first ordinal.

    None if a row spoils it: then nothing was copied. It spares the writing thread a look at
    every row, which counts while another thread reads the next page.
    """
    columns = sql.SQL(", ").join(map(names.column, staged.columns))
    copy = _COPY_NUMBERED.format(staged.stage.table, columns)
    try:
        with transaction.atomic(), staged.stage.numbering(len(staged.ids)) as numbers:
            _send(copy, body)
    except DatabaseError as error:
        if not is_of_row(error):
            raise
        return None
    return numbers.first


def _digits(numbers: Iterable[int]) -> Iterator[bytes]:
    return map(b"%d".__mod__, numbers)


def _copy(staged: Staged, lines: Sequence[bytes]) -> None:
    _send(_COPY.format(staged.stage.table), b"\n".join(lines))


def _send(statement: sql.Composed, body: bytes) -> None:
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(statement.as_string(None)) as copy,
    ):
        copy.write(body)
