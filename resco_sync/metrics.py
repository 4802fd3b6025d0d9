"""`/metrics`: what Prometheus reads. Numbers only; no name of an organization leaves here."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Max, Min, Model, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from connections.models import Connection
from organizations.models import Organization
from resco_sync import pulse
from resco_sync.celery import app
from syncjobs.models import Alert, HeldDeletions, OfflineTransaction, Run, RunError


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer the state of the whole installation, read from the database at this moment."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Installation())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Installation(Collector):
    """Gauges of all processes together, therefore not counted in this one."""

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge."""
        info = GaugeMetricFamily("resco_sync_info", "The version that runs.", labels=["version"])
        info.add_metric([settings.VERSION], 1)
        yield info
        yield _by(Organization, "kind", "resco_sync_organizations", "Hosted organizations.")
        yield _by(Connection, "state", "resco_sync_connections", "Connections.")
        yield _by(Run, "state", "resco_sync_runs", "Runs that are kept.")
        yield GaugeMetricFamily(
            "resco_sync_run_errors", "Error entries that are kept.", RunError.objects.count()
        )
        yield _alerts()
        yield _by(OfflineTransaction, "status", "resco_sync_transactions", "Offline transactions.")
        yield _oldest_pending()
        yield GaugeMetricFamily(
            "resco_sync_held_deletions",
            "Deletions that wait for a decision.",
            HeldDeletions.objects.filter(state=HeldDeletions.State.WAITING).aggregate(
                n=Sum("count")
            )["n"]
            or 0,
        )
        yield _oldest_success()
        yield _periodic_tasks()


def _by(model: type[Model], field: str, name: str, text: str) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=[field])
    rows = model._default_manager.order_by().values_list(field).annotate(Count("pk"))
    for value, count in rows:
        gauge.add_metric([value], count)
    return gauge


def _alerts() -> Metric:
    """Every kind is there, so that an expression on it never lacks a series."""
    gauge = GaugeMetricFamily("resco_sync_alerts", "Open alerts.", labels=["kind"])
    rows = Alert.objects.filter(closed=None).order_by().values_list("kind")
    counts = dict(rows.annotate(Count("pk")))
    for kind in Alert.Kind.values:
        gauge.add_metric([kind], counts.get(kind, 0))
    return gauge


def _oldest_pending() -> Metric:
    pending = OfflineTransaction.objects.filter(status=OfflineTransaction.Status.PENDING)
    oldest = pending.aggregate(at=Min("created"))["at"]
    gauge = GaugeMetricFamily(
        "resco_sync_oldest_pending_seconds",
        "How long the oldest change waits for its server; absent when none waits.",
    )
    if oldest is not None:
        gauge.add_metric([], (timezone.now() - oldest).total_seconds())
    return gauge


def _oldest_success() -> Metric:
    """The connection that has waited longest: an alert on it sees any that fell silent."""
    done = Q(runs__kind=Run.Kind.SYNC, runs__state=Run.State.SUCCEEDED)
    ready = Connection.objects.filter(state=Connection.State.READY)
    times = ready.annotate(last=Max("runs__finished", filter=done)).values_list("last", "created")
    oldest = min((last or created for last, created in times), default=None)
    gauge = GaugeMetricFamily(
        "resco_sync_longest_without_success_seconds",
        "The longest time that a ready connection has had no successful Sync All.",
    )
    if oldest is not None:
        gauge.add_metric([], (timezone.now() - oldest).total_seconds())
    return gauge


def _periodic_tasks() -> Metric:
    gauge = GaugeMetricFamily(
        "resco_sync_periodic_task_age_seconds",
        "Seconds since each periodic task last ran; absent when it never did.",
        labels=["task"],
    )
    for entry in app.conf.beat_schedule.values():
        seconds = pulse.age(entry["task"])
        if seconds is not None:
            gauge.add_metric([entry["task"]], seconds)
    return gauge
