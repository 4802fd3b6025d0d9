"""A run that checks whether a connection's server is ready."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from connections.models import Connection
from connections.naming.choosing import server_of
from connections.readiness import saving
from connections.readiness.check import check
from connections.readiness.judging import Progress
from connections.readiness.report import Report
from syncjobs import schedule


def carry_out(connection: Connection, progress: Progress) -> Report:
    """Check the server and the enabled entities, and keep the report.

    Raises Refused when the stored login cannot be used at all, Retryable.
    """
    enabled = list(connection.entities.filter(enabled=True).values_list("name", flat=True))
    with server_of(connection, origin=str(connection.pk)) as server:
        report = check(server, enabled, interval=interval(connection), progress=progress)
    saving.save(connection, report)
    return report


def interval(connection: Connection) -> timedelta | None:
    """Return the time between two runs of the most frequent active job, None without one."""
    now = timezone.now()
    jobs = connection.jobs.filter(is_active=True)
    return min((schedule.interval(job, now) for job in jobs), default=None)
