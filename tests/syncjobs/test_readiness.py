"""Check Readiness by its doors: run, command, API and page; and what the grid refuses."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from connections.admin import grid
from connections.models import Connection, ReadinessReport, SyncedEntity
from connections.readiness import saving
from connections.readiness.report import Report
from organizations.errors import InvalidRequest
from syncjobs import checking, runner
from syncjobs.models import Run, SyncJob
from tests.syncjobs.making import make_pair, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nobody_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)


@pytest.fixture
def connection() -> Connection:
    return make_pair(entities=("account", "contact"))


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    return client


def test_a_run_leaves_a_report(connection: Connection) -> None:
    run = make_run(connection, kind=Run.Kind.READINESS)
    runner.work(run.pk)
    run.refresh_from_db()
    saved = saving.latest(connection)
    assert saved is not None
    assert (run.state, run.message) == (Run.State.SUCCEEDED, saved.document["summary"])
    assert [item["name"] for item in saved.document["entities"]] == ["account", "contact"]


def test_an_entity_that_is_refused_makes_the_report_red(connection: Connection) -> None:
    SyncedEntity.objects.create(connection=connection, name="plugintype", enabled=True)
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match="Readiness: red") as raised:
        call_command("readiness", connection.name, stdout=out, stderr=err)
    assert raised.value.returncode == 3
    assert "plugintype: red" in out.getvalue()
    assert "→ Run Update Server, or disable the entity." in out.getvalue()


def test_the_command_prints_json(connection: Connection) -> None:
    out = StringIO()
    call_command("readiness", connection.name, "--json", stdout=out, stderr=StringIO())
    document = json.loads(out.getvalue())
    assert document["colour"] in ("green", "amber")
    assert document["server"][0]["about"] == "login"


def test_the_command_knows_no_stranger() -> None:
    with pytest.raises(CommandError, match="No connection has the client 'nobody'"):
        call_command("readiness", "nobody")


def test_the_api_starts_a_check_and_gives_the_newest_report(
    connection: Connection, browser: Client
) -> None:
    url = reverse("api-readiness", args=[connection.name])
    missing = browser.get(url)
    assert missing.status_code == 404
    assert "never checked" in missing.json()["detail"]
    started = browser.post(url)
    assert (started.status_code, started.json()["kind"]) == (202, "Readiness")
    runner.work(started.json()["id"])
    found = browser.get(url).json()
    assert found["document"]["colour"] == found["colour"]
    assert found["created"]


def test_the_page_shows_date_colour_and_findings(connection: Connection, browser: Client) -> None:
    page = reverse("admin:connections_connection_readiness", args=[connection.pk])
    grid_page = reverse("admin:connections_connection_change", args=[connection.pk])
    assert "never checked" in browser.get(grid_page).content.decode()
    assert "never checked" in browser.get(page).content.decode()
    started = browser.post(page)
    run = Run.objects.get(kind=Run.Kind.READINESS)
    assert started.headers["Location"].endswith(f"{run.pk}/change/")
    runner.work(run.pk)
    text = browser.get(page).content.decode()
    assert "Signed in to" in text
    assert "account" in text
    saved = ReadinessReport.objects.get()
    shown = browser.get(grid_page).content.decode()
    assert f"checked {saved.created:%Y-%m-%d %H:%M} UTC" in shown
    assert f'data-state="{saved.colour}"' in shown


def test_looking_is_not_checking(connection: Connection) -> None:
    user = User.objects.create_user("viewer", "viewer@example.com", "x", is_staff=True)
    client = Client()
    client.force_login(user)
    page = reverse("admin:connections_connection_readiness", args=[connection.pk])
    assert client.post(page).status_code == 403
    assert client.post(reverse("api-readiness", args=[connection.name])).status_code == 403
    assert client.get(reverse("api-readiness", args=[connection.name])).status_code == 403
    assert not Run.objects.exists()


def test_only_the_last_reports_are_kept(connection: Connection) -> None:
    for _ in range(saving.KEPT + 2):
        newest = saving.save(connection, Report(server=()))
    assert connection.readiness.count() == saving.KEPT
    assert saving.latest(connection) == newest


def test_the_interval_is_that_of_the_most_frequent_active_job(connection: Connection) -> None:
    assert checking.interval(connection) is None
    for every, is_active in ((6, True), (2, True), (1, False)):
        SyncJob.objects.create(connection=connection, every=every, is_active=is_active)
    assert checking.interval(connection) == timedelta(hours=2)


def test_a_refused_entity_cannot_be_enabled_in_the_grid(
    connection: Connection, browser: Client
) -> None:
    SyncedEntity.objects.create(connection=connection, name="plugintype", problem="A component.")
    chosen = {"account", "contact", "plugintype"}
    with pytest.raises(InvalidRequest, match="'plugintype' cannot be enabled: A component"):
        grid.save(connection, shown=chosen, enabled=chosen, deletion=set())
    page = reverse("admin:connections_connection_change", args=[connection.pk])
    posted = browser.post(page, {"shown": sorted(chosen), "enabled": sorted(chosen)}, follow=True)
    assert "Nothing was saved: &#x27;plugintype&#x27; cannot be enabled" in posted.content.decode()
    api = reverse("api-entity", args=[connection.name, "plugintype"])
    answer = browser.patch(api, {"enabled": True}, content_type="application/json")
    assert (answer.status_code, answer.json()) == (400, {"enabled": ["A component."]})
    assert not connection.entities.get(name="plugintype").enabled


def test_the_grid_shows_problems_and_notes(connection: Connection, browser: Client) -> None:
    SyncedEntity.objects.create(connection=connection, name="plugintype", problem="A component.")
    SyncedEntity.objects.create(connection=connection, name="role", note="Matched by name.")
    page = reverse("admin:connections_connection_change", args=[connection.pk])
    text = browser.get(page).content.decode()
    assert "A component." in text
    assert "Matched by name." in text
