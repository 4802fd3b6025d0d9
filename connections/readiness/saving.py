"""Keeping readiness reports: the last few of each connection."""

from __future__ import annotations

from connections.models import Connection, ReadinessReport
from connections.readiness.report import Report, to_json

KEPT = 10


def save(connection: Connection, report: Report) -> ReadinessReport:
    """Keep a report with the date of now; the oldest go."""
    saved = ReadinessReport.objects.create(
        connection=connection, colour=report.colour.value, document=to_json(report)
    )
    older = connection.readiness.values_list("pk", flat=True)[KEPT:]
    ReadinessReport.objects.filter(pk__in=list(older)).delete()
    return saved


def latest(connection: Connection) -> ReadinessReport | None:
    """Return the newest report, None if the server was never checked."""
    return connection.readiness.first()
