"""Jobs in the admin: the form, Run Now."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from connections.models import Connection
from syncjobs.models import Run, SyncJob
from tests.syncjobs.making import make_job

ADD = "/admin/syncjobs/syncjob/add/"


def values(client: Connection, **changes: object) -> dict[str, object]:
    """What the form sends."""
    return {
        "connection": client.pk,
        "name": "Every hour",
        "step": "Server.SyncService();",
        "frequency": "hours",
        "every": 1,
        "hour": 1,
        "minute": 0,
        "is_active": "on",
        "keep_logs": "on",
        **changes,
    }


def test_it_saves_a_job_with_the_time_it_comes_due(
    superuser: Client, connection: Connection
) -> None:
    answer = superuser.post(ADD, values(connection))
    assert answer.status_code == 302
    job = SyncJob.objects.get()
    assert job.next_due is not None
    assert job.next_due > timezone.now()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"every": 0}, "every"),
        ({"frequency": "daily", "hour": 24}, "hour"),
        ({"minute": 60}, "minute"),
        ({"frequency": "yearly"}, "frequency"),
        ({"connection": ""}, "connection"),
        ({"name": ""}, "name"),
    ],
)
def test_it_says_which_field_is_wrong(
    superuser: Client, connection: Connection, changes: dict[str, object], field: str
) -> None:
    answer = superuser.post(ADD, values(connection, **changes))
    assert list(answer.context["adminform"].form.errors) == [field]
    assert not SyncJob.objects.exists()


def test_it_runs_a_job_now_though_it_is_not_active(
    superuser: Client, connection: Connection
) -> None:
    job = make_job(connection, is_active=False)
    answer = superuser.post(f"/admin/syncjobs/syncjob/{job.pk}/run-now/")
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/admin/syncjobs/run/{run.pk}/change/"
    assert (run.job, run.actor) == (job, "root")


def test_it_runs_nothing_when_asked_by_get(superuser: Client, connection: Connection) -> None:
    job = make_job(connection)
    superuser.get(f"/admin/syncjobs/syncjob/{job.pk}/run-now/")
    assert not Run.objects.exists()


def test_it_lists_when_jobs_come_due(superuser: Client, connection: Connection) -> None:
    make_job(connection, frequency="daily", hour=4, minute=5)
    make_job(connection, frequency="minutes", every=15)
    make_job(connection, frequency="hours", every=1)
    text = superuser.get("/admin/syncjobs/syncjob/").content.decode()
    assert "daily at 04:05 UTC" in text
    assert "every 15 minutes" in text
    assert "every hour" in text
