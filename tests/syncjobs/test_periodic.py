"""The tick: due jobs, waiting runs, lost workers; delivered any number of times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from syncjobs import lease, periodic
from syncjobs.models import Run, SyncJob
from tests.syncjobs.making import make_connection, make_job, make_run
from tests.syncjobs.test_lease import at_once, claimed, let_end

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The run ids that workers were called to."""
    made: list[str] = []

    def send_task(name: str, args: tuple[str, ...], **options: Any) -> None:
        made.append(args[0])

    monkeypatch.setattr(current_app, "send_task", send_task)
    return made


def make_due_job(**more: Any) -> SyncJob:
    values = {"frequency": "minutes", "every": 30, "is_active": True, "next_due": NOON}
    return make_job(make_connection(), **values | more)


def test_it_starts_a_due_job_once(calls: list[str]) -> None:
    job = make_due_job()
    periodic.tick(NOON)
    run = Run.objects.get()
    assert (run.kind, run.reason, run.actor, run.job) == ("Sync", "job", "SyncJob", job)
    job.refresh_from_db()
    assert job.next_due == NOON + timedelta(minutes=30)
    assert job.last_run is not None
    assert calls == [str(run.pk)]


@pytest.mark.parametrize("times", [2, 5])
def test_it_comes_to_the_same_when_delivered_often(times: int) -> None:
    make_due_job()
    for _ in range(times):
        periodic.tick(NOON)
    assert Run.objects.count() == 1


def test_it_comes_to_the_same_when_delivered_at_once() -> None:
    make_due_job()
    ticks: list[Callable[[], None]] = [lambda: periodic.tick(NOON)] * 5
    at_once(ticks)
    assert Run.objects.count() == 1


def test_it_makes_up_for_missed_times_with_one_run() -> None:
    job = make_due_job(next_due=NOON - timedelta(days=3))
    periodic.tick(NOON + timedelta(minutes=1))
    assert Run.objects.count() == 1
    job.refresh_from_db()
    assert job.next_due == NOON + timedelta(minutes=30)


@pytest.mark.parametrize("values", [{"is_active": False}, {"next_due": NOON + timedelta(hours=1)}])
def test_it_leaves_a_job_alone_that_is_not_due(values: dict[str, Any]) -> None:
    make_due_job(**values)
    periodic.tick(NOON)
    assert not Run.objects.exists()


def test_it_plans_an_active_job_that_has_no_time_yet() -> None:
    job = make_due_job(next_due=None)
    periodic.tick(NOON)
    job.refresh_from_db()
    assert job.next_due == NOON + timedelta(minutes=30)
    assert not Run.objects.exists()


def test_it_deactivates_a_job_that_makes_no_sense_and_starts_the_others() -> None:
    wrong = make_due_job(every=0)
    right = make_job(make_connection("south"), frequency="daily", is_active=True, next_due=NOON)
    periodic.tick(NOON)
    wrong.refresh_from_db()
    assert not wrong.is_active
    assert Run.objects.get().job == right


def test_it_calls_workers_to_runs_whose_call_was_lost(calls: list[str]) -> None:
    run = make_run(make_connection())
    periodic.wake_waiting()
    assert calls == [str(run.pk)]


def test_it_does_not_pile_up_calls(calls: list[str]) -> None:
    run = make_run(make_connection())
    periodic.wake_waiting()
    periodic.wake_waiting()
    assert len(calls) == 1
    Run.objects.update(woken=timezone.now() - periodic.WAKE_AGAIN - timedelta(seconds=1))
    periodic.wake_waiting()
    assert calls == [str(run.pk)] * 2


def test_it_calls_workers_to_runs_whose_worker_is_gone(calls: list[str]) -> None:
    run = claimed(make_run(make_connection()))
    periodic.wake_waiting()
    assert calls == []
    let_end(run)
    periodic.wake_waiting()
    assert calls == [str(run.pk)]


def test_it_does_not_call_to_a_run_that_must_wait(calls: list[str]) -> None:
    connection = make_connection()
    claimed(make_run(connection))
    make_run(connection)
    periodic.wake_waiting()
    assert calls == []


def test_it_runs_a_job_now_whether_or_not_it_is_active() -> None:
    job = make_due_job(is_active=False, next_due=None)
    run = periodic.run_now(job, actor="ann")
    assert (run.reason, run.actor, run.job) == ("Run Now", "ann", job)
    job.refresh_from_db()
    assert job.next_due is None
    assert job.last_run is not None
    assert lease.claim(run.pk, "a") is not None
