"""Offline transactions as rows: what is waiting for which record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncjobs.engine.plan import Waiting
from syncjobs.models import OfflineTransaction

_Status = OfflineTransaction.Status


def waiting(entity: int, client_ids: Sequence[str]) -> Mapping[str, Waiting]:
    """Return the newest transaction of each record that was not delivered, by client id."""
    rows = OfflineTransaction.objects.filter(entity_id=entity, client_id__in=client_ids)
    newest = rows.order_by("client_id", "-first_version", "-id").distinct("client_id")
    return {
        str(row.client_id): Waiting(
            version=row.version,
            is_delete=row.action == OfflineTransaction.Action.DELETE,
            is_set_aside=row.status == _Status.ARCHIVED,
        )
        for row in newest
        if row.status != _Status.PROCESSED
    }
