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


@pytest.mark.parametrize("name", ["migrate_transaction", "migrate_log"])
def test_neither_can_be_written(name: str) -> None:
    _, organization = make_client()
    body = f'<Entity xmlns="http://schemas.resco.net/XRM/Create" EntityName="{name}"/>'
    refused = rest(organization, "Create", body)
    assert (refused.status_code, b"can only be read" in refused.content) == (400, True)
    for method, path in (("POST", name), ("DELETE", f"{name}({uuid4()})")):
        answer = odata(
            organization, path, method=method, data="{}", content_type="application/json"
        )
        assert (answer.status_code, b"can only be read" in answer.content) == (400, True), method


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
