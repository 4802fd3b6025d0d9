"""Offline transactions by API: the list, one with its history, and what is done."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client

from connections.models import Connection
from syncjobs import handling, lane
from syncjobs.models import OfflineTransaction, Run, TransactionEvent
from tests.syncjobs.api.queue import (
    BASE,
    CAUSES,
    CONFLICT,
    LIST,
    PATH,
    SEEN,
    make_conflict,
    make_staff,
    post,
    signed_in,
    status,
)
from tests.syncjobs.api.test_openapi import check, make_document
from tests.syncjobs.making import make_connection, make_transaction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calls")]
NO_CONNECTION = {"detail": "No Connection matches the given query."}
NO_TRANSACTION = {"detail": "No OfflineTransaction matches the given query."}


def ids(client: Client, query: str = "") -> list[int]:
    answer = client.get(LIST + query)
    assert answer.status_code == 200
    return [row["id"] for row in answer.json()["results"]]


def test_it_lists_the_newest_first(admin: Client, connection: Connection) -> None:
    make_transaction(make_connection("south"))
    old = make_transaction(connection, first_version=1, actor="eve")
    new = make_transaction(connection, first_version=9)
    answer = admin.get(LIST)
    check(make_document(), PATH, answer)
    assert [row["id"] for row in answer.json()["results"]] == [new.pk, old.pk]
    told = answer.json()["results"][1]
    assert (told["entity"], told["client_id"]) == ("account", str(old.client_id))
    assert (told["action"], told["changes"]) == ("update", {"name": ["Old", "New"]})
    assert (told["status"], told["code"], told["actor"]) == ("error", "0x80048408", "eve")
    assert told["message"] == "State code is invalid."


def test_it_lists_one_status_or_cause(admin: Client, connection: Connection) -> None:
    rows = {name: make_transaction(connection, status=name) for name in ("pending", "archived")}
    failed, odd = (make_transaction(connection, message=text) for text in ("Same.", "Odd."))
    for name, row in rows.items():
        assert ids(admin, f"?status={name}") == [row.pk]
    assert ids(admin, "?status=processed") == []
    assert ids(admin, "?status=error") == [odd.pk, failed.pk]
    assert ids(admin, f"?status=error&cause={odd.cause}") == [odd.pk]
    assert ids(admin, f"?status=pending&cause={odd.cause}") == []


def test_it_refuses_a_status_that_there_is_not(admin: Client, connection: Connection) -> None:
    make_transaction(connection)
    for name in ("lost", ""):
        answer = admin.get(f"{LIST}?status={name}")
        assert (answer.status_code, answer.json()) == (
            400,
            {"status": ["Must be one of: pending, processed, error, archived."]},
        )


def test_it_finds_by_record_user_field_and_error(admin: Client, connection: Connection) -> None:
    row = make_transaction(
        connection,
        actor="eve@example.com",
        message="Far too long.",
        changes={"telephone1": [None, "0049"]},
    )
    make_transaction(connection, entity=connection.entities.get(name="contact"), actor="bob")
    for text in (str(row.client_id), "EVE@", "telephone1", "0049", "too long", "account"):
        assert ids(admin, f"?search={text}") == [row.pk], text
    assert ids(admin, "?search=nothing") == []
    assert ids(admin, "?search=eve&status=pending") == []


def test_it_lists_page_by_page(admin: Client, connection: Connection) -> None:
    rows = [make_transaction(connection).pk for _ in range(3)]
    first = admin.get(f"{LIST}?limit=2").json()
    assert (first["count"], [row["id"] for row in first["results"]]) == (3, rows[:0:-1])
    second = admin.get(first["next"]).json()
    assert ([row["id"] for row in second["results"]], second["next"]) == (rows[:1], None)


def test_it_shows_one_with_history_and_conflict(admin: Client, connection: Connection) -> None:
    row = make_conflict(connection, based_on=5)
    TransactionEvent.objects.create(transaction=row, status="error", why="Asked.", actor="eve")
    answer = admin.get(f"{LIST}{row.pk}/")
    check(make_document(), f"{PATH}{{id}}/", answer)
    told = answer.json()
    assert (told["id"], told["based_on"], told["conflict"]) == (row.pk, 5, CONFLICT)
    assert told["side"] == "client"
    (event,) = told["events"]
    assert (event["status"], event["why"], event["actor"]) == ("error", "Asked.", "eve")
    assert event["run"] is None


@pytest.mark.parametrize(
    ("do", "after", "why"),
    [("pending", "pending", "Set to Pending."), ("archived", "archived", "Set to Archived.")],
)
@pytest.mark.parametrize("count", [1, 3])
def test_it_sets_some(
    admin: Client,
    connection: Connection,
    woken: list[Any],
    do: str,
    after: str,
    why: str,
    count: int,
) -> None:
    rows, other = [make_transaction(connection) for _ in range(count)], make_transaction(connection)
    answer = post(admin, LIST, {"do": do, "ids": [row.pk for row in rows]})
    check(make_document(), PATH, answer, "post")
    assert answer.json() == {"count": count}
    assert status(*rows, other) == [after] * count + ["error"]
    told = TransactionEvent.objects.values_list("status", "why", "actor")
    assert list(told) == [(after, why, "ann")] * count
    assert woken == [connection.pk]


def test_it_counts_only_what_it_changed(admin: Client, connection: Connection) -> None:
    done = make_transaction(connection, status="processed")
    foreign = make_transaction(make_connection("south"))
    for do in ("pending", "archived"):
        answer = post(admin, LIST, {"do": do, "ids": [done.pk, foreign.pk, 10**15, 10**19]})
        assert (answer.status_code, answer.json()) == (200, {"count": 0})
    assert status(done, foreign) == ["processed", "error"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"ids": [1]}, {"do": ["This field is required."]}),
        ({"do": "processed", "ids": [1]}, {"do": ['"processed" is not a valid choice.']}),
        ({"do": "pending"}, {"ids": ["This field is required."]}),
        ({"do": "pending", "ids": 1}, {"ids": ['Expected a list of items but got type "int".']}),
        ({"do": "pending", "ids": ["x"]}, {"ids": {"0": ["A valid integer is required."]}}),
        (
            {"do": "pending", "ids": [1] * 10_001},
            {"ids": ["Ensure this field has no more than 10000 elements."]},
        ),
    ],
)
@pytest.mark.usefixtures("connection")
def test_it_says_what_is_wrong_with_a_wish(admin: Client, content: object, told: object) -> None:
    answer = post(admin, LIST, content)
    assert (answer.status_code, answer.json()) == (400, told)


def test_it_retries_all_that_failed(
    admin: Client, connection: Connection, woken: list[Any]
) -> None:
    failed = [make_transaction(connection) for _ in range(2)]
    aside = make_transaction(connection, status="archived")
    foreign = make_transaction(make_connection("south"))
    answer = post(admin, f"{LIST}retry-all/")
    check(make_document(), f"{PATH}retry-all/", answer, "post")
    assert answer.json() == {"count": 2}
    assert status(*failed, aside, foreign) == ["pending", "pending", "archived", "error"]
    assert woken == [connection.pk]


@pytest.mark.django_db(transaction=True)
def test_it_sets_nothing_aside_under_a_delivery(
    admin: Client, connection: Connection, woken: list[Any], monkeypatch: pytest.MonkeyPatch
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
    answer = post(admin, LIST, {"do": "archived", "ids": [row.pk]})
    done.set()
    delivery.join()
    assert (answer.status_code, answer.json()) == (
        409,
        {"detail": "Changes of this connection are being delivered right now. Try again later."},
    )
    assert (status(row), row.events.count(), woken) == (["pending"], 0, [])


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ({"all": "client"}, {"name": "client", "phone": "client"}),
        ({"choices": {"name": "server", "phone": "client"}}, {"name": "server", "phone": "client"}),
    ],
)
def test_it_decides_a_conflict(
    admin: Client,
    connection: Connection,
    woken: list[Any],
    given: dict[str, Any],
    chosen: dict[str, str],
) -> None:
    row = make_conflict(connection)
    answer = post(admin, f"{LIST}{row.pk}/", SEEN | given)
    check(make_document(), f"{PATH}{{id}}/", answer, "post")
    assert answer.json() == {"count": 1}
    assert (status(row), row.choices) == (["pending"], chosen)
    told = ", ".join(f"{name}: {side}" for name, side in chosen.items())
    assert row.events.get().why == f"Decided. {told}."
    assert woken == [connection.pk]


AGAIN = (
    "The record was changed again since the page was shown. Look at the new values, then choose."
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"server_version": 7, "all": "client"}, {"version": ["This field is required."]}),
        ({"version": 3, "all": "client"}, {"server_version": ["This field is required."]}),
        (SEEN | {"all": "mine"}, {"all": ['"mine" is not a valid choice.']}),
        (SEEN, {"choices": ["Choose 'server' or 'client' for 'name'; it is ''."]}),
        (
            SEEN | {"choices": {"name": "client", "phone": "mine"}},
            {"choices": ["Choose 'server' or 'client' for 'phone'; it is 'mine'."]},
        ),
        (
            SEEN | {"all": "client", "choices": {"name": "server"}},
            {"choices": ["Give either 'all' or 'choices'."]},
        ),
        (
            SEEN | {"choices": {"name": "client", "phone": "client", "fax": "server"}},
            {"choices": ["This conflict is not about 'fax'. Choose for: name, phone."]},
        ),
        ({"version": 4, "server_version": 7, "all": "client"}, {"seen": [AGAIN]}),
        ({"version": 3, "server_version": 8, "all": "client"}, {"seen": [AGAIN]}),
    ],
)
def test_it_says_what_is_wrong_with_a_decision(
    admin: Client, connection: Connection, content: object, told: object
) -> None:
    row = make_conflict(connection)
    answer = post(admin, f"{LIST}{row.pk}/", content)
    assert (answer.status_code, answer.json()) == (400, told)
    assert (status(row), row.choices) == (["error"], {})


def test_it_decides_only_conflicts(admin: Client, connection: Connection) -> None:
    told = "This transaction has no conflict to decide any more. Look at its history."
    for row in (make_transaction(connection), make_conflict(connection, status="pending")):
        answer = post(admin, f"{LIST}{row.pk}/", SEEN | {"all": "client"})
        assert (answer.status_code, answer.json()) == (400, {"choices": [told]})


def test_it_delivers_now(
    admin: Client,
    connection: Connection,
    calls: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(admin, f"{BASE}deliver/")
    assert answer.status_code == 202
    check(make_document(), "/api/connections/{name}/deliver/", answer, "post")
    run = Run.objects.get()
    assert (run.connection, run.kind, run.reason) == (connection, Run.Kind.DELIVER, "API")
    assert (run.user, run.actor) == (User.objects.get(), "ann")
    assert (answer.json()["id"], answer.json()["state"]) == (str(run.pk), "queued")
    assert calls == [str(run.pk)]


@pytest.mark.usefixtures("connection")
def test_it_answers_404_for_what_is_not_there(admin: Client) -> None:
    foreign = make_transaction(make_connection("south")).pk
    nowhere = "/api/connections/nowhere/"
    for path in ("transactions/", "transactions/causes/", f"transactions/{foreign}/"):
        answer = admin.get(nowhere + path)
        assert (answer.status_code, answer.json()) == (404, NO_CONNECTION), path
    for path, content in (
        ("transactions/", {"do": "pending", "ids": [1]}),
        ("transactions/causes/", {"cause": "x", "entity": "account", "step": "retry"}),
        ("transactions/retry-all/", None),
        (f"transactions/{foreign}/", SEEN),
        ("deliver/", None),
    ):
        answer = post(admin, nowhere + path, content)
        assert (answer.status_code, answer.json()) == (404, NO_CONNECTION), path
    for number in (foreign, 10**15, 10**19):
        answers = admin.get(f"{LIST}{number}/"), post(admin, f"{LIST}{number}/", SEEN)
        for answer in answers:
            assert (answer.status_code, answer.json()) == (404, NO_TRANSACTION), number


def make_wishes(row: OfflineTransaction) -> dict[str, object]:
    """Everything that changes something, by address."""
    return {
        LIST: {"do": "archived", "ids": [row.pk]},
        f"{LIST}{row.pk}/": SEEN | {"all": "client"},
        f"{LIST}retry-all/": None,
        CAUSES: {"cause": row.cause, "entity": "account", "step": "decide", "side": "server"},
        f"{BASE}deliver/": None,
    }


def test_it_shows_nothing_to_strangers(connection: Connection) -> None:
    row = make_conflict(connection)
    outsider = signed_in(User.objects.create_user("carl"))
    for path in (LIST, f"{LIST}{row.pk}/", CAUSES):
        answer = Client().get(path)
        assert (answer.status_code, answer.json()) == (
            401,
            {"detail": "Authentication credentials were not provided."},
        )
        assert outsider.get(path).status_code == 403
        assert make_reader(row).get(path).status_code == 403
    for path, content in make_wishes(row).items():
        assert post(Client(), path, content).status_code == 401
        assert post(outsider, path, content).status_code == 403
    assert (status(row), Run.objects.count()) == (["error"], 0)


def make_reader(row: OfflineTransaction) -> Client:
    """Staff who may see connections, but no transactions."""
    User.objects.filter(username="bob").delete()
    return make_staff("view_connection")


def test_who_may_only_look_changes_nothing(connection: Connection) -> None:
    row = make_conflict(connection)
    viewer = make_staff("view_offlinetransaction")
    for path in (LIST, f"{LIST}{row.pk}/", CAUSES):
        assert viewer.get(path).status_code == 200
    for path, content in make_wishes(row).items():
        answer = post(viewer, path, content)
        assert (answer.status_code, answer.json()) == (
            403,
            {"detail": "You do not have permission to perform this action."},
        )
    assert (status(row), row.choices, Run.objects.count()) == (["error"], {}, 0)


@pytest.mark.usefixtures("woken")
def test_acting_and_delivering_have_permissions_of_their_own(connection: Connection) -> None:
    row = make_transaction(connection, client_id=uuid4())
    handler = make_staff("change_offlinetransaction")
    assert post(handler, LIST, {"do": "pending", "ids": [row.pk]}).json() == {"count": 1}
    assert post(handler, f"{BASE}deliver/").status_code == 403
    User.objects.all().delete()
    assert post(make_staff("add_run"), f"{BASE}deliver/").status_code == 202
