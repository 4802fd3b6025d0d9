"""The schema lock of an organization: metadata changes exclude runs and writes (design 5.1.11).

It is advisory and ends with the transaction. A writer takes it shared before it takes the
organization's row; a change of metadata takes it exclusively before it touches a table. Plain
readers take no part: an ALTER waits for them, briefly and several times.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from django.db import OperationalError, transaction
from psycopg.errors import LockNotAvailable

from organizations.errors import SchemaConflict
from organizations.models import Organization
from organizations.tables.database import lock_timeout, run

WAIT_MS = 2000
TRIES = 5
SHARED = "pg_advisory_xact_lock_shared(%s)"
"""SQL that takes the shared lock; its parameter is `key_of` the organization."""
_BITS = 63


@contextmanager
def shared_schema_lock(organization: Organization) -> Iterator[None]:
    """Keep the metadata as they are until the transaction ends."""
    with transaction.atomic():
        run(f"SELECT {SHARED}", [key_of(organization.pk)])
        yield


@contextmanager
def exclusive_schema_lock(organization: Organization) -> Iterator[None]:
    """Keep writers out while metadata change; ends with the transaction.

    Raises SchemaConflict when a writer holds the lock for too long.
    """
    lock = partial(run, "SELECT pg_advisory_xact_lock(%s)", [key_of(organization.pk)])
    with transaction.atomic():
        patiently(lock, f"The metadata of organization '{organization.name}' are")
        yield


def patiently(action: Callable[[], object], subject: str) -> None:
    """Carry out what needs a lock that others may hold; try again a few times.

    Inside a transaction. Raises SchemaConflict `subject` "in use by a running job".
    """
    for attempt in range(TRIES):
        try:
            with transaction.atomic(), lock_timeout(WAIT_MS):
                action()
                return
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            time.sleep(0.1 * attempt)
    raise SchemaConflict(f"{subject} in use by a running job. Try again when it has finished.")


def key_of(organization_id: UUID) -> int:
    """Return the number that stands for an organization among advisory locks."""
    return organization_id.int & ((1 << _BITS) - 1)
