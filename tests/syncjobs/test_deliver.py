"""Instant mode over real HTTP: what a client writes is on the server at once, or waits safely."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from celery import current_app
from django.db import connection as database

from connections.connect import service
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.errors import Retryable
from connections.models import Connection
from organizations.store import Store
from syncjobs import deliver, dispatch, instant, lane, periodic, runner
from syncjobs.engine.push import pushing
from syncjobs.models import OfflineTransaction, Run
from tests.connections.connect.live import Live, live, records

__all__ = ["live"]
pytestmark = pytest.mark.usefixtures("no_organizations_left")


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tasks that were sent; nobody comes."""
    made: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: made.append(name))
    return made


@pytest.fixture
def connection(live: Live, called: list[str]) -> Connection:
    """A client of a twin, in step, whose accounts and leads are written at once."""
    made = live.connect("account", "lead", write_offline=False)
    service.carry_out(made)
    sync(made)
    called.clear()
    instant.looked(made.pk)
    return Connection.objects.get(pk=made.pk)


def sync(connection: Connection, kind: str = Run.Kind.SYNC) -> Run:
    run = dispatch.start(connection, kind, reason="test", inline=True)
    runner.work(run.pk)
    run.refresh_from_db()
    return run


def on_server(live: Live, entity: str = "account") -> dict[str, Any]:
    """Id → name of what the server has."""
    rows = Store(live.twin).page(
        entity, [f"{entity}id", "name" if entity == "account" else "subject"]
    )
    return {str(row[0]): row[1] for row in rows}


def statuses() -> list[str]:
    return list(OfflineTransaction.objects.values_list("status", flat=True))


def test_it_brings_each_kind_of_change_to_the_server(live: Live, connection: Connection) -> None:
    made = records().create("account", {"name": "A"}).id
    deliver.deliver(connection.pk)
    assert on_server(live) == {made: "A"}
    records().update("account", made, {"name": "B"})
    deliver.deliver(connection.pk)
    assert on_server(live) == {made: "B"}
    records().delete("account", made)
    deliver.deliver(connection.pk)
    assert on_server(live) == {}
    assert set(statuses()) == {"processed"}


def test_many_writers_call_one_worker(connection: Connection, called: list[str]) -> None:
    for number in range(20):
        records().create("account", {"name": str(number)})
    assert called == [instant.TASK]


def test_it_is_called_again_for_what_is_written_once_it_looks(
    live: Live, connection: Connection, called: list[str]
) -> None:
    records().create("account", {"name": "A"})
    deliver.deliver(connection.pk)
    records().create("account", {"name": "B"})
    assert called == [instant.TASK] * 2


def test_it_is_not_called_for_its_own_writes(
    live: Live, connection: Connection, called: list[str]
) -> None:
    Store(live.twin).create("account", {"name": "A"})
    sync(connection)
    assert len(records().page("account", ["accountid"])) == 1
    # a run lets a delivery follow, its writes call none
    assert called == [instant.TASK]


def test_it_leaves_what_is_written_offline_to_the_next_sync(
    live: Live, connection: Connection
) -> None:
    connection.entities.filter(name="lead").update(write_mode="offline")
    records().create("lead", {"subject": "L"})
    records().create("account", {"name": "A"})
    deliver.deliver(connection.pk)
    assert (on_server(live, "lead"), len(on_server(live))) == ({}, 1)
    assert sync(connection).state == Run.State.SUCCEEDED
    assert list(on_server(live, "lead").values()) == ["L"]


