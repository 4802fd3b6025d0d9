"""The delivery lane of a connection: one at a time collects the client's changes and pushes them.

It is a session advisory lock on this thread's own database connection: gone with the process, and
with the connection, so whoever loses it can commit nothing any more (`check`). Those who wait get
it in the order in which they came.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from syncjobs.errors import LaneBusy, LostLease

SLICE = 2.0
"""Seconds after which somebody who waits looks whether it still makes sense."""

logger = logging.getLogger(__name__)

_HELD = """
    SELECT 1 FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (classid::bigint << 32 | objid::bigint) = %s AND objsubid = 1
"""


@contextmanager
def lane(
    connection_id: UUID, *, wait: float = 0.0, between: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Have the lane while the block runs.

    Waits at most `wait` seconds, then raises LaneBusy; `between` is called every two seconds
    meanwhile and may raise. Never inside a transaction: the lock must outlive the pages.
    """
    _take(connection_id, wait, between)
    try:
        yield
    finally:
        _leave(connection_id)


def check(connection_id: UUID) -> None:
    """Raise LostLease unless this database connection has the lane.

    Called inside a page's transaction: what then commits was written by the lane's holder.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [_key(connection_id)])
        if cursor.fetchone() is None:
            raise LostLease("Another process delivers the changes of this connection now.")


def is_free(connection_id: UUID) -> bool:
    """Return whether nobody has the lane at this moment."""
    key = _key(connection_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (taken,) = cursor.fetchone()
        if taken:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
    return bool(taken)


def _take(connection_id: UUID, wait: float, between: Callable[[], None]) -> None:
    end = time.monotonic() + wait
    while True:
        left = end - time.monotonic()
        if _taken(connection_id, min(max(left, 0.0), SLICE)):
            return
        if left <= 0:
            raise LaneBusy("The changes of this connection are being delivered by somebody else.")
        between()


def _taken(connection_id: UUID, seconds: float) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # A time-out of 0 would mean none.
            cursor.execute(f"SET LOCAL lock_timeout = {max(round(seconds * 1000), 1)}")
            cursor.execute("SELECT pg_advisory_lock(%s)", [_key(connection_id)])
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return False
        raise
    return True


def _leave(connection_id: UUID) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_key(connection_id)])
    except (OperationalError, InterfaceError):
        logger.warning("The lane of connection %s went with its session.", connection_id)
        connection.close()


def _key(connection_id: UUID) -> int:
    digest = blake2b(connection_id.bytes, digest_size=8, person=b"delivery").digest()
    return int.from_bytes(digest, "big", signed=True)
