"""Causes of errors by API, and their recipes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from connections.models import Connection
from syncjobs.models import OfflineTransaction
from tests.syncjobs.api.queue import (
    CAUSES,
    PATH,
    make_conflict,
    post,
    status,
)
from tests.syncjobs.api.test_openapi import check, make_document
from tests.syncjobs.making import client_store, make_pair, make_transaction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calls")]


def test_it_lists_causes_with_what_to_do(admin: Client, connection: Connection) -> None:
    make_conflict(connection)
    failed = [make_transaction(connection, message=f"Too long: {at}.") for at in range(2)]
    answer = admin.get(CAUSES)
    check(make_document(), f"{PATH}causes/", answer)
    first, second = answer.json()
    assert first == {
        "cause": failed[0].cause,
        "entity": "account",
        "code": "0x80048408",
        "message": "Too long: 1.",
        "count": 2,
        "advice": "Correct what the server's words name, then deliver again.",
        "step": "retry",
    }
    assert (second["code"], second["count"], second["step"]) == ("Conflict", 1, "decide")
    assert second["advice"].startswith("Both sides changed these records.")


def test_it_follows_a_recipe_for_its_entity_only(
    admin: Client, connection: Connection, woken: list[Any]
) -> None:
    row = make_transaction(connection)
    other = make_transaction(connection, entity=connection.entities.get(name="contact"))
    assert row.cause == other.cause
    wish = {"cause": row.cause, "entity": "account", "step": "retry"}
    answer = post(admin, CAUSES, wish)
    check(make_document(), f"{PATH}causes/", answer, "post")
    assert (answer.json(), status(row, other)) == ({"count": 1}, ["pending", "error"])
    assert woken == [connection.pk]
    answer = post(admin, CAUSES, wish)
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": f"There is no cause '{row.cause}'."},
    )


@pytest.mark.usefixtures("woken")
def test_it_copies_missing_parents_then_retries(admin: Client) -> None:
    connection = make_pair()
    parent = client_store(connection).create("account", {"name": "Parent"}).id
    words = f"Entity 'account' With Id = {parent} Does Not Exist"
    row = make_transaction(connection, code="0x80040217", message=words)
    (cause,) = admin.get(CAUSES).json()
    assert cause["step"] == "copy_parents"
    wish = {name: cause[name] for name in ("cause", "entity", "step")}
    assert post(admin, CAUSES, wish).json() == {"count": 1}
    made = OfflineTransaction.objects.get(action="create")
    assert (str(made.client_id), made.status, made.actor) == (parent, "pending", "ann")
    assert status(row) == ["pending"]


@pytest.mark.usefixtures("woken")
def test_it_chooses_one_side_for_its_entity_only(admin: Client, connection: Connection) -> None:
    row = make_conflict(connection)
    other = make_conflict(connection, entity=connection.entities.get(name="contact"))
    wish = {"cause": row.cause, "entity": "account", "step": "decide", "side": "server"}
    assert post(admin, CAUSES, wish).json() == {"count": 1}
    assert status(row, other) == ["pending", "error"]
    assert (row.choices, other.choices) == ({"name": "server", "phone": "server"}, {})


CHANGED = "The cause has changed since the page was shown. Look again."


@pytest.mark.parametrize(
    ("is_conflict", "content", "told"),
    [
        (False, {"step": "copy_parents"}, {"step": [CHANGED]}),
        (False, {"step": "decide", "side": "server"}, {"step": [CHANGED]}),
        (True, {"step": "retry"}, {"step": [CHANGED]}),
        (True, {"step": "retry", "side": "server"}, {"step": [CHANGED]}),
        (True, {"step": "decide"}, {"side": ["Choose one side: 'server' or 'client'."]}),
        (True, {"step": "decide", "side": "x"}, {"side": ['"x" is not a valid choice.']}),
        (False, {"step": "x"}, {"step": ['"x" is not a valid choice.']}),
        (False, {}, {"step": ["This field is required."]}),
    ],
)
def test_it_says_what_is_wrong_with_a_recipe(
    admin: Client, connection: Connection, is_conflict: bool, content: dict[str, str], told: object
) -> None:
    row = make_conflict(connection) if is_conflict else make_transaction(connection)
    answer = post(admin, CAUSES, {"cause": row.cause, "entity": "account"} | content)
    assert (answer.status_code, answer.json()) == (400, told)
    assert (status(row), row.choices) == (["error"], {})
