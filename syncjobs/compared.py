"""The ids of a server in a temporary table, compared with the links by the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import connection

from organizations.tables.database import fetch, run
from syncjobs.engine.protocols import IdSpool
from syncjobs.models import Link

_IDS, _DIFFERENT = "compare_ids", "compare_different"
_NOBODY = "00000000-0000-0000-0000-000000000000"
_MAKE = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS {_IDS} (id uuid);
    CREATE TEMPORARY TABLE IF NOT EXISTS {_DIFFERENT} (is_missing boolean, id uuid);
    CREATE INDEX IF NOT EXISTS {_DIFFERENT}_by_id ON {_DIFFERENT} (is_missing, id);
    TRUNCATE {_IDS}, {_DIFFERENT}
"""
_COMPARE = f"""
    INSERT INTO {_DIFFERENT}
        SELECT i.id IS NULL, coalesce(i.id, l.server_id)
        FROM {_IDS} i FULL JOIN (
            SELECT server_id, state FROM {Link._meta.db_table} WHERE entity_id = %s
        ) l ON l.server_id = i.id
        WHERE CASE WHEN i.id IS NULL THEN l.state = 0 ELSE l.state IS DISTINCT FROM 0 END
"""  # noqa: S608 - our own names
_NEXT = f"""
    SELECT DISTINCT d.id, d.id::text FROM {_DIFFERENT} d
    WHERE d.is_missing = %s AND d.id > %s ORDER BY d.id LIMIT %s
"""  # noqa: S608


class DatabaseIds(IdSpool):
    """Temporary tables of this session, one entity at a time. Not inside a transaction."""

    def __init__(self, entity: int) -> None:
        """Make the tables, or empty them; `entity` says whose links count."""
        self._entity, self._is_compared = entity, False
        run(_MAKE)

    def put(self, ids: Sequence[str]) -> None:
        """Copy a page; ids are hexadecimal, so nothing needs escaping."""
        if not ids:
            return
        with connection.cursor() as cursor, cursor.copy(f"COPY {_IDS} FROM STDIN") as copy:
            copy.write("\n".join(ids) + "\n")

    def entered(self, size: int) -> Iterator[Sequence[str]]:
        """Yield what was put and is not linked as current, by id."""
        return self._pages(size, is_missing=False)

    def missing(self, size: int) -> Iterator[Sequence[str]]:
        """Yield what is linked as current and was not put, by id."""
        return self._pages(size, is_missing=True)

    def _pages(self, size: int, *, is_missing: bool) -> Iterator[Sequence[str]]:
        self._compare()
        last = _NOBODY
        while rows := fetch(_NEXT, [is_missing, last, size]):
            yield [row[1] for row in rows]
            last = rows[-1][1]

    def _compare(self) -> None:
        if not self._is_compared:
            run(f"ANALYZE {_IDS}")
            run(_COMPARE, [self._entity])
            self._is_compared = True
