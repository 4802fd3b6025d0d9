"""What a person does with transactions, what identical errors are, and what is done about them."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database

from connections.models import Connection
from organizations.errors import InvalidRequest, NotFound
from syncjobs import handling, lane, recipes
from syncjobs.causes import Cause, cause_of, causes
from syncjobs.engine.values import Side
from syncjobs.errors import LaneBusy, LostLease
from syncjobs.models import OfflineTransaction
from tests.syncjobs.making import client_store, make_connection, make_pair, make_transaction

CONFLICT = {
    "base": {"name": "Old"},
    "server": {"name": "Theirs", "phone": "1"},
    "client": {"name": "Ours", "phone": "2"},
    "server_version": 7,
}


@pytest.fixture
def connection(db: None) -> Connection:
    """A connection of two rows."""
    return make_connection()


def status(row: OfflineTransaction) -> str:
    row.refresh_from_db()
    return row.status


def history(row: OfflineTransaction) -> list[tuple[str, str, str]]:
    return list(row.events.values_list("status", "why", "actor"))


def make_conflict(connection: Connection, **more: Any) -> OfflineTransaction:
    values = {"code": "Conflict", "message": "Both sides changed it.", "version": 3}
    return make_transaction(connection, conflict=CONFLICT, **values | more)


@pytest.mark.parametrize("before", ["error", "archived"])
def test_it_sets_to_pending(connection: Connection, before: str) -> None:
    row = make_transaction(connection, status=before)
    assert handling.set_pending(connection, [row.pk], actor="ann") == 1
    assert status(row) == "pending"
    assert history(row) == [("pending", "Set to Pending.", "ann")]


def test_it_leaves_alone_what_was_delivered(connection: Connection) -> None:
    row = make_transaction(connection, status="processed")
    assert handling.set_pending(connection, [row.pk], actor="ann") == 0
    assert handling.set_archived(connection, [row.pk], actor="ann") == 0
    assert (status(row), history(row)) == ("processed", [])


def test_it_sets_aside_what_waits(connection: Connection) -> None:
    rows = [make_transaction(connection, status=name) for name in ("pending", "error")]
    assert handling.set_archived(connection, [row.pk for row in rows], actor="ann") == 2
    assert [status(row) for row in rows] == ["archived"] * 2
    assert all(row.finished for row in rows)


def test_it_sets_all_that_failed_to_pending(connection: Connection) -> None:
    failed = [make_transaction(connection) for _ in range(3)]
    aside = make_transaction(connection, status="archived")
    assert handling.set_all_pending(connection, actor="ann") == 3
    assert [status(row) for row in [*failed, aside]] == ["pending"] * 3 + ["archived"]


def test_it_touches_no_other_connection(connection: Connection) -> None:
    other = make_transaction(make_connection("south"))
    handling.set_all_pending(connection, actor="ann")
    handling.set_pending(connection, [other.pk], actor="ann")
    handling.set_archived(connection, [other.pk], actor="ann")
    assert status(other) == "error"


@pytest.mark.django_db(transaction=True)
def test_it_sets_nothing_aside_under_a_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = make_connection()
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
    ready.wait(60)
    with pytest.raises(LaneBusy):
        handling.set_archived(connection, [row.pk], actor="ann")
    assert status(row) == "pending"
    monkeypatch.setattr(handling, "PATIENCE", 60)
    done.set()
    assert handling.set_archived(connection, [row.pk], actor="ann") == 1
    delivery.join()


@pytest.mark.django_db(transaction=True)
def test_a_lane_that_was_lost_lets_nothing_commit() -> None:
    connection = make_connection()
    with lane.lane(connection.pk):
        lane.check(connection.pk)
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
        with pytest.raises(LostLease):
            lane.check(connection.pk)


def test_it_decides_field_by_field(connection: Connection) -> None:
    row = make_conflict(connection)
    handling.decide(row, {"name": "server", "phone": "client"}, seen=(3, 7), actor="ann")
    assert status(row) == "pending"
    assert row.choices == {"name": "server", "phone": "client"}
    assert history(row)[0][1] == "Decided. name: server, phone: client."


@pytest.mark.parametrize(
    ("choices", "seen", "words"),
    [
        ({"name": "server"}, (3, 7), "Choose 'server' or 'client' for 'phone'"),
        ({"name": "server", "phone": "mine"}, (3, 7), "it is 'mine'"),
        ({"name": "server", "phone": "server"}, (3, 8), "changed again since the page was shown"),
        ({"name": "server", "phone": "server"}, (4, 7), "changed again since the page was shown"),
    ],
)
def test_it_takes_no_decision_on_what_was_not_seen(
    connection: Connection, choices: dict[str, str], seen: tuple[int, int], words: str
) -> None:
    row = make_conflict(connection)
    with pytest.raises(InvalidRequest, match=words):
        handling.decide(row, choices, seen=seen, actor="ann")
    assert (status(row), row.choices) == ("error", {})


def test_it_decides_only_conflicts(connection: Connection) -> None:
    with pytest.raises(InvalidRequest, match="no conflict to decide any more"):
        handling.decide(make_transaction(connection), {}, seen=(1, 0), actor="ann")


def test_it_decides_all_conflicts_of_a_cause(connection: Connection) -> None:
    rows = [make_conflict(connection) for _ in range(2)]
    (cause,) = causes(connection)
    side = Side.CLIENT
    assert handling.decide_all(connection, cause=cause, side=side, actor="ann") == 2
    assert [status(row) for row in rows] == ["pending"] * 2
    assert rows[0].choices == {"name": "client", "phone": "client"}


def test_errors_are_identical_whatever_ids_and_numbers_they_name() -> None:
    first = f"account With Id = {uuid4()} Does Not Exist after 3 tries"
    second = f"account With Id = {uuid4()} Does Not Exist after 12 tries"
    assert cause_of("0x1", first) == cause_of("0x1", second) != cause_of("0x2", first)
    assert cause_of("", "") == ""


def test_it_groups_identical_errors_the_most_frequent_first(connection: Connection) -> None:
    make_transaction(connection, message="Odd.")
    for number in range(3):
        make_transaction(connection, message=f"Too long: {number}.")
    make_transaction(connection, status="pending")
    assert [cause.count for cause in causes(connection)] == [3, 1]


def only(connection: Connection) -> tuple[Cause, recipes.Recipe]:
    (cause,) = causes(connection)
    return cause, recipes.recipe(connection, cause)


@pytest.mark.parametrize(
    ("backend", "code", "words"),
    [
        ("dynamics", "0x80040220", "Give the user a security role"),
        ("dynamics", "0x8004431A", "Add the choice in the organization"),
        ("dynamics", "0xffffffff", "Correct what the server's words name"),
        ("hosted", "0x80040220", "Correct what the server's words name"),
    ],
)
def test_it_tells_what_to_do_by_code(
    connection: Connection, backend: str, code: str, words: str
) -> None:
    connection.server.backend = backend
    make_transaction(connection, code=code)
    cause, told = only(connection)
    assert words in told.words
    assert (told.step, told.button) == (recipes.Step.RETRY, "Retry 1")
    assert recipes.follow(connection, cause, "retry", actor="ann") == 1


@pytest.mark.django_db
def test_it_copies_missing_parents_then_retries() -> None:
    connection = make_pair()
    parent = client_store(connection).create("account", {"name": "Parent"}).id
    gone = str(uuid4())
    for named in (parent, parent, gone):
        message = f"Entity 'account' With Id = {named} Does Not Exist"
        make_transaction(connection, code="0x80040217", message=message)
    cause, told = only(connection)
    assert told.button == "Copy the 1 missing parent, then retry 3"
    assert "1 more are not on the client either" in told.words
    assert recipes.follow(connection, cause, told.step, actor="ann") == 3
    made = OfflineTransaction.objects.get(action="create")
    assert (str(made.client_id), made.status, made.changes) == (parent, "pending", None)
    assert OfflineTransaction.objects.filter(status="pending").count() == 4


@pytest.mark.django_db
def test_it_says_when_a_parent_is_on_neither_side() -> None:
    connection = make_pair()
    message = f"Entity 'account' With Id = {uuid4()} Does Not Exist"
    make_transaction(connection, code="0x80040217", message=message)
    _, told = only(connection)
    assert "neither on the server" in told.words
    assert told.step == recipes.Step.RETRY


def test_it_follows_only_the_recipe_that_was_shown(connection: Connection) -> None:
    make_transaction(connection)
    cause, _ = only(connection)
    with pytest.raises(InvalidRequest, match="changed since the page was shown"):
        recipes.follow(connection, cause, "copy_parents", actor="ann")
    with pytest.raises(NotFound):
        recipes.found(connection, "nothing", "account")
