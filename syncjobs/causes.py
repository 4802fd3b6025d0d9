"""Why transactions failed: identical errors as one cause, with the count.

Two errors are identical if they are of the same entity, have the same code and the same words,
whatever ids and numbers stand in the words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from django.db.models import Count, Max, Min

from connections.models import Connection, SyncedEntity
from syncjobs.models import OfflineTransaction

CONFLICT = "Conflict"
"""Code of a transaction whose record was changed on both sides, and that asks."""

_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def cause_of(code: str, message: str) -> str:
    """Return what identical errors have in common: 32 hexadecimal digits, empty for none."""
    if not code and not message:
        return ""
    words = _NUMBER.sub("#", _ID.sub("#", message))
    return blake2b(f"{code}\0{words}".encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause: how many transactions of which entity it stops, and one of the messages."""

    key: str
    entity: SyncedEntity
    code: str
    message: str
    count: int

    @property
    def is_conflict(self) -> bool:
        """Return whether a person has to choose between two values."""
        return self.code == CONFLICT


def causes(connection: Connection) -> list[Cause]:
    """Return the causes of all transactions in Error, the most frequent first."""
    failed = OfflineTransaction.objects.filter(
        connection=connection, status=OfflineTransaction.Status.ERROR
    )
    grouped = failed.order_by().values("cause", "entity", "code")
    rows = list(grouped.annotate(count=Count("pk"), message=Max("message"), first=Min("pk")))
    entities = connection.entities.in_bulk({row["entity"] for row in rows})
    return [
        Cause(
            key=row["cause"],
            entity=entities[row["entity"]],
            code=row["code"],
            message=row["message"],
            count=row["count"],
        )
        for row in sorted(rows, key=lambda row: (-row["count"], row["first"]))
    ]


def of_cause(connection: Connection, key: str, entity: str) -> Cause | None:
    """Return the cause of that key and entity, None when nothing fails for it any more."""
    listed = causes(connection)
    return next((one for one in listed if (one.key, one.entity.name) == (key, entity)), None)


def ids_in(message: str) -> list[str]:
    """Return the ids that a message names, as canonical GUIDs, each once."""
    return list(dict.fromkeys(str(UUID(found)) for found in _ID.findall(message)))
