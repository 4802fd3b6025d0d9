"""The database as the store sees it: one cursor, composed statements, a limited wait for locks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import sql

Parameters = Sequence[object] | Mapping[str, object] | None


def run(statement: sql.Composable | str, parameters: Parameters = None) -> int:
    """Carry out a statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        _execute(cursor, statement, parameters)
        return int(cursor.rowcount)


def fetch(statement: sql.Composable | str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
    """Return all rows of a statement."""
    with connection.cursor() as cursor:
        _execute(cursor, statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def one(statement: sql.Composable | str, parameters: Parameters = None) -> tuple[Any, ...] | None:
    """Return the first row of a statement, or None."""
    with connection.cursor() as cursor:
        _execute(cursor, statement, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def _execute(
    cursor: CursorWrapper, statement: sql.Composable | str, parameters: Parameters
) -> None:
    cursor.execute(statement, parameters)  # type: ignore[arg-type]


@contextmanager
def lock_timeout(milliseconds: int) -> Iterator[None]:
    """Wait at most so long for any lock inside; for use in a transaction."""
    before = one("SELECT current_setting('lock_timeout')")
    run("SELECT set_config('lock_timeout', %s, true)", [f"{milliseconds}ms"])
    yield
    run("SELECT set_config('lock_timeout', %s, true)", before)
