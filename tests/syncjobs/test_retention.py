"""Which history is removed, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from syncjobs import retention
from syncjobs.models import Run, RunEntity, RunError
from tests.syncjobs.making import make_connection, make_job, make_run

pytestmark = pytest.mark.django_db

OLD = timedelta(days=91)
RECENT = timedelta(hours=2)


@pytest.mark.parametrize(
    ("keep_logs", "state", "age", "stays"),
    [
        (True, "succeeded", RECENT, True),
        (False, "succeeded", RECENT, False),
        (False, "succeeded", timedelta(minutes=5), True),
        (False, "partly", RECENT, True),
        (False, "failed", RECENT, True),
        (False, "cancelled", RECENT, True),
        (True, "succeeded", OLD, False),
        (True, "failed", OLD, False),
    ],
)
def test_it_keeps_what_the_job_keeps(
    *, keep_logs: bool, state: str, age: timedelta, stays: bool
) -> None:
    connection = make_connection()
    job = make_job(connection, keep_logs=keep_logs)
    make_run(connection, job=job, state=state, finished=timezone.now() - age)
    assert retention.retain() == (0 if stays else 1)
    assert Run.objects.exists() is stays


@pytest.mark.parametrize("state", ["queued", "running", "cancelling"])
def test_it_never_removes_a_run_that_goes_on(state: str) -> None:
    run = make_run(make_connection(), state=state)
    Run.objects.update(created=timezone.now() - OLD, started=timezone.now() - OLD)
    assert retention.retain() == 0
    assert Run.objects.get() == run


def test_it_removes_all_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    connection = make_connection()
    values: dict[str, Any] = {"state": "failed", "finished": timezone.now() - OLD}
    for _ in range(5):
        run = make_run(connection, **values)
        RunEntity.objects.create(run=run, name="account")
        RunError.objects.create(run=run, message="no")
    assert retention.retain() == 5
    assert not RunEntity.objects.exists()
    assert not RunError.objects.exists()
