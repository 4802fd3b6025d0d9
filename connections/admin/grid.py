"""The entities grid: which entities take part, and whether deletions are carried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from connections.connect import service
from connections.models import Connection
from organizations.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class GridChange:
    """What Save changed, as names of entities."""

    enabled: tuple[str, ...]
    disabled: tuple[str, ...]
    deletion_on: tuple[str, ...]
    deletion_off: tuple[str, ...]

    def __str__(self) -> str:
        """Return one sentence for the message above the grid."""
        parts = (
            ("enabled", self.enabled),
            ("disabled", self.disabled),
            ("Sync Deletion on", self.deletion_on),
            ("Sync Deletion off", self.deletion_off),
        )
        told = [f"{what}: {', '.join(names)}" for what, names in parts if names]
        return f"Saved. {'; '.join(told)}." if told else "Nothing was changed."


@transaction.atomic
def save(
    connection: Connection, *, shown: Iterable[str], enabled: set[str], deletion: set[str]
) -> GridChange:
    """Apply the two check boxes of the rows that were shown; tables of new ones are made.

    Rows with a problem stay as they are. Disabling keeps data and links. Raises InvalidRequest
    with the reason when one of them is to be enabled.
    """
    _check(connection, enabled)
    rows = list(connection.entities.select_for_update().filter(name__in=list(shown), problem=""))
    change = GridChange(
        enabled=tuple(row.name for row in rows if not row.enabled and row.name in enabled),
        disabled=tuple(row.name for row in rows if row.enabled and row.name not in enabled),
        deletion_on=tuple(
            row.name for row in rows if not row.sync_deletion and row.name in deletion
        ),
        deletion_off=tuple(
            row.name for row in rows if row.sync_deletion and row.name not in deletion
        ),
    )
    for row in rows:
        row.enabled, row.sync_deletion = row.name in enabled, row.name in deletion
        row.save(update_fields=["enabled", "sync_deletion"])
    if change.enabled:
        service.enable_tables(connection)
    return change


def _check(connection: Connection, enabled: set[str]) -> None:
    refused = connection.entities.filter(name__in=enabled, enabled=False).exclude(problem="")
    for row in refused[:1]:
        raise InvalidRequest(f"'{row.name}' cannot be enabled: {row.problem}", "enabled")
