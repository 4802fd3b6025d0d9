"""The admin's first page: every connection with its state, last run, next job and buttons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest

from connections.models import Connection
from organizations.models import Organization
from syncjobs.admin.page import may_start
from syncjobs.models import Alert, Run

LIMIT = 50
RUNS = 8
ALERTS = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One connection: `last` is the newest run, `active` the one under way or waiting."""

    connection: Connection
    last: Run | None
    active: Run | None
    enabled: int
    next_due: datetime | None


def with_last_run(connections: QuerySet[Connection]) -> QuerySet[Connection]:
    """Bring state and time of each connection's newest run along."""
    runs = Run.objects.filter(connection=OuterRef("pk")).order_by("-created")
    return connections.select_related("server__organization", "client__organization").annotate(
        last_run_id=Subquery(runs.values("pk")[:1]),
        last_run_state=Subquery(runs.values("state")[:1]),
        last_run_at=Subquery(runs.values("created")[:1]),
    )


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the first page shows, as far as the administrator may see it."""
    sees_connections = request.user.has_perm("connections.view_connection")
    sees_runs = request.user.has_perm("syncjobs.view_run")
    context["title"] = "Overview"
    context["sees_connections"] = sees_connections
    context["sees_runs"] = sees_runs
    context["may_start"] = may_start(request)
    context["may_add"] = request.user.has_perm("connections.add_connection")
    if sees_connections:
        context["lines"] = list(_lines())
        context["more"] = max(0, Connection.objects.count() - LIMIT)
        context["organizations"] = Organization.objects.count()
        context["alerts"] = Alert.objects.filter(closed=None).select_related("connection")[:ALERTS]
    if sees_runs:
        context["troubles"] = _troubles()
    return context


def _lines() -> Iterator[Line]:
    connections = list(with_last_run(Connection.objects.all())[:LIMIT])
    keys = [connection.pk for connection in connections]
    enabled = dict(
        Connection.objects.filter(pk__in=keys)
        .annotate(number=Count("entities", filter=Q(entities__enabled=True)))
        .values_list("pk", "number")
    )
    due = dict(
        Connection.objects.filter(pk__in=keys)
        .annotate(due=Min("jobs__next_due", filter=Q(jobs__is_active=True)))
        .values_list("pk", "due")
    )
    last = Run.objects.in_bulk(
        [getattr(connection, "last_run_id", None) for connection in connections]
    )
    active = {
        run.connection_id: run
        for run in Run.objects.filter(connection__in=keys, state__in=Run.ACTIVE)
    }
    for connection in connections:
        yield Line(
            connection=connection,
            last=last.get(getattr(connection, "last_run_id", None)),
            active=active.get(connection.pk),
            enabled=enabled[connection.pk],
            next_due=due[connection.pk],
        )


def _troubles() -> QuerySet[Run]:
    """Return the newest runs that did not go as they should."""
    states = (Run.State.FAILED, Run.State.PARTLY)
    return Run.objects.filter(state__in=states).select_related("connection")[:RUNS]
