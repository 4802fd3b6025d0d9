"""The ledger of requests: written in batches, kept for a while; and the caps on their number."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from connections.connectors.limits import Limiter, Usage
from connections.connectors.limits_cap import Cap
from connections.models import Endpoint, RequestCap, RequestHour

KEPT = timedelta(days=35)
SHOWN_HOURS = 48


def limiter(endpoint: Endpoint) -> Limiter:
    """Return a limiter that obeys the endpoint's cap and writes its ledger."""
    row = RequestCap.objects.filter(endpoint=endpoint).first()
    cap = None if row is None else cap_of(row)
    return Limiter(cap=cap, book=partial(book, endpoint.pk))


def cap_of(row: RequestCap) -> Cap:
    """Return a cap as the limiter takes it."""
    return Cap(
        percent=row.percent,
        days=frozenset(map(int, row.days)),
        from_hour=row.from_hour,
        until_hour=row.until_hour,
        zone=row.zone,
    )


def book(endpoint: Any, used: Usage) -> None:
    """Add what was used to the present hour of the endpoint with that id.

    Nothing is written for an endpoint that was deleted meanwhile.
    """
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    sums = {
        "requests": F("requests") + used.requests,
        "throttled": F("throttled") + used.throttled,
        "waited": F("waited") + used.waited,
        "received": F("received") + used.received,
    }
    rows = RequestHour.objects.filter(endpoint=endpoint, hour=hour)
    if rows.update(**sums) or not Endpoint.objects.filter(pk=endpoint).exists():
        return
    RequestHour.objects.bulk_create(
        [RequestHour(endpoint_id=endpoint, hour=hour)], ignore_conflicts=True
    )
    rows.update(**sums)
    RequestHour.objects.filter(endpoint=endpoint, hour__lt=now - KEPT).delete()


def recent(endpoint: Endpoint) -> QuerySet[RequestHour]:
    """Return the hours of the last two days in which there were requests, the latest first."""
    since = timezone.now() - timedelta(hours=SHOWN_HOURS)
    return endpoint.request_hours.filter(hour__gt=since)
