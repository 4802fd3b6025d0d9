"""The doors to the story of a record: page, JSON API, command."""

from __future__ import annotations

import uuid

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from connections.models import SyncedEntity
from tests.syncjobs.explain.test_story import FILTER, filtered, make_account
from tests.syncjobs.test_undo import make_both, sync

pytestmark = pytest.mark.django_db
VERDICT = "excluded: city eq Brno is false, it is Praha"


def test_the_page_has_a_box_and_tells_the_story(admin_client: Client) -> None:
    connection = make_both()
    filtered(connection, FILTER)
    id_ = make_account(connection, city="Praha")
    page = f"/admin/connections/connection/{connection.pk}/explain/"
    assert "Name a record to see" in admin_client.get(page).content.decode()
    shown = admin_client.get(page, {"record": f"account {id_}"}).content.decode()
    assert VERDICT.capitalize()[:9] in shown
    assert "city eq Brno is false, it is Praha" in shown
    assert "The server says: outside." in shown
    wrong = admin_client.get(page, {"record": "nonsense"})
    assert wrong.status_code == 400
    assert "names no record" in wrong.content.decode()


def test_the_run_page_links_to_it(admin_client: Client) -> None:
    connection = make_both()
    run = sync(connection)
    run.errors.create(entity="account", record="abc", code="x", message="no")
    shown = admin_client.get(f"/admin/syncjobs/run/{run.pk}/change/").content.decode()
    assert f"/admin/connections/connection/{connection.pk}/explain/?record=account+abc" in shown


def test_the_api_tells_the_story(admin_client: Client) -> None:
    connection = make_both()
    filtered(connection, FILTER)
    id_ = make_account(connection, city="Praha")
    url = "/api/connections/field/explain/"
    found = admin_client.get(url, {"record": id_}).json()
    assert (found["entity"], found["filter"]["verdict"]) == ("account", VERDICT)
    assert {one["name"] for one in found["fields"]} >= {"accountid", "city", "name"}
    wrong = admin_client.get(url)
    assert wrong.status_code == 400
    assert "names no record" in wrong.json()["record"][0]
    assert admin_client.get("/api/connections/nobody/explain/", {"record": id_}).status_code == 404


def test_the_command_tells_the_story(capsys: pytest.CaptureFixture[str]) -> None:
    connection = make_both()
    filtered(connection, FILTER)
    id_ = make_account(connection, city="Brno")
    sync(connection)
    SyncedEntity.objects.filter(name="account").update(filter_xml=FILTER.replace("Brno", "Praha"))
    call_command("explain", "field", id_)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"account {id_}"
    assert "filter: excluded: city eq Praha is false, it is Brno" in told
    assert "    + name ne Secret is true, it is A" in [line[2:] for line in told]
    assert any("Created on the client by Sync All (test)." in line for line in told)
    call_command("explain", "field", id_, "--json")
    assert orjson.loads(capsys.readouterr().out)["client_id"] == id_


@pytest.mark.parametrize("record", ["nonsense", str(uuid.UUID(int=5))])
def test_the_command_refuses_what_it_cannot_find(record: str) -> None:
    make_both()
    with pytest.raises(CommandError) as caught:
        call_command("explain", "field", record)
    assert caught.value.returncode == 2
