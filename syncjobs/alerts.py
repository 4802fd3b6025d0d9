"""Alerts: opened when something is silent that should not be, closed when it is over.

Called by the clock, by any number of processes at once: each step is a conditional update.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from connections.models import Connection
from syncjobs import retention, telling
from syncjobs.models import Alert, OfflineTransaction, QueueLength
from syncjobs.silence import LONGEST_WINDOW, Silent, silent

SAMPLE_EVERY = timedelta(minutes=5)


def look(now: datetime | None = None) -> None:
    """Count the queues, open and close alerts, and tell of those that are new."""
    at = now or timezone.now()
    _count(at)
    _settle(at)
    telling.tell(at)


@transaction.atomic
def _settle(at: datetime) -> None:
    """Make the open alerts those that hold now, and forget what was over long ago."""
    Alert.objects.filter(closed__lt=at - retention.KEPT).delete()
    found = {(item.connection, str(item.kind), item.subject): item for item in silent(at)}
    for alert in Alert.objects.select_for_update().filter(closed=None):
        item = found.pop((alert.connection_id, alert.kind, alert.subject), None)
        if item is None:
            alert.closed = at
            alert.save(update_fields=["closed"])
        elif item.message != alert.message:
            alert.message = item.message
            alert.save(update_fields=["message"])
    Alert.objects.bulk_create(
        [_opened(item, at) for item in found.values()],
        # Another process may have opened it meanwhile.
        ignore_conflicts=True,
    )


def _opened(item: Silent, at: datetime) -> Alert:
    return Alert(
        connection_id=item.connection,
        kind=item.kind,
        subject=item.subject[:128],
        message=item.message,
        opened=at,
    )


def _count(at: datetime) -> None:
    """Remember how long the queues are; one that stays empty is not written again and again."""
    QueueLength.objects.filter(at__lt=at - 2 * LONGEST_WINDOW).delete()
    pending = Q(transactions__status=OfflineTransaction.Status.PENDING)
    ready = Connection.objects.filter(state=Connection.State.READY)
    lengths = dict(ready.annotate(n=Count("transactions", filter=pending)).values_list("pk", "n"))
    last = {
        row.connection_id: row
        for row in QueueLength.objects.filter(connection__in=lengths)
        .order_by("connection_id", "-at")
        .distinct("connection_id")
    }
    QueueLength.objects.bulk_create(
        QueueLength(connection_id=key, at=at, count=count)
        for key, count in lengths.items()
        if _is_due(last.get(key), count, at)
    )


def _is_due(last: QueueLength | None, count: int, at: datetime) -> bool:
    if last is None:
        return count > 0
    return at - last.at >= SAMPLE_EVERY and (count > 0 or last.count > 0)
