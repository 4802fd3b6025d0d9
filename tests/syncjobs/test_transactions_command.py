"""`manage.py transactions CLIENT`."""

from __future__ import annotations

from io import StringIO
from threading import Event, Thread
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database

from connections.models import Connection
from syncjobs import handling, instant, lane
from syncjobs.management.commands import transactions as command
from syncjobs.models import OfflineTransaction
from tests.syncjobs.making import client_store, make_connection, make_pair, make_transaction

pytestmark = pytest.mark.django_db
NO_NUMBER = (
    "'{}' is not the number of a transaction of 'field'; the list shows them. Nothing was changed."
)


@pytest.fixture
def connection() -> Connection:
    """A connection of two rows."""
    return make_connection()


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connections whose delivery was woken."""
    found: list[Any] = []
    monkeypatch.setattr(instant, "wake", found.append)
    return found


def run(*arguments: object) -> tuple[str, int, str]:
    """Return what was printed, the exit code, and why it is not 0."""
    out, code, reason = StringIO(), 0, ""
    try:
        call_command("transactions", *map(str, arguments), stdout=out, stderr=StringIO())
    except CommandError as error:
        code, reason = error.returncode, str(error)
    return out.getvalue(), code, reason


def document(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(run("field", "--json", *arguments)[0])
    return found


def status(*rows: OfflineTransaction) -> list[str]:
    for row in rows:
        row.refresh_from_db()
    return [row.status for row in rows]


def history(row: OfflineTransaction) -> list[tuple[str, str, str]]:
    return list(row.events.values_list("status", "why", "actor"))


def test_it_lists_what_waits(connection: Connection) -> None:
    make_transaction(make_connection("south"))
    old = make_transaction(connection, status="pending", code="", message="", first_version=1)
    new = make_transaction(connection, status="pending", message="It waits.", first_version=2)
    lines, code, reason = run("field")
    assert (code, reason) == (0, "")
    assert lines.splitlines() == [
        f"{new.pk:>8}  pending    update account {new.client_id}  It waits.",
        f"{old.pk:>8}  pending    update account {old.client_id}",
    ]


def test_it_names_records() -> None:
    connection = make_pair()
    record = client_store(connection).create("account", {"name": "Fabrikam"}).id
    make_transaction(connection, client_id=record, status="pending")
    assert "update account Fabrikam " in run("field")[0]


@pytest.mark.usefixtures("connection")
def test_it_says_that_there_are_none() -> None:
    assert run("field") == ("No transactions.\n", 0, "")
    assert document() == {"changed": None, "transactions": [], "causes": []}


def test_it_tells_why_those_in_error_failed(connection: Connection) -> None:
    rows = [make_transaction(connection) for _ in range(2)]
    text, code, reason = run("field")
    assert (code, reason) == (3, "2 transactions are in Error.")
    assert text.splitlines()[2:] == [
        "2 × account: State code is invalid.",
        "  Correct what the server's words name, then deliver again.",
    ]
    assert text.splitlines()[:2] == [
        f"{row.pk:>8}  error      update account {row.client_id}  State code is invalid."
        for row in reversed(rows)
    ]


def test_it_lists_one_status(connection: Connection) -> None:
    rows = {
        name: make_transaction(connection, status=name)
        for name in ("pending", "processed", "archived")
    }
    for name, row in rows.items():
        text, code, _ = run("field", "--status", name)
        assert ([line.split()[0] for line in text.splitlines()], code) == ([str(row.pk)], 0)
    assert run("field", "--status", "error") == ("No transactions.\n", 0, "")


def test_it_shows_a_part_of_many(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SHOWN", 2)
    for _ in range(3):
        make_transaction(connection, status="pending")
    assert run("field")[0].splitlines()[2:] == ["and 1 more; --json lists all."]
    assert len(document()["transactions"]) == 3


def test_it_prints_one_document(connection: Connection) -> None:
    waiting = make_transaction(connection, status="pending", first_version=9)
    failed = make_transaction(connection)
    found = document()
    assert found["changed"] is None
    assert [row["id"] for row in found["transactions"]] == [waiting.pk, failed.pk]
    told = found["transactions"][1]
    assert (told["entity"], told["client_id"]) == ("account", str(failed.client_id))
    assert (told["status"], told["changes"]) == ("error", {"name": ["Old", "New"]})
    assert found["causes"] == [
        {
            "cause": failed.cause,
            "entity": "account",
            "code": "0x80048408",
            "message": "State code is invalid.",
            "count": 1,
            "advice": "Correct what the server's words name, then deliver again.",
        }
    ]
    assert run("field", "--json")[1:] == (3, "1 transaction is in Error.")
    assert [row["id"] for row in document("--status", "pending")["transactions"]] == [waiting.pk]


@pytest.mark.parametrize(
    ("option", "after", "why"),
    [
        ("--retry", "pending", "Set to Pending."),
        ("--archive", "archived", "Set to Archived."),
    ],
)
def test_it_sets_some(
    connection: Connection, woken: list[Any], option: str, after: str, why: str
) -> None:
    first, second, other = (make_transaction(connection) for _ in range(3))
    text, code, _ = run("field", option, first.pk, second.pk)
    assert text.startswith("2 transactions were changed.\n")
    assert code == 3
    assert status(first, second, other) == [after, after, "error"]
    assert history(first) == [(after, why, "command")]
    assert woken == [connection.pk]
    assert document(option, other.pk)["changed"] == 1


def test_it_retries_all_that_failed(connection: Connection, woken: list[Any]) -> None:
    failed = [make_transaction(connection) for _ in range(2)]
    aside = make_transaction(connection, status="archived")
    foreign = make_transaction(make_connection("south"))
    text, code, _ = run("field", "--retry", "all")
    assert (text.splitlines()[0], code) == ("2 transactions were changed.", 0)
    assert status(*failed, aside, foreign) == ["pending", "pending", "archived", "error"]
    assert woken == [connection.pk]


def test_it_leaves_alone_what_was_delivered(connection: Connection) -> None:
    row = make_transaction(connection, status="processed")
    for option in ("--retry", "--archive"):
        text, code, _ = run("field", option, row.pk)
        assert (text.splitlines()[0], code) == ("0 transactions were changed.", 0)
    assert (status(row), history(row)) == (["processed"], [])


def test_it_wakes_nothing_by_looking(connection: Connection, woken: list[Any]) -> None:
    make_transaction(connection, status="pending")
    run("field")
    assert woken == []


@pytest.mark.django_db(transaction=True)
def test_it_sets_nothing_aside_under_a_delivery(
    connection: Connection, woken: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_transaction(connection, status="pending")
    monkeypatch.setattr(handling, "PATIENCE", 0.05)
    ready, done = Event(), Event()

    def deliver() -> None:
        with lane.lane(connection.pk):
            ready.set()
            done.wait(60)
        database.close()

    delivery = Thread(target=deliver)
    delivery.start()
    assert ready.wait(60)
    told = run("field", "--archive", row.pk)
    done.set()
    delivery.join()
    reason = "The changes of this connection are being delivered by somebody else."
    assert told == ("", 5, f"{reason} Try again later.")
    assert (status(row), history(row), woken) == (["pending"], [], [])


def test_it_knows_no_such_client(connection: Connection) -> None:
    assert run("south") == ("", 2, "No connection has the client 'south'. Known: field.")
    connection.delete()
    assert run("south") == ("", 2, "No connection has the client 'south'. Known: none.")


@pytest.mark.parametrize("option", ["--retry", "--archive"])
@pytest.mark.parametrize("text", ["x", "1.5", "²", "all"])
def test_it_takes_numbers_only(
    connection: Connection, woken: list[Any], option: str, text: str
) -> None:
    row = make_transaction(connection)
    told = run("field", option, row.pk, text)
    assert told == ("", 2, NO_NUMBER.format(text))
    assert (status(row), woken) == (["error"], [])


@pytest.mark.parametrize("option", ["--retry", "--archive"])
def test_it_changes_nothing_where_one_is_not_there(
    connection: Connection, woken: list[Any], option: str
) -> None:
    row, foreign = make_transaction(connection), make_transaction(make_connection("south"))
    for number in (foreign.pk, 10**15, 10**19):
        told = run("field", option, row.pk, number)
        assert told == ("", 2, NO_NUMBER.format(number))
    assert (status(row, foreign), woken) == (["error", "error"], [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "the following arguments are required: client"),
        (("field", "--status", "lost"), "argument --status: invalid choice: 'lost'"),
        (("field", "--retry"), "argument --retry: expected at least one argument"),
        (
            ("field", "--retry", "1", "--archive", "1"),
            "argument --archive: not allowed with argument --retry",
        ),
    ],
)
@pytest.mark.usefixtures("connection")
def test_it_says_what_is_wrong_with_its_arguments(arguments: tuple[str, ...], words: str) -> None:
    text, code, reason = run(*arguments)
    assert text == ""
    assert code != 0
    assert words in reason
