"""One worker and one run: how it ends, and what is left when it does not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, transaction

from connections.errors import LoginFailed, Retryable
from connections.models import Connection, SyncedEntity
from organizations.errors import InvalidRequest
from syncjobs import dispatch, kinds, lease, runner
from syncjobs.errors import Cancelled, LostLease, ServerChanged
from syncjobs.kinds import Outcome
from syncjobs.models import Run
from syncjobs.reporter import DatabaseReporter
from tests.syncjobs.making import (
    client_store,
    fill,
    make_connection,
    make_pair,
    make_run,
    names,
    server_store,
)
from tests.syncjobs.test_lease import claimed, let_end

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("calls", "no_organizations_left"),
]


def work(connection: Connection, **options: Any) -> Run:
    run = dispatch.start_sync(connection, reason="test", **options)
    runner.work(run.pk)
    run.refresh_from_db()
    return run


def instead(monkeypatch: pytest.MonkeyPatch, act: Callable[[Run], Outcome]) -> None:
    """Let syncs do something else."""
    monkeypatch.setattr(kinds, "KINDS", {**kinds.KINDS, Run.Kind.SYNC: act})
    monkeypatch.setattr(runner, "KINDS", kinds.KINDS)


def failing(error: BaseException) -> Callable[[Run], Outcome]:
    def act(run: Run) -> Outcome:
        raise error

    return act


def test_it_carries_records_and_says_how_many() -> None:
    connection = make_pair()
    fill(connection, 12)
    run = work(connection)
    assert (run.state, run.message) == (
        "succeeded",
        "1 entities: 12 read, 12 created, 0 updated, 0 deleted, 0 unchanged, 0 rejected.",
    )
    assert run.finished is not None
    assert run.lease_until is None
    assert names(client_store(connection)) == names(server_store(connection))


def test_it_writes_nothing_the_second_time() -> None:
    connection = make_pair()
    fill(connection, 12)
    work(connection)
    before = client_store(connection).row_version()
    run = work(connection)
    assert run.state == "succeeded"
    assert client_store(connection).row_version() == before
    assert "0 created, 0 updated" in run.message


def test_it_writes_no_record_in_a_dry_run() -> None:
    connection = make_pair()
    fill(connection, 12)
    run = work(connection, dry_run=True)
    assert (run.state, run.entities.get().created) == ("succeeded", 12)
    assert names(client_store(connection)) == {}
    assert work(connection).entities.get().created == 12


def test_it_carries_only_the_entities_asked_for() -> None:
    connection = make_pair(entities=("account", "lead"))
    fill(connection, 2)
    fill(connection, 3, entity="lead")
    run = work(connection, entities=["lead"])
    assert [row.name for row in run.entities.all()] == ["lead"]
    assert len(names(client_store(connection), "lead")) == 3
    assert names(client_store(connection)) == {}


def test_it_applies_the_sync_filter() -> None:
    connection = make_pair()
    fill(connection, 12)
    SyncedEntity.objects.update(
        filter_xml='<fetch><entity name="account"><filter>'
        '<condition attribute="name" operator="eq" value="account 7"/></filter></entity></fetch>'
    )
    work(connection)
    assert list(names(client_store(connection)).values()) == ["account 7"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"problem": "Only through its calendar."}, "Only through its calendar."),
        ({"filter_xml": "<fetch>"}, "The sync filter cannot be used"),
        (
            {"filter_xml": '<fetch><entity name="lead"/></fetch>'},
            "is about 'lead'. Write it about 'account'.",
        ),
    ],
)
def test_it_goes_on_without_an_entity_that_cannot_be_carried(
    values: dict[str, str], reason: str
) -> None:
    connection = make_pair(entities=("account", "lead"))
    fill(connection, 2)
    fill(connection, 3, entity="lead")
    SyncedEntity.objects.filter(name="account").update(**values)
    run = work(connection)
    assert run.state == "partly"
    assert reason in run.message
    assert run.entities.get(name="account").state == "failed"
    assert run.errors.get().code == "NotCarried"
    assert len(names(client_store(connection), "lead")) == 3


def test_it_asks_for_update_server_where_the_client_has_no_definition() -> None:
    connection = make_pair()
    SyncedEntity.objects.update(name="opportunity")
    run = work(connection)
    assert run.state == "failed"
    assert "no definition of 'opportunity' yet. Run Update Server." in run.message


def test_it_refuses_a_connection_that_is_not_set_up() -> None:
    connection = make_pair()
    Connection.objects.update(state="failed", problem="The password is wrong.")
    run = work(connection)
    assert run.state == "failed"
    assert run.message == (
        "'field' is not set up. The password is wrong. Connect it again, then start the sync."
    )


def test_it_refuses_to_carry_nothing() -> None:
    connection = make_pair()
    SyncedEntity.objects.update(enabled=False)
    run = work(connection)
    assert (run.state, run.message[:23]) == ("failed", "No entity is enabled. C")


def test_it_reads_everything_again_after_an_entity_was_disabled() -> None:
    connection = make_pair(entities=("account", "lead"))
    fill(connection, 3)
    work(connection)
    SyncedEntity.objects.filter(name="account").update(enabled=False)
    work(connection)
    SyncedEntity.objects.filter(name="account").update(enabled=True)
    run = work(connection)
    assert run.entities.get(name="account").full


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (LoginFailed("The password is wrong."), "failed", "The password is wrong."),
        (Retryable("Too many requests."), "failed", "Too many requests."),
        (ServerChanged("Another organization."), "failed", "Another organization."),
        (InvalidRequest("No such thing."), "failed", "No such thing."),
        (Cancelled("Cancelled by request."), "cancelled", "Cancelled by request."),
    ],
)
def test_it_says_why_a_run_ended(
    monkeypatch: pytest.MonkeyPatch, error: Exception, state: str, message: str
) -> None:
    instead(monkeypatch, failing(error))
    run = work(make_connection())
    assert (run.state, run.message) == (state, message)
    errors = list(run.errors.values_list("entity", "record", "code", "message"))
    stopped = [("", "", type(error).__name__, message)]
    assert errors == (stopped if state == "failed" else [])


def test_it_logs_what_nobody_expected(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    instead(monkeypatch, failing(ZeroDivisionError("secret detail")))
    with caplog.at_level(logging.ERROR):
        run = work(make_connection())
    assert run.state == "failed"
    assert "unexpected error" in run.message
    assert str(run.pk) in run.message
    assert "secret detail" not in run.message
    assert "secret detail" in caplog.text


def test_it_writes_nothing_after_another_worker_took_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def act(run: Run) -> Outcome:
        let_end(run)
        claimed(run, "other")
        return Outcome(Run.State.SUCCEEDED, "mine")

    instead(monkeypatch, act)
    run = work(make_connection())
    assert (run.state, run.worker, run.message) == ("running", "other", "")


def test_it_stops_quietly_when_the_lease_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, failing(LostLease("Another worker holds it.")))
    run = work(make_connection())
    assert (run.state, run.fence) == ("running", 1)


@pytest.mark.parametrize("error", [SystemExit(), KeyboardInterrupt()])
def test_it_gives_the_lease_back_when_its_process_stops(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    instead(monkeypatch, failing(error))
    run = make_run(make_connection())
    with pytest.raises(type(error)):
        runner.work(run.pk)
    assert claimed(run, "other").fence == 2


def test_it_leaves_a_run_that_lost_the_database_to_the_next_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instead(monkeypatch, failing(OperationalError("server closed the connection")))
    run = work(make_connection())
    assert run.state == "running"
    assert claimed(run, "other").fence == 2


def test_it_gives_up_a_run_that_kills_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(make_connection(), fence=lease.MAX_CLAIMS)
    runner.work(run.pk)
    run.refresh_from_db()
    assert run.state == "failed"
    assert "lost its worker 10 times" in run.message


def test_it_ends_a_run_whose_worker_died_while_being_cancelled() -> None:
    run = claimed(make_run(make_connection()))
    dispatch.cancel(run)
    let_end(run)
    runner.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.message) == ("cancelled", "Cancelled by request.")


def test_it_says_on_a_connection_that_its_setting_up_was_cancelled() -> None:
    connection = make_connection(state="setting_up")
    run = claimed(make_run(connection, kind=Run.Kind.CONNECT))
    dispatch.cancel(run)
    let_end(run)
    runner.work(run.pk)
    connection.refresh_from_db()
    assert connection.problem == "Setting up was cancelled. Update Server goes on with it."


def test_it_cancels_between_two_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = make_pair(entities=("account", "lead"))
    fill(connection, 3)
    fill(connection, 3, entity="lead")
    run = dispatch.start_sync(connection, reason="test")
    finished = DatabaseReporter.entity_finished

    def cancelling(self: Any, *args: Any, **more: Any) -> None:
        finished(self, *args, **more)
        dispatch.cancel(Run.objects.get(pk=run.pk))

    monkeypatch.setattr(DatabaseReporter, "entity_finished", cancelling)
    runner.work(run.pk)
    run.refresh_from_db()
    assert run.state == "cancelled"
    states = sorted(run.entities.values_list("state", flat=True))
    assert states == ["done", "waiting"]


def test_it_does_once_what_is_delivered_often() -> None:
    connection = make_pair()
    fill(connection, 5)
    run = dispatch.start_sync(connection, reason="test")
    for _ in range(3):
        runner.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.fence) == ("succeeded", 1)
    assert run.entities.get().read == 5


def test_it_calls_a_worker_to_the_next_run_of_the_connection(calls: list[str]) -> None:
    connection = make_pair()
    first = make_run(connection)
    second = make_run(connection)
    other = make_run(make_connection("south"))
    runner.work(first.pk)
    assert calls == [str(second.pk)]
    assert lease.claim(other.pk, "b") is not None


def test_it_leaves_finished_entities_to_the_worker_that_died() -> None:
    connection = make_pair(entities=("account", "lead"))
    fill(connection, 3)
    run = dispatch.start_sync(connection, reason="test")
    with transaction.atomic():
        run.entities.create(name="lead", state="done", read=7, created=7)
    runner.work(run.pk)
    run.refresh_from_db()
    assert run.message.startswith("2 entities: 10 read, 10 created")


def test_it_begins_a_dry_run_again() -> None:
    connection = make_pair()
    fill(connection, 3)
    run = dispatch.start_sync(connection, reason="test", dry_run=True)
    run.entities.create(name="account", state="running", read=2, created=2)
    run.errors.create(entity="account", message="no")
    runner.work(run.pk)
    run.refresh_from_db()
    assert run.message.startswith("1 entities: 3 read, 3 created")
    assert not run.errors.exists()


def test_it_updates_the_metadata_of_the_client() -> None:
    connection = make_pair()
    run = dispatch.start(connection, Run.Kind.UPDATE_SERVER, reason="test")
    runner.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.message) == ("succeeded", "Metadata are equal: 1 entities compared.")
