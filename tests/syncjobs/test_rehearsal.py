"""Rehearsals: the copy of a connection, and that it can be carried out over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections import rehearsal
from connections.models import Connection, Endpoint
from connections.rehearsal import Wanted
from organizations.catalog import create_organization, define, enable
from organizations.dynamics.faults_switching import switch_on
from organizations.errors import AlreadyExists, InvalidRequest
from organizations.models import Organization, TwinFault
from organizations.samples import contoso
from organizations.store import Store
from syncjobs import dispatch, runner
from syncjobs.models import Run
from tests.syncjobs.making import make_pair

PASSWORD = "a long enough password"
FILTER = (
    "<fetch><entity name='account'><link-entity name='contact' from='contactid' "
    "to='primarycontactid'/></entity></fetch>"
)


def make_wanted(**changes: Any) -> Wanted:
    given = {
        "name": "practice",
        "email": "anna@example.org",
        "password": PASSWORD,
        "records": 6,
        "base_url": "http://127.0.0.1:9/",
    }
    return Wanted(**{**given, **changes})


def make_contoso(*enabled: str) -> Connection:
    """A connection whose server has the sample organization's metadata."""
    connection = make_pair(entities=())
    server = connection.server.organization
    assert server is not None
    entities = contoso.entities()
    define(server, entities)
    enable(server, [entity.name for entity in entities])
    for entity in entities:
        connection.entities.create(name=entity.name, enabled=entity.name in enabled)
    return connection


@pytest.mark.django_db
def test_the_copy_has_the_same_entities_filters_and_settings() -> None:
    connection = make_contoso("account", "lead")
    connection.entities.filter(name="account").update(filter_xml=FILTER, sync_deletion=True)
    Connection.objects.update(write_mode=Connection.WriteMode.INSTANT)
    connection.refresh_from_db()
    made = rehearsal.rehearse(connection, make_wanted())
    copy = Connection.objects.get(name="practice-client")
    assert copy == made.connection
    chosen = copy.entities.filter(enabled=True)
    assert set(chosen.values_list("name", flat=True)) == {"account", "lead"}
    account = chosen.get(name="account")
    assert (account.filter_xml, account.sync_deletion) == (FILTER, True)
    assert copy.write_mode == Connection.WriteMode.INSTANT
    assert copy.server.backend == Endpoint.Backend.DYNAMICS
    assert copy.server.url == "http://127.0.0.1:9/dynamics/practice"
    assert copy.server.user_name == made.twin.client_id


@pytest.mark.django_db
def test_the_twin_has_what_the_records_point_to_and_no_record_of_the_server() -> None:
    connection = make_contoso("account")
    server = connection.server.organization
    assert server is not None
    theirs = Store(server).create("account", {"name": "Secret customer"})
    connection.entities.filter(name="account").update(filter_xml=FILTER)
    twin = rehearsal.rehearse(connection, make_wanted()).twin
    assert set(twin.counts) == {
        "account",
        "businessunit",
        "contact",
        "systemuser",
        "transactioncurrency",
    }
    store = Store(twin.organization)
    assert store.count_records("account") == 6
    assert "Secret customer" not in {row[0] for row in store.page("account", ["name"])}
    assert theirs.id not in {row[0] for row in store.page("account", ["accountid"])}
    assert twin.organization.languages == [1033]


@pytest.mark.django_db
def test_it_can_take_over_all_entities() -> None:
    connection = make_contoso()
    with pytest.raises(InvalidRequest, match="No entity of 'field' is enabled. Enable some, or"):
        rehearsal.rehearse(connection, make_wanted())
    twin = rehearsal.rehearse(connection, make_wanted(is_whole=True, records=1)).twin
    assert {"lead", "competitor", "new_equipment"} <= set(twin.counts)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "element", "text"),
    [
        ({"name": "Not A Name"}, "name", "lower-case letters"),
        ({"name": "a" * 38}, "name", "The client is called"),
        ({"records": -1}, "records", "must be 0 or more, not -1"),
        ({"password": "short"}, "password", "too short"),
        ({"email": "anna"}, "email", "is not an e-mail address"),
        (
            {"records": 900, "most": 2000},
            "records",
            "3 entities with 900 records each are more than the 2,000 records that can be made "
            "while you wait. Ask for at most 666 of each, or use the command "
            "'manage.py rehearse field --records 900'.",
        ),
    ],
)
def test_it_says_what_is_wrong_and_makes_nothing(
    changes: dict[str, Any], element: str, text: str
) -> None:
    connection = make_contoso("businessunit", "systemuser", "transactioncurrency")
    before = Organization.objects.count()
    with pytest.raises(InvalidRequest) as caught:
        rehearsal.rehearse(connection, make_wanted(**changes))
    assert text in str(caught.value)
    assert caught.value.element == element
    assert Organization.objects.count() == before


