"""A client's transactions and log, read as the original's own entities, and never written."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client
from lxml import etree

from connections.models import Connection
from organizations.catalog import Catalog, define
from organizations.models import Organization
from organizations.schema import Origin
from syncjobs import kinds, originals
from syncjobs.models import Run, RunError, TransactionEvent
from tests.syncjobs.making import (
    basic,
    client_store,
    make_entity,
    make_member,
    make_pair,
    make_run,
    make_transaction,
)
from tests.syncjobs.test_lease import claimed

pytestmark = pytest.mark.django_db
WHO = "anna@example.com"


def make_client(name: str = "field") -> tuple[Connection, Organization]:
    connection = make_pair(name)
    organization = connection.client.organization
    assert organization is not None
    make_member(organization, WHO)
    assert originals.define(organization) == ""
    return connection, organization


def odata(organization: Organization, path: str, **more: Any) -> HttpResponse:
    address = f"/odata/v4/{organization.name}/{path}"
    return Client().generic(  # type: ignore[return-value]
        more.pop("method", "GET"), address, headers=basic(WHO), **more
    )


def rest(organization: Organization, operation: str, body: str) -> HttpResponse:
    return Client().post(  # type: ignore[return-value]
        f"/rest/v1/data/{organization.name}/{operation}",
        body,
        content_type="application/xml",
        headers=basic(WHO),
    )


def test_transactions_are_read_through_odata() -> None:
    connection, organization = make_client()
    row = make_transaction(connection, version=7, attempts=2)
    event = TransactionEvent.objects.create(transaction=row, status="error")
    make_transaction(connection, status="pending", code="", message="")
    answer = odata(organization, "migrate_transaction?$filter=status eq 'Error'")
    (found,) = orjson.loads(answer.content)["value"]
    assert {name: found[name] for name in ("entityname", "recordid", "operation", "error")} == {
        "entityname": "account",
        "recordid": str(row.client_id),
        "operation": "Update",
        "error": "0x80048408: State code is invalid.",
    }
    assert (found["status"], found["attempts"]) == ("Error", 2)
    assert found["versionnumber"] == 7
    assert found["createdon"][:16] == f"{row.created:%Y-%m-%dT%H:%M}"
    assert found["modifiedon"][:16] == f"{event.at:%Y-%m-%dT%H:%M}"
    one = odata(organization, f"migrate_transaction({found['id']})")
    assert orjson.loads(one.content)["recordid"] == str(row.client_id)
    assert UUID(found["id"])


def test_the_log_is_read_through_fetch() -> None:
    connection, organization = make_client()
    run = make_run(connection)
    RunError.objects.create(run=run, entity="account", message="The table is gone.")
    RunError.objects.create(
        run=run, entity="account", record="abc", code="0x80040217", message="No such account."
    )
    fetch = (
        '<fetch><entity name="migrate_log"><all-attributes/><filter>'
        '<condition attribute="code" operator="not-null"/></filter></entity></fetch>'
    )
    answer = rest(organization, "Fetch", fetch)
    assert answer.status_code == 200, answer.content.decode()
    (row,) = etree.fromstring(answer.content).iterfind("Entities/*")
    told = {child.tag: child.text for child in row}
    assert told["run"] == str(run.pk)
    assert (told["recordid"], told["code"], told["message"]) == (
        "abc",
        "0x80040217",
        "No such account.",
    )


def test_each_client_sees_its_own() -> None:
    connection, organization = make_client()
    other, _ = make_client("other")
    make_transaction(other)
    RunError.objects.create(run=make_run(other), message="Not yours.")
    store = client_store(connection)
    assert store.count_records("migrate_transaction") == 0
    assert store.count_records("migrate_log") == 0
    assert client_store(other).count_records("migrate_transaction") == 1


def make_both(connection: Connection) -> dict[str, str]:
    """Make a transaction and an error of a run; return what tells each, by entity."""
    row = make_transaction(connection)
    error = RunError.objects.create(run=make_run(connection), entity="account", message="Gone.")
    return {"migrate_transaction": str(row.client_id), "migrate_log": error.message}


TOLD_BY = {"migrate_transaction": "recordid", "migrate_log": "message"}


@pytest.mark.parametrize("name", TOLD_BY)
def test_both_services_read_both_alike(name: str) -> None:
    connection, organization = make_client()
    expected = make_both(connection)[name]
    (told,) = orjson.loads(odata(organization, f"{name}?$count=true").content)["value"]
    assert told[TOLD_BY[name]] == expected
    one = odata(organization, f"{name}({told['id']})/{TOLD_BY[name]}/$value")
    assert one.content.decode() == expected
    fetch = f'<fetch><entity name="{name}"><all-attributes/></entity></fetch>'
    (row,) = etree.fromstring(rest(organization, "", fetch).content).iterfind("Entities/*")
    assert (row.findtext("id"), row.findtext(TOLD_BY[name])) == (told["id"], expected)
    counted = rest(organization, "GetRecordCount", fetch)
    assert etree.fromstring(counted.content).text == "1"
    selected = Client().get(
        f"/rest/v1/data/{organization.name}/{name}?$select=id", headers=basic(WHO)
    )
    assert told["id"] in selected.content.decode()


@pytest.mark.parametrize("name", TOLD_BY)
def test_both_services_list_both(name: str) -> None:
    _, organization = make_client()
    metadata = odata(organization, "$metadata").content.decode()
    assert f'<EntitySet Name="{name}"' in metadata
    listed = (
        Client()
        .get(f"/rest/v1/metadata/{organization.name}/$entities", headers=basic(WHO))
        .content.decode()
    )
    assert f'<Entity Name="{name}"' in listed


@pytest.mark.parametrize("name", TOLD_BY)
@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("Create", ""),
        ("CreateMultiple", ""),
        ("Update", ""),
        ("Update?$create=true", ""),
        ("UpdateMultiple", ""),
        ("Delete", ""),
        ("DeleteMultiple", ""),
        *(("Execute", action) for action in ("Create", "Update", "Upsert", "Delete")),
        *(("ExecuteMultiple", action) for action in ("Create", "Update", "Upsert", "Delete")),
    ],
)
def test_neither_is_written_by_rest(name: str, operation: str, action: str) -> None:
    connection, organization = make_client()
    make_both(connection)
    (told,) = orjson.loads(odata(organization, name).content)["value"]
    act = f' Action="{action}"' if action else ""
    one = f'<Entity EntityName="{name}"{act}><id>{told["id"]}</id></Entity>'
    root = "ExecuteMultiple" if operation == "ExecuteMultiple" else "Entities"
    answer = rest(
        organization, operation, f"<{root}>{one}</{root}>" if "Multi" in operation else one
    )
    assert b"can only be read" in answer.content, answer.content.decode()
    assert (answer.status_code < 300) is ("Multi" in operation or bool(action))
    assert orjson.loads(odata(organization, name).content)["value"] == [told]


@pytest.mark.parametrize("name", TOLD_BY)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "{name}", {}),
        ("PATCH", "{name}({id})", {"recordid": "other"}),
        ("PATCH", "{name}({other})", {"recordid": "other"}),
        ("DELETE", "{name}({id})", {}),
        ("PUT", "{name}({id})/recordid", {"value": "other"}),
        ("DELETE", "{name}({id})/recordid", {}),
    ],
)
def test_neither_is_written_by_odata(
    name: str, method: str, path: str, body: dict[str, str]
) -> None:
    connection, organization = make_client()
    make_both(connection)
    (told,) = orjson.loads(odata(organization, name).content)["value"]
    answer = odata(
        organization,
        path.format(name=name, id=told["id"], other=uuid4()),
        method=method,
        data=orjson.dumps(body),
        content_type="application/json",
    )
    assert (answer.status_code, b"can only be read" in answer.content) == (400, True), (
        answer.content
    )
    assert orjson.loads(odata(organization, name).content)["value"] == [told]


def test_update_server_defines_them_once() -> None:
    connection = make_pair()
    run = claimed(make_run(connection, kind=Run.Kind.UPDATE_SERVER))
    assert kinds.update_server(run).state == Run.State.SUCCEEDED
    organization = client_store(connection).organization
    assert Catalog(organization).entity("migrate_log").origin is Origin.LOCAL
    organization.refresh_from_db()
    before = organization.schema_version
    kinds.connect(run)
    organization.refresh_from_db()
    assert organization.schema_version == before


def test_an_entity_of_that_name_is_left_alone_and_told_of() -> None:
    connection = make_pair()
    organization = client_store(connection).organization
    define(organization, [make_entity("migrate_log")])
    outcome = kinds.update_server(claimed(make_run(connection, kind=Run.Kind.UPDATE_SERVER)))
    assert outcome.state == Run.State.SUCCEEDED
    assert outcome.message.endswith("has an entity 'migrate_log' of its own.")
    assert not Catalog(organization).entity("migrate_log").is_view


def test_a_view_of_another_form_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, organization = make_client()
    monkeypatch.setattr(originals, "_ERRORS", originals._ERRORS.replace("row.message", "'Same'"))
    RunError.objects.create(run=make_run(connection), message="Other")
    originals.define(organization)
    (row,) = orjson.loads(odata(organization, "migrate_log").content)["value"]
    assert row["message"] == "Same"


def test_a_client_elsewhere_has_none() -> None:
    assert originals.define(None) == ""


def test_it_shows_nothing_more_to_a_condition_that_fails_on_other_rows() -> None:
    connection, _ = make_client()
    other, _ = make_client("other")
    RunError.objects.create(run=make_run(other), code="secret", message="x")
    with database.cursor() as cursor:
        cursor.execute("SELECT * FROM org_field.migrate_log WHERE code::integer = 1")
        assert cursor.fetchall() == []
