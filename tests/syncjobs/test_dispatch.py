"""Starting, queueing and cancelling runs."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from organizations.errors import InvalidRequest
from syncjobs import dispatch, lease
from syncjobs.models import Run
from tests.syncjobs.making import make_connection, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The run ids that workers were called to."""
    made: list[str] = []

    def send_task(name: str, args: tuple[str, ...], **options: Any) -> None:
        assert name == dispatch.WAKE_TASK
        made.append(args[0])

    monkeypatch.setattr(current_app, "send_task", send_task)
    return made


def test_it_writes_a_run_and_calls_a_worker_after_commit(calls: list[str]) -> None:
    connection = make_connection()
    with transaction.atomic():
        run = dispatch.start_sync(connection, reason="button", actor="ann")
        assert calls == []
    assert calls == [str(run.pk)]
    run.refresh_from_db()
    assert (run.state, run.kind, run.reason, run.actor) == ("queued", "Sync", "button", "ann")
    assert run.options == {"entities": [], "dry_run": False, "full": False}
    assert run.woken is not None


def test_it_writes_nothing_and_calls_nobody_when_rolled_back(calls: list[str]) -> None:
    connection = make_connection()
    with transaction.atomic():
        dispatch.start_sync(connection, reason="button")
        transaction.set_rollback(True)
    assert calls == []
    assert not Run.objects.exists()


def test_it_returns_the_waiting_sync_of_the_same_options(calls: list[str]) -> None:
    connection = make_connection(entities=("account", "lead"))
    first = dispatch.start_sync(connection, entities=["lead", "account"], reason="button")
    again = dispatch.start_sync(connection, entities=["account", "lead"], reason="job")
    other = dispatch.start_sync(connection, entities=["account"], reason="job")
    assert again.pk == first.pk
    assert other.pk != first.pk


def test_it_queues_behind_a_running_run(calls: list[str]) -> None:
    connection = make_connection()
    first = dispatch.start_sync(connection, reason="button")
    assert lease.claim(first.pk, "a")
    second = dispatch.start_sync(connection, reason="button")
    assert second.pk != first.pk
    assert lease.claim(second.pk, "b") is None


def test_it_keeps_the_run_when_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def send_task(*args: Any, **options: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(current_app, "send_task", send_task)
    run = dispatch.start_sync(make_connection(), reason="button")
    assert Run.objects.get().pk == run.pk


def test_it_refuses_entities_that_are_not_enabled(calls: list[str]) -> None:
    with pytest.raises(InvalidRequest, match="Not enabled for 'field': lead") as caught:
        dispatch.start_sync(make_connection(), entities=["account", "lead"], reason="button")
    assert caught.value.element == "Entities"
    assert not Run.objects.exists()


def test_it_cancels_a_queued_run_at_once_and_calls_the_next(calls: list[str]) -> None:
    connection = make_connection()
    first = make_run(connection)
    second = make_run(connection)
    assert dispatch.cancel(first)
    assert first.state == Run.State.CANCELLED
    assert first.finished is not None
    assert calls == [str(second.pk)]


def test_it_asks_a_running_run_to_stop(calls: list[str]) -> None:
    run = make_run(make_connection())
    lease.claim(run.pk, "a")
    assert dispatch.cancel(run)
    assert run.state == Run.State.CANCELLING
    assert run.finished is None


@pytest.mark.parametrize("state", ["succeeded", "partly", "failed", "cancelled"])
def test_it_cancels_no_ended_run(calls: list[str], state: str) -> None:
    run = make_run(make_connection(), state=state)
    assert not dispatch.cancel(run)
    assert run.state == state


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ("setting_up", "Setting up was cancelled. Update Server goes on with it."),
        ("ready", ""),
    ],
)
def test_a_cancelled_connect_job_says_so_on_its_connection(
    calls: list[str], state: str, problem: str
) -> None:
    connection = make_connection(state=state)
    assert dispatch.cancel(make_run(connection, kind=Run.Kind.CONNECT))
    connection.refresh_from_db()
    assert (connection.state, connection.problem) == (state, problem)
