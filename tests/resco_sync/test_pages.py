"""What the wiring itself serves: home, health, metrics, the OpenAPI pages, headers, lockout."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from connections.models import Connection, Endpoint
from organizations.models import Organization
from resco_sync import pulse
from resco_sync.celery import RETAIN, TICK
from syncjobs.models import Run


def make_connection(name: str, **values: str) -> Connection:
    """Make a ready connection of a hosted organization with a server elsewhere."""
    organization = Organization.objects.create(name=name, kind=Organization.Kind.CLIENT)
    server = Endpoint.objects.create(backend="dynamics", url="https://server.example")
    client = Endpoint.objects.create(backend="hosted", organization=organization)
    return Connection.objects.create(
        name=name, server=server, client=client, state=Connection.State.READY, **values
    )


def unavailable(*args: object, **kwargs: object) -> None:
    """Stand for a database that is gone."""
    raise OperationalError("gone")


@pytest.mark.django_db
def test_it_leads_home_to_the_admin(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/admin/"


@pytest.mark.django_db
def test_it_is_healthy_and_says_that_no_worker_was_heard(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    expected = {"status": "ok", "database": "ok", "redis": "ok", "worker": "silent"}
    assert answer.json() == expected


@pytest.mark.django_db
def test_it_hears_a_worker(client: Client) -> None:
    pulse.beat(TICK)
    assert client.get("/healthz").json()["worker"] == "ok"


@pytest.mark.django_db
def test_it_is_unhealthy_without_its_database(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "cursor", unavailable)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "unavailable"


@pytest.mark.django_db
def test_it_is_unhealthy_without_redis(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {**caches.settings["default"], "LOCATION": "unix:///nowhere/s.sock"}
    settings.CACHES = {"default": place}
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["redis"] == "unavailable"
    assert answer.json()["worker"] == "unknown"


@pytest.mark.django_db
def test_it_shows_numbers_and_no_names_to_prometheus(client: Client) -> None:
    made = make_connection("secretive")
    Run.objects.create(connection=made, kind=Run.Kind.SYNC, reason="test", state="queued")
    pulse.beat(RETAIN)
    answer = client.get("/metrics")
    lines = answer.content.decode().splitlines()
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'resco_sync_organizations{kind="client"} 1.0' in lines
    assert 'resco_sync_connections{state="ready"} 1.0' in lines
    assert 'resco_sync_runs{state="queued"} 1.0' in lines
    assert any(
        line.startswith(f'resco_sync_periodic_task_age_seconds{{task="{RETAIN}"') for line in lines
    )
    assert "secretive" not in answer.content.decode()


@pytest.mark.django_db
def test_it_measures_the_connection_that_waits_longest_for_a_success(client: Client) -> None:
    hour = timedelta(hours=1)
    fresh, stale = make_connection("fresh"), make_connection("stale")
    for made, hours in ((fresh, 1), (stale, 3), (stale, 5)):
        Run.objects.create(
            connection=made,
            kind=Run.Kind.SYNC,
            state=Run.State.SUCCEEDED,
            finished=timezone.now() - hours * hour,
        )
    Run.objects.create(
        connection=stale, kind=Run.Kind.SYNC, state=Run.State.FAILED, finished=timezone.now()
    )
    lines = client.get("/metrics").content.decode().splitlines()
    name = "resco_sync_longest_without_success_seconds "
    seconds = next(float(line.removeprefix(name)) for line in lines if line.startswith(name))
    assert 3 * 3600 <= seconds < 3.1 * 3600


@pytest.mark.django_db
def test_it_describes_the_json_api(client: Client) -> None:
    assert b"openapi: 3" in client.get("/api/schema/").content
    page = client.get("/api/docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/" in page
    assert "https://" not in page


@pytest.mark.django_db
def test_it_tells_browsers_to_load_nothing_from_elsewhere(client: Client) -> None:
    headers = client.get("/admin/login/").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_it_locks_out_who_guesses_passwords(client: Client, settings: Settings) -> None:
    settings.AXES_ENABLED = True
    User.objects.create_superuser("ada", password="right password")
    form = {"username": "ada", "password": "wrong"}
    statuses = [client.post("/admin/login/", form).status_code for _ in range(5)]
    assert statuses[:4] == [200] * 4
    right = client.post("/admin/login/", {**form, "password": "right password"})
    assert right.status_code == 429


@pytest.mark.django_db
def test_it_shows_the_navigation_of_woodford(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()
    for title in ("Resco CRM Sync", "Connections", "Runs", "Jobs", "Organizations"):
        assert title in page
