"""Deliver, then answer: what a client's caller is told of the server, and what stays whatever."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import requests

from connections.connect import service
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.errors import Retryable
from connections.models import Connection
from organizations.models import ChangeLog
from organizations.store import Store
from syncjobs import instant
from syncjobs.models import OfflineTransaction
from syncjobs.sync_state import HEADER, SyncState, state_of
from tests.connections.connect.live import Live, live, records
from tests.syncjobs.making import make_connection, make_transaction
from tests.syncjobs.test_deliver import called, fail, on_server, sync, taken

__all__ = ["called", "live"]
pytestmark = pytest.mark.usefixtures("no_organizations_left")
ADMIN = ("admin@field.example", "a long enough phrase")


@pytest.fixture
def connection(live: Live, called: list[str]) -> Connection:
    """A client of a twin, in step, whose callers wait."""
    made = live.connect("account", write_offline=False)
    service.carry_out(made)
    sync(made)
    Connection.objects.update(reply="before", reply_seconds=2)
    called.clear()
    instant.looked(made.pk)
    return Connection.objects.get(pk=made.pk)


def write(live: Live, record: str, name: str, action: str = "Create") -> requests.Response:
    """Write an account of the client through its REST service."""
    body = (
        '<Entity xmlns="http://schemas.resco.net/XRM/Execute" EntityName="account" '
        f'Action="{action}"><id>{record}</id><name>{name}</name></Entity>'
    )
    url = live.url.replace("/dynamics/contoso", "/rest/v1/data/field/Execute")
    headers = {"Content-Type": "application/xml"}
    return requests.post(url, body, headers=headers, auth=ADMIN, timeout=60)


def test_it_answers_when_the_server_has_it(
    live: Live, connection: Connection, called: list[str]
) -> None:
    record = str(uuid4())
    answer = write(live, record, "A")
    assert (answer.status_code, answer.headers.get(HEADER)) == (200, "delivered"), answer.text
    assert on_server(live) == {record: "A"}
    assert called == []


def test_it_answers_in_time_when_the_server_does_not(
    live: Live, connection: Connection, called: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(monkeypatch, Retryable("Slow."))
    answer = write(live, str(uuid4()), "A")
    assert (answer.status_code, answer.headers[HEADER]) == (200, "pending")
    assert len(records().page("account", ["accountid"])) == 1
    assert called == [instant.TASK]


def test_it_waits_for_a_lane_no_longer_than_it_may(live: Live, connection: Connection) -> None:
    Connection.objects.update(reply_seconds=1)
    with taken(connection):
        answer = write(live, str(uuid4()), "A")
    assert answer.headers[HEADER] == "pending"


def test_it_tells_what_the_server_refused_and_keeps_the_change(
    live: Live, connection: Connection
) -> None:
    record = str(uuid4())
    write(live, record, "A")
    Store(live.twin).update("account", record, {"name": "Theirs"})
    connection.entities.update(conflict_rule="ask")
    answer = write(live, record, "Ours", "Update")
    assert (answer.status_code, answer.headers[HEADER]) == (200, "error")
    assert str(records().get("account", record).values["name"]) == "Ours"
    assert OfflineTransaction.objects.filter(status="error").count() == 1


def test_it_says_nothing_where_nothing_was_changed(live: Live, connection: Connection) -> None:
    assert HEADER not in write(live, "no id", "A").headers
    assert HEADER not in requests.get(live.url, timeout=60).headers
    Connection.objects.update(reply="after")
    assert HEADER not in write(live, str(uuid4()), "A").headers


def test_it_hurries_the_server(
    live: Live, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried: list[float] = []
    hurry = DynamicsConnector.hurry

    def note(self: DynamicsConnector, seconds: float) -> None:
        hurried.append(seconds)
        hurry(self, seconds)

    monkeypatch.setattr(DynamicsConnector, "hurry", note)
    write(live, str(uuid4()), "A")
    assert hurried
    assert all(0 < seconds <= 2 for seconds in hurried)


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"status": "processed"}, SyncState.DELIVERED),
        ({"status": "pending"}, SyncState.PENDING),
        ({"status": "error"}, SyncState.ERROR),
        ({"status": "archived"}, SyncState.DELIVERED),
        ({"status": "archived", "conflict": {"server": {}}}, SyncState.ERROR),
        ({"status": "archived", "side": "server"}, SyncState.PENDING),
        ({"status": "processed", "version": 9, "first_version": 9}, SyncState.PENDING),
    ],
)
def test_it_judges_the_transaction_that_took_the_change_in(
    transactional_db: None, more: dict[str, Any], state: SyncState
) -> None:
    connection = make_connection()
    organization = connection.client.organization
    assert organization is not None
    row = make_transaction(connection, **{"version": 5, "first_version": 4} | more)
    ChangeLog.objects.create(
        organization=organization,
        version=5,
        entity="account",
        record=row.client_id,
        action="update",
        at=row.created,
    )
    assert state_of(connection, [5]) is state
