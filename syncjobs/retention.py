"""Which history is kept, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from syncjobs.models import Run

KEPT = timedelta(days=90)
"""How long a finished run is kept."""

SUCCEEDED_KEPT = timedelta(hours=1)
"""How long a succeeded run is kept whose job keeps no logs: long enough to look at its page."""

_BATCH = 200


def retain(now: datetime | None = None) -> int:
    """Remove finished runs whose time is over, with their entities and errors; return how many."""
    at = now or timezone.now()
    unwanted = Q(job__keep_logs=False, state=Run.State.SUCCEEDED, finished__lt=at - SUCCEEDED_KEPT)
    over = Run.objects.exclude(state__in=Run.ACTIVE).filter(unwanted | Q(finished__lt=at - KEPT))
    removed = 0
    while batch := list(over.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        Run.objects.filter(pk__in=batch).delete()
        removed += len(batch)
    return removed
