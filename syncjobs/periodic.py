"""The tick: every few seconds, find in the database what should be under way, and start it.

Any number of ticks at once, or none for a while, come to the same: each step is a conditional
update. What Celery's broker lost is called again from here.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from organizations.errors import InvalidRequest
from syncjobs import deliver, dispatch, hooks, lease, schedule
from syncjobs.models import Run, SyncJob

WAKE_AGAIN = timedelta(seconds=10)
"""A run is called again only so long after the last call, so that calls do not pile up."""

logger = logging.getLogger(__name__)


def tick(now: datetime | None = None) -> None:
    """Start the jobs that are due, then wake every run and delivery that could be worked on."""
    at = now or timezone.now()
    for job in SyncJob.objects.filter(is_active=True).filter(
        Q(next_due__lte=at) | Q(next_due=None)
    ):
        _start_due(job, at)
    wake_waiting()
    deliver.wake_due()
    hooks.wake_due()


def wake_waiting() -> None:
    """Call workers to queued runs whose turn it is, and to those whose worker is gone."""
    calm = Q(woken=None) | Q(woken__lt=Now() - WAKE_AGAIN)
    for run_id in lease.claimable().filter(calm).values_list("pk", flat=True):
        dispatch.wake(run_id)


def run_now(
    job: SyncJob, *, reason: str = "Run Now", user: User | None = None, actor: str = ""
) -> Run:
    """Start what the job does, whether or not it is active; its schedule stays as it is."""
    is_proof = job.step == SyncJob.Step.VERIFY
    start = dispatch.start_verify if is_proof else dispatch.start_sync
    run = start(job.connection, reason=reason, user=user, actor=actor, job=job)
    SyncJob.objects.filter(pk=job.pk).update(last_run=Now())
    return run


@transaction.atomic
def _start_due(job: SyncJob, at: datetime) -> None:
    """Start the job if it is still due; times that were missed are made up for by one run."""
    following = _following(job, at)
    unchanged = SyncJob.objects.filter(pk=job.pk, is_active=True, next_due=job.next_due)
    if following is None:
        unchanged.update(is_active=False, next_due=None)
    elif unchanged.update(next_due=following) and job.next_due is not None:
        run_now(job, reason="job", actor=job.name)


def _following(job: SyncJob, at: datetime) -> datetime | None:
    """Return the next time, or None for a job whose schedule makes no sense.

    Such a job can only come from outside our forms; it must not stop the others.
    """
    try:
        schedule.check(job)
    except InvalidRequest as error:
        logger.error("Job %s of '%s' was deactivated: %s", job.pk, job.connection.name, error)
        return None
    return schedule.next_due(job, at)
