"""The tab Offline Transactions and the settings, by their doors."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from connections.models import Connection
from syncjobs import handling
from syncjobs.errors import LaneBusy
from syncjobs.models import OfflineTransaction, Run
from tests.syncjobs.making import client_store, make_connection, make_transaction

CONFLICT = {
    "base": {"name": "Old"},
    "server": {"name": "Theirs"},
    "client": {"name": "Ours"},
    "server_version": 7,
}


def at(connection: Connection, page: str = "transactions") -> str:
    return f"/admin/connections/connection/{connection.pk}/{page}/"


def told(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def shown(browser: Client, connection: Connection, query: str = "") -> list[int]:
    return [row.pk for row in browser.get(at(connection) + query).context["listed"]]


def test_it_lists_by_status_with_counts(superuser: Client, connection: Connection) -> None:
    rows = [
        make_transaction(connection, status=name)
        for name in ("pending", "error", "error", "archived")
    ]
    context = superuser.get(at(connection)).context
    assert [(label, count) for _, label, count in context["views"]] == [
        ("All", 4),
        ("Pending", 1),
        ("Processed", 0),
        ("Error", 2),
        ("Archived", 1),
    ]
    assert set(shown(superuser, connection, "?status=error")) == {rows[1].pk, rows[2].pk}


def test_it_finds_by_record_user_field_and_error(superuser: Client, connection: Connection) -> None:
    row = make_transaction(connection, actor="ann@example.com", message="Far too long.")
    row.changes = {"telephone1": [None, "0049"]}
    row.save()
    make_transaction(connection, actor="bob")
    for text in (str(row.client_id), "ann@", "telephone1", "0049", "too long"):
        assert shown(superuser, connection, f"?q={text}") == [row.pk], text
    assert shown(superuser, connection, "?q=nothing") == []


def test_it_names_records(superuser: Client, connection: Connection) -> None:
    record = client_store(connection).create("account", {"name": "Fabrikam"}).id
    kept = make_transaction(connection, client_id=record)
    gone = make_transaction(connection, changes={"name": [None, "Gone Ltd"]})
    names = superuser.get(at(connection)).context["names"]
    assert names == {kept.pk: "Fabrikam", gone.pk: "Gone Ltd"}


def test_it_tells_whose_values_were_kept(superuser: Client, connection: Connection) -> None:
    row = make_transaction(connection, status="archived", side="server")
    make_transaction(connection, status="archived")
    assert superuser.get(at(connection)).content.decode().count(">server's<") == 1
    assert "lost to the client" in superuser.get(f"{at(connection)}{row.pk}/").content.decode()


@pytest.mark.parametrize(
    ("do", "status", "message"),
    [
        ("pending", "pending", "1 transaction set to Pending."),
        ("archived", "archived", "1 transaction set to Archived."),
    ],
)
def test_it_acts_on_what_is_ticked(
    superuser: Client, connection: Connection, do: str, status: str, message: str
) -> None:
    row, other = make_transaction(connection), make_transaction(connection)
    answer = superuser.post(at(connection), {"do": do, "id": [row.pk]})
    assert told(answer) == [message]
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.status, other.status) == (status, "error")


@pytest.mark.parametrize("do", ["pending", "archived"])
def test_it_says_that_nothing_was_changed(
    superuser: Client, connection: Connection, do: str
) -> None:
    row = make_transaction(connection, status="processed")
    answer = superuser.post(at(connection), {"do": do, "id": [row.pk, "x", "²", ""]})
    assert told(answer) == ["Nothing was changed: none of them can be."]


@pytest.mark.parametrize("seen", ["", "3", "3:x", "²:7"])
def test_it_needs_the_versions_that_were_looked_at(
    superuser: Client, connection: Connection, seen: str
) -> None:
    row = make_transaction(connection, code="Conflict", conflict=CONFLICT, version=3)
    page = at(connection, f"transactions/{row.pk}")
    answer = superuser.post(page, {"do": "decide", "seen": seen, "all": "client"})
    words = "Nothing was changed: The versions that were looked at are missing."
    assert told(answer) == [words]
    answer = superuser.post(at(connection), {"do": "decide"})
    assert told(answer)[-1] == "Nothing was changed: Open a transaction to decide its conflict."


def test_it_sets_all_to_pending(superuser: Client, connection: Connection) -> None:
    make_transaction(connection)
    make_transaction(connection)
    answer = superuser.post(at(connection), {"do": "all"})
    assert told(answer) == ["2 transactions set to Pending."]


def test_it_says_that_a_delivery_is_under_way(
    superuser: Client, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*args: Any, **kwargs: Any) -> int:
        raise LaneBusy("no")

    monkeypatch.setattr(handling, "set_archived", busy)
    row = make_transaction(connection)
    answer = superuser.post(at(connection), {"do": "archived", "id": [row.pk]})
    assert "being delivered right now" in told(answer)[0]


def test_it_decides_a_conflict(superuser: Client, connection: Connection) -> None:
    row = make_transaction(connection, code="Conflict", conflict=CONFLICT, version=3)
    page = at(connection, f"transactions/{row.pk}")
    text = superuser.get(page).content.decode()
    assert all(part in text for part in ("Old", "Theirs", "Ours", 'value="3:7"'))
    answer = superuser.post(page, {"do": "decide", "seen": "3:6", "all": "client"})
    assert "changed again" in told(answer)[0]
    superuser.post(page, {"do": "decide", "seen": "3:7", "choice_name": "client"})
    row.refresh_from_db()
    assert (row.status, row.choices) == ("pending", {"name": "client"})
    assert "Decided. name: client." in superuser.get(page).content.decode()


def test_it_follows_the_recipe_of_a_cause(superuser: Client, connection: Connection) -> None:
    row = make_transaction(connection)
    values = {"cause": row.cause, "entity": "account", "step": "retry"}
    answer = superuser.post(at(connection, "transactions/cause"), values)
    assert told(answer) == ["1 transaction set to Pending."]
    answer = superuser.post(at(connection, "transactions/cause"), values)
    assert told(answer)[-1].startswith("Nothing was changed: There is no cause")


def test_it_chooses_one_side_for_all_conflicts(superuser: Client, connection: Connection) -> None:
    row = make_transaction(connection, code="Conflict", conflict=CONFLICT, version=3)
    values = {"cause": row.cause, "entity": "account", "step": "decide", "side": "server"}
    superuser.post(at(connection, "transactions/cause"), values)
    row.refresh_from_db()
    assert row.choices == {"name": "server"}


def test_it_asks_for_a_side(superuser: Client, connection: Connection) -> None:
    row = make_transaction(connection, code="Conflict", conflict=CONFLICT, version=3)
    values = {"cause": row.cause, "entity": "account", "step": "decide", "side": "both"}
    answer = superuser.post(at(connection, "transactions/cause"), values)
    assert told(answer) == ["Nothing was changed: Choose one side: 'server' or 'client'."]


def test_it_shows_no_transaction_of_another_connection(
    superuser: Client, connection: Connection
) -> None:
    other = make_transaction(make_connection("south"))
    assert superuser.get(at(connection, f"transactions/{other.pk}")).status_code == 404


def test_who_may_only_look_changes_nothing(viewer: Client, connection: Connection) -> None:
    row = make_transaction(connection)
    assert viewer.get(at(connection)).status_code == 200
    assert viewer.post(at(connection), {"do": "all"}).status_code == 403
    assert viewer.post(at(connection, "transactions/cause"), {}).status_code == 403
    assert viewer.post(at(connection, "deliver")).status_code == 403
    assert viewer.post(at(connection, "settings"), {}).status_code == 403
    assert viewer.post(at(connection, "rules/account"), {}).status_code == 403
    assert OfflineTransaction.objects.get(pk=row.pk).status == "error"


def test_it_delivers_now(superuser: Client, connection: Connection) -> None:
    answer = superuser.post(at(connection, "deliver"))
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/admin/syncjobs/run/{run.pk}/change/"
    assert (run.kind, run.actor) == (Run.Kind.DELIVER, "root")


SETTINGS = {
    "write_mode": "instant",
    "reply": "before",
    "reply_seconds": "3",
    "delete_limit": "10",
    "delete_floor": "5",
    "delete_percent": "7",
    "recycle_days": "9",
    "image_days": "11",
}


def test_it_saves_the_settings(superuser: Client, connection: Connection) -> None:
    assert superuser.get(at(connection, "settings")).status_code == 200
    superuser.post(at(connection, "settings"), SETTINGS)
    saved = Connection.objects.values(*SETTINGS).get(pk=connection.pk)
    assert {name: str(value) for name, value in saved.items()} == SETTINGS


@pytest.mark.parametrize(
    ("field", "value"),
    [("reply_seconds", "0"), ("reply_seconds", "61"), ("delete_percent", "101"), ("reply", "x")],
)
def test_it_names_the_setting_that_is_wrong(
    superuser: Client, connection: Connection, field: str, value: str
) -> None:
    answer = superuser.post(at(connection, "settings"), SETTINGS | {field: value})
    assert answer.status_code == 400
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert Connection.objects.get(pk=connection.pk).write_mode == "offline"


def test_it_saves_the_rules_of_an_entity_and_shows_them(
    superuser: Client, connection: Connection
) -> None:
    values = {"write_mode": "instant", "conflict_rule": "ask", "leaving": "keep"}
    text = superuser.get(at(connection, "rules/account")).content.decode()
    assert "As the connection (offline)" in text
    superuser.post(at(connection, "rules/account"), values)
    row = connection.entities.get(name="account")
    assert (row.write_mode, row.conflict_rule, row.leaving) == ("instant", "ask", "keep")
    shown_rules = [one.rules for one in superuser.get(at(connection, "change")).context["rows"]]
    assert shown_rules == ["instant, ask, keep what leaves", ""]
    assert superuser.get(at(connection, "rules/nothing")).status_code == 404
