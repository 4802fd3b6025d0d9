"""Silence is an alert: opened, told of once, closed when it is over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from connections.models import Connection, SyncedEntity
from syncjobs import alerts, silence, tasks
from syncjobs.models import (
    Alert,
    HeldDeletions,
    OfflineTransaction,
    QueueLength,
    Run,
    RunEntity,
    SyncJob,
)
from tests.fakes.server import Answer, Request, serve
from tests.syncjobs.making import make_connection, make_job, make_run

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
Kind = Alert.Kind


def make_past_run(connection: Connection, state: str, hours: float = 1, **more: Any) -> Run:
    run = make_run(connection, state=state, **more)
    Run.objects.filter(pk=run.pk).update(created=NOW - timedelta(hours=hours))
    return run


def make_pending(connection: Connection, count: int = 1, *, hours: float = 0) -> None:
    entity = connection.entities.earliest("pk")
    for number in range(count):
        row = OfflineTransaction.objects.create(
            connection=connection,
            entity=entity,
            client_id=uuid4(),
            action=OfflineTransaction.Action.UPDATE,
            version=number,
            first_version=number,
        )
        OfflineTransaction.objects.filter(pk=row.pk).update(created=NOW - timedelta(hours=hours))


def look(at: datetime = NOW) -> list[tuple[str, str, str]]:
    """Kind, subject and message of the alerts that are open after a look."""
    alerts.look(at)
    return [(row.kind, row.subject, row.message) for row in Alert.objects.filter(closed=None)]


def kinds(at: datetime = NOW) -> list[str]:
    return [kind for kind, _, _ in look(at)]


def test_an_installation_that_does_what_it_should_has_no_alert() -> None:
    connection = make_connection()
    make_job(connection, is_active=True, next_due=NOW + timedelta(hours=1))
    for _ in range(4):
        make_past_run(connection, Run.State.SUCCEEDED)
    make_pending(connection)
    assert look() == []


def test_a_job_that_nobody_started_is_an_alert_until_it_is_started() -> None:
    job = make_job(make_connection(), is_active=True, next_due=NOW - timedelta(minutes=11))
    ((kind, subject, message),) = look()
    assert (kind, subject) == (Kind.JOB_MISSED, str(job.pk))
    assert message.startswith("'SyncJob' should have started at 2026-05-04 11:49 UTC, and nothing")
    SyncJob.objects.update(next_due=NOW + timedelta(hours=1))
    assert look() == []
    assert Alert.objects.get().closed == NOW


def test_a_job_that_is_a_little_late_or_not_active_is_none() -> None:
    connection = make_connection()
    make_job(connection, is_active=True, next_due=NOW - timedelta(minutes=9))
    make_job(connection, is_active=False, next_due=NOW - timedelta(days=9))
    assert look() == []


def test_a_run_of_a_job_that_no_worker_takes_is_an_alert() -> None:
    connection = make_connection()
    job = make_job(connection)
    make_past_run(connection, Run.State.QUEUED, job=job)
    ((kind, subject, message),) = look()
    assert (kind, subject) == (Kind.JOB_MISSED, str(job.pk))
    assert "no worker took it" in message


def test_it_says_behind_which_run_a_job_waits() -> None:
    connection = make_connection()
    make_past_run(connection, Run.State.RUNNING, hours=5, kind=Run.Kind.UPDATE_SERVER)
    make_past_run(connection, Run.State.QUEUED, job=make_job(connection))
    ((_, _, message),) = look()
    assert message.endswith("behind Update Server, which is not at its end yet.")


def test_runs_that_fail_again_and_again_are_one_alert() -> None:
    connection = make_connection()
    for hours in (3, 2):
        make_past_run(connection, Run.State.FAILED, hours=hours, message="No login.")
    assert look() == []
    make_past_run(connection, Run.State.FAILED, message="Still no login.")
    told = "Sync All failed 3 times in a row. The last time: Still no login."
    assert look() == [(Kind.FAILING, Run.Kind.SYNC, told)]
    make_past_run(connection, Run.State.SUCCEEDED, hours=0.5)
    assert look() == []


def test_dry_runs_prove_nothing() -> None:
    connection = make_connection()
    for hours in (4, 3, 2):
        make_past_run(connection, Run.State.FAILED, hours=hours)
    make_past_run(connection, Run.State.SUCCEEDED, options={"dry_run": True})
    assert kinds() == [Kind.FAILING]


def test_an_entity_that_is_not_carried_any_more_is_an_alert() -> None:
    connection = make_connection(entities=("account", "lead", "contact"))
    SyncedEntity.objects.filter(name="contact").update(enabled=False)
    for hours in (3, 2, 1):
        run = make_past_run(connection, Run.State.PARTLY, hours=hours)
        for name in ("account", "contact"):
            RunEntity.objects.create(
                run=run, name=name, state=RunEntity.State.FAILED, message=f"{name} at {hours}"
            )
        RunEntity.objects.create(run=run, name="lead", state=RunEntity.State.DONE)
    told = "'account' was not carried 3 times in a row. The last time: account at 1"
    assert look() == [(Kind.ENTITY_STUCK, "account", told)]


@pytest.mark.parametrize(
    ("mode", "hours", "expected"),
    [
        (Connection.WriteMode.INSTANT, 0.9, []),
        (Connection.WriteMode.INSTANT, 1.1, [Kind.QUEUE_OLD]),
        (Connection.WriteMode.OFFLINE, 23, []),
        (Connection.WriteMode.OFFLINE, 25, [Kind.QUEUE_OLD]),
    ],
)
def test_a_change_that_waits_too_long_is_an_alert(
    mode: str, hours: float, expected: list[str]
) -> None:
    make_pending(make_connection(write_mode=mode), 2, hours=hours)
    assert kinds() == expected


def test_it_says_that_no_job_will_deliver() -> None:
    connection = make_connection()
    make_pending(connection, 2, hours=30)
    ((_, _, message),) = look()
    assert message == (
        "The oldest of 2 waiting changes waits since 2026-05-03 06:00 UTC. No job of the "
        "connection is active: press Sync All, or activate a job."
    )


def test_a_rare_job_is_waited_for() -> None:
    connection = make_connection()
    make_job(connection, is_active=True, frequency="hours", every=48, next_due=NOW)
    make_pending(connection, hours=100)
    assert look() == []
    assert silence.patience(connection, NOW) == timedelta(hours=144)


def test_a_queue_that_only_grows_is_an_alert_and_one_that_is_emptied_is_none() -> None:
    connection = make_connection(write_mode=Connection.WriteMode.INSTANT)
    make_pending(connection, 5)
    for minutes in range(60, 0, -10):
        alerts.look(NOW - timedelta(minutes=minutes))
        make_pending(connection, 5)
    ((kind, _, message),) = look()
    assert kind == Kind.QUEUE_GROWS
    assert message.startswith("35 changes wait, 5 did at 2026-05-04 11:00 UTC")
    OfflineTransaction.objects.filter(version__gt=0).delete()
    assert look(NOW + timedelta(minutes=6)) == []


def test_lengths_are_counted_now_and_then_and_not_of_what_stays_empty() -> None:
    connection = make_connection()
    alerts.look(NOW)
    assert not QueueLength.objects.exists()
    make_pending(connection)
    for minutes in (1, 2, 7):
        alerts.look(NOW + timedelta(minutes=minutes))
    assert [row.count for row in QueueLength.objects.all()] == [1, 1]


def test_deletions_that_wait_for_a_person_are_an_alert() -> None:
    connection = make_connection()
    held = HeldDeletions.objects.create(
        entity=connection.entities.get(),
        reason="More than 500 in a day.",
        server_ids=[uuid4()],
        count=700,
        linked=9000,
    )
    told = "700 deletions of 'account' wait for a decision: More than 500 in a day."
    assert look() == [(Kind.HELD, "account", told)]
    held.state = HeldDeletions.State.DECLINED
    held.save()
    assert look() == []


def test_a_connection_that_is_not_set_up_has_none() -> None:
    connection = make_connection(state=Connection.State.SETTING_UP)
    make_pending(connection, hours=99)
    assert look() == []


def test_an_alert_stays_one_and_says_the_newest() -> None:
    connection = make_connection()
    make_pending(connection, hours=30)
    look()
    make_pending(connection, hours=31)
    ((_, _, message),) = look(NOW + timedelta(hours=1))
    assert message.startswith("The oldest of 2 waiting")
    assert Alert.objects.get().opened == NOW


def test_what_was_over_long_ago_is_forgotten() -> None:
    connection = make_connection()
    for days, subject in ((91, "old"), (89, "new")):
        closed = NOW - timedelta(days=days)
        Alert.objects.create(
            connection=connection, kind=Kind.HELD, subject=subject, opened=closed, closed=closed
        )
    look()
    assert [alert.subject for alert in Alert.objects.all()] == ["new"]


def test_the_clock_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    make_pending(make_connection())
    OfflineTransaction.objects.update(created=datetime(2020, 1, 1, tzinfo=UTC))
    tasks.watch.apply()
    assert Alert.objects.get().kind == Kind.QUEUE_OLD


# Telling


def test_an_alert_is_mailed_once(settings: Settings) -> None:
    settings.RESCO_SYNC_ALERT_EMAIL = ["ops@example.com", "boss@example.com"]
    make_pending(make_connection(), hours=30)
    look()
    look(NOW + timedelta(minutes=1))
    (message,) = mail.outbox
    assert message.subject == "field: A change waits too long"
    assert message.to == ["ops@example.com", "boss@example.com"]
    assert "Since 2026-05-04 12:00 UTC." in message.body


def test_an_alert_is_posted_to_the_webhook_once(settings: Settings) -> None:
    received: list[Any] = []

    def answer(request: Request) -> Answer:
        received.append(orjson.loads(request.body))
        return Answer(status=204)

    with serve(answer) as url:
        settings.RESCO_SYNC_ALERT_WEBHOOK = f"{url}/hook"
        settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
        make_pending(make_connection(), hours=30)
        look()
        look()
    (document,) = received
    assert document["alert"]["connection"] == "field"
    assert document["alert"]["kind"] == Kind.QUEUE_OLD
    assert document["text"].startswith("field: A change waits too long")


def test_what_cannot_be_sent_is_tried_again_a_few_times(settings: Settings) -> None:
    answers = [500] * 3 + [200] * 9

    def answer(request: Request) -> Answer:
        return Answer(status=answers.pop(0))

    with serve(answer) as url:
        settings.RESCO_SYNC_ALERT_WEBHOOK = url
        settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
        make_pending(make_connection(), hours=30)
        for _ in range(5):
            look()
    assert Alert.objects.get().attempts == 3
    assert Alert.objects.get().posted == NOW
    assert len(answers) == 8


def test_an_address_that_is_not_allowed_is_not_called(settings: Settings) -> None:
    settings.RESCO_SYNC_ALERT_WEBHOOK = "http://127.0.0.1:9/hook"
    settings.RESCO_SYNC_EGRESS_ALLOW = []
    make_pending(make_connection(), hours=30)
    for _ in range(9):
        look()
    assert (Alert.objects.get().attempts, Alert.objects.get().posted) == (5, None)


# Showing


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    return client


def test_the_first_page_and_the_connection_show_open_alerts(browser: Client) -> None:
    connection = make_connection()
    make_pending(connection, hours=30)
    look()
    for address in ("/admin/", f"/admin/connections/connection/{connection.pk}/change/"):
        page = browser.get(address).content.decode()
        assert "A change waits too long" in page
        assert "press Sync All, or activate a job" in page
    Alert.objects.update(closed=NOW)
    assert "A change waits too long" not in browser.get("/admin/").content.decode()


def test_the_list_shows_those_that_are_over_too(browser: Client) -> None:
    make_pending(make_connection(), hours=30)
    look()
    Alert.objects.update(closed=NOW)
    page = browser.get("/admin/syncjobs/alert/").content.decode()
    assert "A change waits too long" in page


def test_the_api_lists_open_alerts_and_on_request_all(browser: Client) -> None:
    make_pending(make_connection(), hours=30)
    make_pending(make_connection("other"), hours=30)
    look()
    Alert.objects.filter(connection__name="other").update(closed=NOW)
    assert [row["connection"] for row in browser.get("/api/alerts/").json()["results"]] == ["field"]
    everything = browser.get("/api/alerts/?all=true").json()["results"]
    assert {row["connection"] for row in everything} == {"field", "other"}
    assert browser.get("/api/alerts/?connection=other").json()["results"] == []


def test_the_api_is_not_for_everybody() -> None:
    user = User.objects.create_user("some", is_staff=True)
    client = Client()
    client.force_login(user)
    assert client.get("/api/alerts/").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_alert"))
    assert client.get("/api/alerts/").status_code == 200


def command(*arguments: str) -> tuple[int, str, str]:
    out = StringIO()
    try:
        call_command("alerts", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)
    return 0, out.getvalue(), ""


def test_the_command_fails_while_an_alert_is_open() -> None:
    assert command() == (0, "", "")
    make_pending(make_connection())
    OfflineTransaction.objects.update(created=datetime(2020, 1, 1, tzinfo=UTC))
    code, out, why = command()
    assert (code, why) == (1, "1 alert open.")
    assert "field: A change waits too long, since" in out
    code, out, _ = command("--json")
    assert json.loads(out)[0]["kind"] == Kind.QUEUE_OLD
    OfflineTransaction.objects.all().delete()
    assert command() == (0, "", "")
    assert ", over " in command("--all")[1]


def test_metrics_show_alerts_and_the_queue() -> None:
    make_pending(make_connection(), 2, hours=30)
    look()
    text = Client().get("/metrics").content.decode()
    assert 'resco_sync_alerts{kind="queue_old"} 1.0' in text
    assert 'resco_sync_alerts{kind="held"} 0.0' in text
    assert 'resco_sync_transactions{status="pending"} 2.0' in text
    assert "resco_sync_oldest_pending_seconds " in text
    assert "resco_sync_held_deletions 0.0" in text
