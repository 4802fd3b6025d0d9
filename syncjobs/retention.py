"""Which history is kept, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from syncjobs import held, images, recycle_bin, transactions
from syncjobs.models import Image, Run, RunEntity

KEPT = timedelta(days=90)
"""How long a finished run is kept."""

SUCCEEDED_KEPT = timedelta(hours=1)
"""How long a succeeded run is kept whose job keeps no logs: long enough to look at its page.

One that wrote something stays as long as it can be taken back, and one that deleted something as
long as its deletions count (`held.WINDOW`).
"""

_BATCH = 200


def retain(now: datetime | None = None) -> int:
    """Remove the history whose time is over; return how many rows went, besides their parts."""
    at = now or timezone.now()
    return sum(step(at) for step in STEPS)


def _runs(at: datetime) -> int:
    deleted = RunEntity.objects.filter(Q(deleted__gt=0) | Q(left__gt=0), run=OuterRef("pk"))
    unwanted = Q(
        Q(finished__lt=at - held.WINDOW) | ~Q(Exists(deleted)),
        ~Q(Exists(Image.objects.filter(run=OuterRef("pk")))),
        job__keep_logs=False,
        state=Run.State.SUCCEEDED,
        finished__lt=at - SUCCEEDED_KEPT,
    )
    over = Run.objects.exclude(state__in=Run.ACTIVE).filter(unwanted | Q(finished__lt=at - KEPT))
    removed = 0
    while batch := list(over.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        Run.objects.filter(pk__in=batch).delete()
        removed += len(batch)
    return removed


STEPS: Sequence[Callable[[datetime], int]] = (
    images.retain,
    transactions.forget_delivered,
    recycle_bin.retain,
    _runs,
)
"""What is removed, in this order; each returns how many rows went."""
