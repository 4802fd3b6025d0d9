"""Taking back what a run wrote to a Dynamics twin and to its client, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections import rehearsal
from connections.models import Connection
from organizations.store import Store
from syncjobs import dispatch, runner, undo
from syncjobs.explain.explaining import explain
from syncjobs.models import OfflineTransaction, Run
from tests.syncjobs.making import client_store
from tests.syncjobs.test_rehearsal import make_contoso, make_wanted

pytestmark = pytest.mark.usefixtures("calls", "no_organizations_left")


def work(run: Run) -> Run:
    runner.work(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED, (run.message, list(run.errors.values()))
    return run


def sync(connection: Connection) -> Run:
    return work(dispatch.start_sync(connection, reason="test", inline=True))


def take_back(run: Run) -> Run:
    plan = work(undo.start_preview(run, reason="test", inline=True))
    return work(undo.start(run, plan.result["undo"]["digest"], reason="test", inline=True))


def all_of(store: Store) -> dict[str, Any]:
    names = ("accountid", "name", "telephone1", "revenue")
    return {str(row[0]): row[:-1] for row in store.page("account", names)}


def make_rehearsal(live_server: LiveServer, settings: Settings) -> tuple[Connection, Store]:
    """A connection to a twin over HTTP, loaded once, and the twin's own records."""
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    base = live_server.url.replace("localhost", "127.0.0.1")
    made = rehearsal.rehearse(make_contoso("account"), make_wanted(base_url=base))
    work(dispatch.start(made.connection, Run.Kind.CONNECT, reason="test", inline=True))
    sync(made.connection)
    return made.connection, Store(made.twin.organization)


def test_it_takes_back_what_was_pushed(
    transactional_db: None, live_server: LiveServer, settings: Settings
) -> None:
    connection, twin = make_rehearsal(live_server, settings)
    client, before = client_store(connection), all_of(twin)
    changed, gone, *_ = sorted(before)
    client.update("account", changed, {"name": "Mine"}, actor="anna@example.org")
    client.delete("account", gone)
    new = client.create("account", {"name": "Brand new"}).id
    pushed = sync(connection)
    assert all_of(twin)[changed][1] == "Mine"
    assert set(all_of(twin)) == {*before, new} - {gone}
    undone = take_back(pushed)
    assert undone.message.endswith("1 deleted, 0 as before already, 0 skipped.")
    assert all_of(twin) == before
    statuses = OfflineTransaction.objects.values_list("status", flat=True)
    assert set(statuses) == {"archived"}
    sync(connection)
    here = all_of(client)
    assert {id_: here[id_] for id_ in before} == before
    assert all_of(twin) == before
    address = f"{connection.server.url}/api/data/v9.2/accounts({changed})"
    told = [event.what for event in explain(connection, address).events]
    assert "Changed on the server by Sync All (test)." in told
    assert "Changed on the server by Undo (test)." in told


def test_it_takes_back_a_first_load(
    transactional_db: None, live_server: LiveServer, settings: Settings
) -> None:
    connection, twin = make_rehearsal(live_server, settings)
    before = all_of(twin)
    assert all_of(client_store(connection)) == before
    take_back(Run.objects.get(kind=Run.Kind.SYNC))
    sync(connection)
    assert all_of(client_store(connection)) == {}
    assert all_of(twin) == before
