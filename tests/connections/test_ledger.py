"""The ledger of requests, and caps as the limiter takes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from connections import ledger, registry
from connections.connectors.limits import Limiter, Usage
from connections.models import Endpoint, RequestCap, RequestHour
from connections.secrets import seal

pytestmark = pytest.mark.django_db


def make_endpoint() -> Endpoint:
    return Endpoint.objects.create(backend=Endpoint.Backend.DYNAMICS, url="https://x.example")


def make_use(requests: int) -> Usage:
    return Usage(requests=requests, throttled=1, waited=0.5, received=10)


def test_it_adds_to_the_hour() -> None:
    endpoint = make_endpoint()
    for count in (3, 4):
        ledger.book(endpoint.pk, make_use(count))
    row = RequestHour.objects.get()
    assert (row.requests, row.throttled, row.waited, row.received) == (7, 2, 1.0, 20)
    assert timezone.now() - row.hour < timedelta(hours=1)


def test_it_writes_nothing_for_an_endpoint_that_is_gone() -> None:
    endpoint = make_endpoint()
    Endpoint.objects.all().delete()
    ledger.book(endpoint.pk, make_use(3))
    assert not RequestHour.objects.exists()


def test_it_shows_two_days_and_forgets_after_five_weeks() -> None:
    endpoint, now = make_endpoint(), timezone.now()
    for days in (1, 3, 40):
        RequestHour.objects.create(endpoint=endpoint, hour=now - timedelta(days=days), requests=1)
    assert ledger.recent(endpoint).count() == 1
    ledger.book(endpoint.pk, make_use(1))
    assert RequestHour.objects.count() == 3


def test_a_limiter_books_what_is_new() -> None:
    endpoint = make_endpoint()
    limiter = ledger.limiter(endpoint)
    for _ in range(2):
        with limiter.turn():
            pass
    limiter.settle(every=60)
    assert not RequestHour.objects.exists()
    limiter.settle()
    limiter.settle()
    assert RequestHour.objects.get().requests == 2


def test_a_cap_is_taken_as_it_stands() -> None:
    row = RequestCap(percent=40, days="56", from_hour=0, until_hour=24, zone="Asia/Tokyo")
    cap = ledger.cap_of(row)
    # Friday evening in UTC is Saturday morning in Tokyo.
    assert cap.fraction(datetime(2024, 5, 3, 16, tzinfo=UTC)) == 0.4
    assert cap.fraction(datetime(2024, 5, 3, 14, tzinfo=UTC)) == 1


def test_a_connector_of_a_saved_endpoint_keeps_to_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = make_endpoint()
    endpoint.sealed_secret = seal("s3cret", endpoint.pk)
    limited: list[Limiter] = []
    monkeypatch.setattr(
        "connections.connectors.dynamics.connector.DynamicsConnector.limit",
        lambda self, limiter: limited.append(limiter),
    )
    with registry.connector(endpoint):
        assert len(limited) == 1
