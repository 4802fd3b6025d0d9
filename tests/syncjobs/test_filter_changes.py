"""Changing a sync filter by page, API and command: shown first, then saved."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from connections.models import Connection
from organizations.catalog import define
from organizations.errors import InvalidRequest
from organizations.schema import Attribute, AttributeType, Label
from syncjobs import dispatch, filter_changes, runner
from syncjobs.models import Run
from tests.syncjobs.making import client_store, fill, make_pair, make_run, names, server_store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("calls")]

FILTER = """<fetch><entity name="account"><filter>
<condition attribute="name" operator="eq" value="account 1"/></filter></entity></fetch>"""
REFUSED = """<fetch><entity name="account"><filter>
<condition attribute="name" operator="not-null"/>
<condition attribute="accountid" operator="eq-userid"/></filter></entity></fetch>"""


@pytest.fixture
def connection(no_organizations_left: None) -> Connection:
    """Two hosted organizations with three accounts in step, and one more on the server."""
    made = make_pair()
    fill(made, 3)
    work(dispatch.start_sync(made, reason="test"))
    server_store(made).create("account", {"name": "account 1"})
    return made


@pytest.fixture
def administrator(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    return client


def work(run: Run) -> Run:
    runner.work(run.pk)
    run.refresh_from_db()
    return run


def preview(connection: Connection, text: str = FILTER) -> Run:
    row = connection.entities.get(name="account")
    return work(filter_changes.start(row, text, reason="test"))


def filter_of(connection: Connection) -> str:
    return connection.entities.get(name="account").filter_xml


def editor(connection: Connection) -> str:
    return reverse("admin:connections_connection_filter", args=(connection.pk, "account"))


def test_it_shows_a_change_and_saves_it(connection: Connection) -> None:
    run = preview(connection)
    assert run.message == (
        "1 record would enter, 2 records would leave; 2 records of the server are inside."
    )
    found = run.result["filter"]
    assert (found["enters"], found["leaves"], found["leaving_is"]) == (1, 2, "kept")
    assert [record["name"] for record in found["entering"]] == ["account 1"]
    assert sorted(record["name"] for record in found["leaving"]) == ["account 2", "account 3"]
    assert filter_of(connection) == ""
    assert len(names(client_store(connection))) == 3
    filter_changes.save(run)
    assert "account 1" in filter_of(connection)


def test_a_party_list_is_not_searched_for_children(connection: Connection) -> None:
    for store in (server_store(connection), client_store(connection)):
        party = Attribute(
            name="partners",
            type=AttributeType.PARTYLIST,
            label=Label.of({1033: "Partners"}),
            targets=("account",),
        )
        entity = store.catalog.entity("account")
        define(store.organization, [replace(entity, attributes=(*entity.attributes, party))])
    run = preview(connection)
    assert (run.state, run.result["filter"]["children"]) == (Run.State.SUCCEEDED, [])


def test_it_says_that_what_leaves_will_be_deleted(connection: Connection) -> None:
    connection.entities.update(sync_deletion=True)
    assert preview(connection).result["filter"]["leaving_is"] == "deleted"


def test_a_filter_that_the_server_refuses_is_shown_with_its_condition(
    connection: Connection,
) -> None:
    run = preview(connection, REFUSED)
    assert run.state == Run.State.FAILED
    assert "The server refuses this filter. It does not take this: accountid eq-userid." in (
        run.message
    )
    with pytest.raises(InvalidRequest, match="The preview failed. The server refuses"):
        filter_changes.save(run)
    assert filter_of(connection) == ""


def test_it_refuses_what_is_no_filter(connection: Connection) -> None:
    row = connection.entities.get(name="account")
    with pytest.raises(InvalidRequest, match="no attribute 'nope'") as raised:
        filter_changes.start(row, FILTER.replace('attribute="name"', 'attribute="nope"'), reason="")
    assert raised.value.element == "filter_xml"


def test_it_names_what_cannot_be_previewed(connection: Connection) -> None:
    with pytest.raises(InvalidRequest, match="'field' has no entity 'nothing'"):
        filter_changes.find(connection, "nothing")
    connection.entities.update(is_intersect=True)
    with pytest.raises(InvalidRequest, match="'account' is an N:N entity"):
        filter_changes.find(connection, "account")
    connection.entities.update(is_intersect=False, enabled=False)
    with pytest.raises(InvalidRequest, match="'account' is not enabled, so no record"):
        preview(connection)
    other = make_run(connection)
    for key in (other.pk, uuid4(), "nonsense"):
        with pytest.raises(InvalidRequest, match=f"'field' has no preview '{key}'"):
            filter_changes.preview(connection, key)


def test_a_filter_of_a_client_elsewhere_waits_for_the_servers_metadata(
    connection: Connection,
) -> None:
    connection.client.organization = None
    connection.client.save()
    row = Connection.objects.get().entities.get()
    with pytest.raises(InvalidRequest, match="no entity 'account'"):
        filter_changes.start(row, FILTER, reason="test")


def test_it_does_not_save_over_somebody_elses_filter(connection: Connection) -> None:
    run = preview(connection)
    connection.entities.update(filter_xml=REFUSED)
    with pytest.raises(InvalidRequest, match="The filter was changed since the preview was made"):
        filter_changes.save(run)


def test_it_does_not_save_before_the_preview_has_ended(connection: Connection) -> None:
    row = connection.entities.get()
    run = filter_changes.start(row, FILTER, reason="test")
    with pytest.raises(InvalidRequest, match="The preview is still being made"):
        filter_changes.save(run)


def test_an_entity_that_was_disabled_meanwhile_ends_the_preview(connection: Connection) -> None:
    run = filter_changes.start(connection.entities.get(), FILTER, reason="test")
    connection.entities.update(enabled=False)
    assert work(run).message == "'account' is no longer enabled."


# Pages


def test_the_editor_shows_the_change_first(connection: Connection, administrator: Client) -> None:
    answer = administrator.post(editor(connection), {"filter_xml": FILTER})
    run = Run.objects.filter(kind=Run.Kind.FILTER).get()
    address = f"{editor(connection)}{run.pk}/"
    assert answer["Location"] == address
    assert filter_of(connection) == ""
    assert "The server is being asked" in administrator.get(address).content.decode()
    work(run)
    page = administrator.get(address).content.decode()
    assert "will be deleted" not in page
    assert "account 2" in page
    begun = administrator.get(f"{editor(connection)}?preview={run.pk}").content.decode()
    assert "account 1" in begun
    saved = administrator.post(address, follow=True).content.decode()
    assert "The filter of account is saved." in saved
    assert "account 1" in filter_of(connection)
    assert "This filter is saved." in administrator.get(address).content.decode()


def test_cancelling_leaves_everything(connection: Connection, administrator: Client) -> None:
    administrator.post(editor(connection), {"filter_xml": FILTER})
    work(Run.objects.filter(kind=Run.Kind.FILTER).get())
    administrator.get(reverse("admin:connections_connection_change", args=(connection.pk,)))
    assert filter_of(connection) == ""
    assert len(names(client_store(connection))) == 3


def test_the_page_shows_a_refused_filter(connection: Connection, administrator: Client) -> None:
    run = preview(connection, REFUSED)
    page = administrator.get(f"{editor(connection)}{run.pk}/").content.decode()
    assert "It does not take this: accountid eq-userid." in page
    again = administrator.post(f"{editor(connection)}{run.pk}/", follow=True).content.decode()
    assert "The preview failed." in again
    assert filter_of(connection) == ""


def test_a_filter_that_carries_nothing_yet_is_saved_at_once(
    connection: Connection, administrator: Client
) -> None:
    connection.entities.update(enabled=False)
    administrator.post(editor(connection), {"filter_xml": FILTER, "close": "1"})
    assert "account 1" in filter_of(connection)
    assert not Run.objects.filter(kind=Run.Kind.FILTER).exists()


def test_a_preview_of_somebody_else_is_not_found(
    connection: Connection, administrator: Client
) -> None:
    run = preview(connection)
    Run.objects.filter(pk=run.pk).update(options={**run.options, "entity": "contact"})
    for key in (run.pk, uuid4()):
        assert administrator.get(f"{editor(connection)}{key}/").status_code == 404
    assert administrator.get(editor(connection).replace("account", "no")).status_code == 404


# API


def api(connection: Connection, entity: str = "account") -> str:
    return reverse("api-filter-preview", args=(connection.name, entity))


def post(client: Client, address: str, body: dict[str, Any]) -> Any:
    return client.post(address, body, content_type="application/json")


def test_the_api_shows_and_saves(connection: Connection, administrator: Client) -> None:
    started = post(administrator, api(connection), {"filter_xml": FILTER})
    assert started.status_code == 202
    key = started.json()["id"]
    waiting = administrator.get(api(connection), {"run": key}).json()
    assert (waiting["change"], waiting["can_be_saved"]) == (None, False)
    work(Run.objects.get(pk=key))
    shown = administrator.get(api(connection), {"run": key}).json()
    assert (shown["change"]["leaves"], shown["can_be_saved"]) == (2, True)
    assert post(administrator, api(connection), {"preview": key}).status_code == 202
    assert "account 1" in filter_of(connection)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "non_field_errors"),
        ({"filter_xml": "", "preview": str(uuid4())}, "non_field_errors"),
        ({"filter_xml": "<fetch>"}, "filter_xml"),
        ({"preview": str(uuid4())}, "preview"),
    ],
)
def test_the_api_names_the_wrong_field(
    connection: Connection, administrator: Client, body: dict[str, Any], field: str
) -> None:
    answer = post(administrator, api(connection), body)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    unknown = post(administrator, api(connection, "nothing"), {"filter_xml": ""})
    assert (unknown.status_code, list(unknown.json())) == (400, ["entity"])


# Command


def call(*args: str) -> str:
    out = StringIO()
    call_command("filter", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_command_shows_and_saves(connection: Connection, tmp_path: Path) -> None:
    file = tmp_path / "filter.xml"
    file.write_text(FILTER)
    shown = call("field", "account", str(file), "--preview")
    assert "1 record would enter, 2 records would leave" in shown
    assert "leaves, kept: 00000000-0000-0000-0000-000000000002 account 2" in shown
    assert "Nothing is saved." in shown
    assert filter_of(connection) == ""
    assert "The filter is saved." in call("field", "account", str(file), "--save")
    assert "account 1" in filter_of(connection)
    answer = orjson.loads(call("field", "account", "-", "--save", "--json"))
    assert (answer["saved"], filter_of(connection)) == (True, "")


def test_the_command_says_what_is_wrong(connection: Connection, tmp_path: Path) -> None:
    file = tmp_path / "filter.xml"
    with pytest.raises(CommandError, match="cannot be read") as raised:
        call("field", "account", str(file), "--preview")
    assert raised.value.returncode == 2
    file.write_text(REFUSED)
    with pytest.raises(CommandError, match="does not take this: accountid eq-userid") as raised:
        call("field", "account", str(file), "--save")
    assert raised.value.returncode == 1
    with pytest.raises(CommandError, match="has no entity 'nothing'") as raised:
        call("field", "nothing", str(file), "--preview")
    assert raised.value.returncode == 2