def test_it_delivers_what_is_written_while_it_delivers(
    live: Live, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    push, late = pushing.push, iter(["B", "C"])

    def pushed(*args: Any) -> Any:
        for name in late:
            records().create("account", {"name": name})
            break
        return push(*args)

    monkeypatch.setattr(deliver, "push", pushed)
    records().create("account", {"name": "A"})
    deliver.deliver(connection.pk)
    assert sorted(on_server(live).values()) == ["A", "B", "C"]


def test_it_leaves_the_lane_to_who_has_it(live: Live, connection: Connection) -> None:
    records().create("account", {"name": "A"})
    with taken(connection):
        deliver.deliver(connection.pk)
        assert on_server(live) == {}
    deliver.deliver(connection.pk)
    assert len(on_server(live)) == 1


@contextmanager
def taken(connection: Connection) -> Iterator[None]:
    """Somebody else has the lane."""
    ready, done = Event(), Event()

    def hold() -> None:
        with lane.lane(connection.pk):
            ready.set()
            done.wait(60)
        database.close()

    holder = Thread(target=hold)
    holder.start()
    ready.wait(60)
    try:
        yield
    finally:
        done.set()
        holder.join()


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let the server fail whenever it is written to."""

    def refuse(*args: Any) -> Any:
        raise error

    monkeypatch.setattr(DynamicsConnector, "write", refuse)


def test_a_busy_server_leaves_changes_pending_until_their_time_comes(
    live: Live, connection: Connection, called: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    records().create("account", {"name": "A"})
    with monkeypatch.context() as patch:
        fail(patch, Retryable("Too many requests.", after=100))
        deliver.deliver(connection.pk)
    row = OfflineTransaction.objects.get()
    assert (row.status, row.attempts, row.message) == ("pending", 1, "Too many requests.")
    assert row.next_attempt is not None
    assert not deliver.is_due(connection)
    OfflineTransaction.objects.update(next_attempt=row.created)
    called.clear()
    periodic.tick()
    assert called == [instant.TASK]
    deliver.deliver(connection.pk)
    assert len(on_server(live)) == 1


def test_a_server_that_is_down_leaves_changes_pending(
    live: Live, connection: Connection, settings: Any
) -> None:
    url = connection.server.url
    connection.server.url = "http://127.0.0.1:9/dynamics/contoso"
    connection.server.save()
    made = records().create("account", {"name": "A"}).id
    deliver.deliver(connection.pk)
    row = OfflineTransaction.objects.get()
    assert row.status == "pending"
    assert "127.0.0.1" in row.message
    assert row.next_attempt is not None
    connection.server.url = url
    connection.server.save()
    OfflineTransaction.objects.update(next_attempt=None)
    deliver.deliver(connection.pk)
    assert on_server(live) == {made: "A"}


def test_the_tick_finds_a_change_whose_call_was_lost(
    live: Live, connection: Connection, called: list[str]
) -> None:
    deliver.deliver(connection.pk)
    assert not deliver.is_due(connection)
    records().create("account", {"name": "A"})
    instant.looked(connection.pk)
    called.clear()
    periodic.tick()
    periodic.tick()
    assert called == [instant.TASK]


def test_deliver_now_pushes_and_does_not_pull(live: Live, connection: Connection) -> None:
    Connection.objects.update(write_mode="offline")
    Store(live.twin).create("account", {"name": "S"})
    records().create("account", {"name": "C"})
    run = sync(connection, Run.Kind.DELIVER)
    assert (run.state, run.message) == (
        Run.State.SUCCEEDED,
        "2 entities: 1 pushed, 0 rejected, 0 conflicts.",
    )
    assert sorted(on_server(live).values()) == ["C", "S"]
    assert [row[1] for row in records().page("account", ["accountid", "name"])] == ["C"]
    assert run.entities.get(name="account").pushed == 1


def work(run: Run) -> None:
    """Work in a thread of its own."""
    runner.work(run.pk)
    database.close()


def test_a_run_waits_for_the_lane_and_can_be_cancelled_meanwhile(
    live: Live, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "SLICE", 0.05)
    run = dispatch.start(connection, Run.Kind.DELIVER, reason="test", inline=True)
    with taken(connection):
        worker = Thread(target=work, args=(run,))
        worker.start()
        while Run.objects.get(pk=run.pk).state != Run.State.RUNNING:
            Event().wait(0.02)
        dispatch.cancel(run)
        worker.join(30)
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