@pytest.mark.django_db
def test_a_name_that_is_taken_is_refused() -> None:
    connection = make_contoso("account")
    create_organization("practice-client")
    with pytest.raises(AlreadyExists):
        rehearsal.rehearse(connection, make_wanted())
    assert not Organization.objects.filter(name="practice").exists()


@pytest.mark.django_db
def test_the_command_makes_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_contoso("account")
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    login = ["--user", "anna@example.org", "--password-file", str(file), "--json"]
    call_command("rehearse", "field", "--records", "3", *login)
    told = orjson.loads(capsys.readouterr().out)
    assert told["twin"] == "field-rehearsal"
    assert told["records"]["account"] == 3
    assert Run.objects.get(pk=told["job"]).connection.name == "field-rehearsal-client"
    with pytest.raises(CommandError, match="There is no connection 'nobody'."):
        call_command("rehearse", "nobody", *login)


def test_a_rehearsal_is_carried_out_over_http_in_spite_of_faults(
    transactional_db: None, live_server: LiveServer, settings: Settings
) -> None:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    base = live_server.url.replace("localhost", "127.0.0.1")
    connection = make_contoso("account", "contact", "lead")
    made = rehearsal.rehearse(connection, make_wanted(base_url=base))
    switch_on(made.twin.organization, "throttled", {"count": 1, "burst": 1})
    work(dispatch.start(made.connection, Run.Kind.CONNECT, reason="test", inline=True))
    run = work(dispatch.start_sync(made.connection, reason="test", inline=True))
    assert {row.name: row.created for row in run.entities.all()} == {
        "account": 6,
        "contact": 6,
        "lead": 6,
    }
    assert TwinFault.objects.get().struck == 1


def work(run: Run) -> Run:
    runner.work(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED, (run.message, list(run.errors.values()))
    return run


@pytest.mark.django_db
def test_the_page_makes_one_and_opens_its_faults(admin_client: Client) -> None:
    connection = make_contoso("account")
    page = f"/admin/connections/connection/{connection.pk}/rehearse/"
    form = {"name": "practice", "records": "2", "seed": "1", "email": "anna@example.org"}
    shown = admin_client.get(page).content.decode()
    assert 'value="field-rehearsal"' in shown
    wrong = admin_client.post(page, form | {"password": "short"})
    assert wrong.status_code == 400
    assert "too short" in wrong.content.decode()
    answer = admin_client.post(page, form | {"password": PASSWORD}, follow=True)
    twin = Organization.objects.get(name="practice")
    assert answer.redirect_chain[-1][0].endswith(f"/{twin.pk}/faults/")
    assert "The twin Practice has 8 generated records." in answer.content.decode()
    assert Run.objects.get().connection.name == "practice-client"
    taken = admin_client.post(page, form | {"password": PASSWORD})
    assert "organization practice exists already." in taken.content.decode()


@pytest.mark.django_db
def test_the_page_says_what_the_server_does_not_give(
    admin_client: Client, settings: Settings
) -> None:
    connection = make_contoso("account")
    Endpoint.objects.filter(pk=connection.server_id).update(organization=None)
    page = f"/admin/connections/connection/{connection.pk}/rehearse/"
    form = {"name": "practice", "records": "2", "seed": "1", "email": "anna@example.org"}
    answer = admin_client.post(page, form | {"password": PASSWORD})
    assert answer.status_code == 400
    assert "cannot be read: Endpoint" in answer.content.decode()


@pytest.mark.django_db
def test_the_page_is_for_those_who_may_make_organizations(client: Client) -> None:
    connection = make_contoso("account")
    page = f"/admin/connections/connection/{connection.pk}/rehearse/"
    assert client.get(page).status_code == 302
