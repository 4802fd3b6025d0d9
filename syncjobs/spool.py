"""The fingerprints of two sides in temporary tables, compared by the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from django.db import connection

from organizations.tables.database import fetch, run
from syncjobs.engine.verify import Fingerprint, Spool, Unequal

_SERVER, _CLIENT, _UNEQUAL = "verify_server", "verify_client", "verify_unequal"
_NOBODY = "00000000-0000-0000-0000-000000000000"
_MAKE = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS {_SERVER} (client_id uuid, server_id uuid, digest uuid);
    CREATE TEMPORARY TABLE IF NOT EXISTS {_CLIENT} (client_id uuid, server_id uuid, digest uuid);
    TRUNCATE {_SERVER}, {_CLIENT};
    DROP TABLE IF EXISTS {_UNEQUAL}
"""
_COMPARE = f"""
    ANALYZE {_SERVER};
    ANALYZE {_CLIENT};
    CREATE TEMPORARY TABLE {_UNEQUAL} AS
        SELECT coalesce(s.client_id, c.client_id) AS client_id, s.server_id
        FROM {_SERVER} s FULL JOIN {_CLIENT} c ON c.client_id = s.client_id
        WHERE s.digest IS DISTINCT FROM c.digest;
    CREATE INDEX ON {_UNEQUAL} (client_id)
"""  # noqa: S608 - our own names
_NEXT = f"""
    SELECT client_id::text, server_id::text FROM {_UNEQUAL}
    WHERE client_id > %s ORDER BY client_id LIMIT %s
"""  # noqa: S608


class DatabaseSpool(Spool):
    """Temporary tables of this session; they go with it. Not inside a transaction."""

    def clear(self) -> None:
        """Make the tables, or empty them."""
        run(_MAKE)

    def put(self, fingerprints: Sequence[Fingerprint], *, of_server: bool) -> None:
        """Copy a page; ids and digests are hexadecimal, so nothing needs escaping."""
        if not fingerprints:
            return
        lines = ("%s\t%s\t%s\n" * len(fingerprints)) % tuple(chain.from_iterable(fingerprints))
        table = _SERVER if of_server else _CLIENT
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            copy.write(lines)

    def unequal(self, size: int) -> Iterator[Sequence[Unequal]]:
        """Yield what is not the same on both sides, by client id."""
        run(_COMPARE)
        last = _NOBODY
        while batch := [Unequal(*row) for row in fetch(_NEXT, [last, size])]:
            yield batch
            last = batch[-1].client_id
