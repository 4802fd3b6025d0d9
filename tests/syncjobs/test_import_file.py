"""Update Server on a client that takes no metadata from outside, as a real Resco Cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from lxml import etree
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections.connect import service
from connections.models import Connection
from organizations.catalog import Catalog, define, enable
from organizations.rest.codec import read_entity
from syncjobs.models import Run
from tests.fakes.faulty import Faulty
from tests.fakes.server import Answer, Request, serve
from tests.syncjobs.elsewhere import Elsewhere, make_account, moved, work


class Closed(Faulty):
    """Our services without the extension: as the sheet has them, and nothing more."""

    def __call__(self, request: Request) -> Answer:
        if "/rest/v1/metadata/" in request.path and request.method != "GET":
            return Answer(404, b"<html>Not found</html>")
        answer = self.forward(request)
        body = answer.body.replace(b"<MetadataExtension>True", b"<MetadataExtension>False")
        return Answer(answer.status, body, answer.headers)


@pytest.fixture
def place(
    transactional_db: None, live_server: LiveServer, settings: Settings
) -> Iterator[Elsewhere]:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
    with serve(Closed(live_server.url)) as url:
        yield Elsewhere.at(url)


def connect(place: Elsewhere) -> tuple[Connection, Run]:
    connection = place.save()
    return connection, work(connection, Run.Kind.CONNECT, ends=Run.State.PARTLY)


def bring(place: Elsewhere, content: bytes) -> None:
    """Do in the client what a person does with the file."""
    root = etree.fromstring(content)
    entities = [read_entity(item) for item in root.iter("{*}Entity")]
    organization = place.here.organization
    define(organization, entities)
    enable(organization, [entity.name for entity in entities])


def test_it_makes_a_file_and_says_what_is_missing_until_it_was_imported(
    place: Elsewhere, admin_client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    connection, run = connect(place)
    assert "1 × entity added" in run.message
    assert "Download the import file. Apply it in the client organization" in run.message
    assert "account" not in Catalog(place.client).names()

    page = admin_client.get(reverse("admin:syncjobs_run_change", args=[run.pk])).content.decode()
    address = reverse("admin:connections_connection_import_file", args=[connection.pk])
    assert address in page
    downloaded = admin_client.get(address)
    assert downloaded["Content-Disposition"] == 'attachment; filename="remote-metadata.xml"'
    by_api = admin_client.get("/api/connections/remote/import-file/")
    assert by_api.content == downloaded.content
    file = tmp_path / "import.xml"
    call_command("import_file", "remote", to=file)
    assert file.read_bytes() == downloaded.content
    assert "Admin Console" in capsys.readouterr().err

    bring(place, downloaded.content)
    again = work(connection, Run.Kind.UPDATE_SERVER)
    assert again.message == "The client has all that is needed of 1 entities."
    assert admin_client.get("/api/connections/remote/import-file/").status_code == 404
    assert admin_client.get(address).status_code == 302
    with pytest.raises(CommandError, match="nothing to import") as caught:
        call_command("import_file", "remote")
    assert caught.value.returncode == 3
    place.there.create("account", {"name": "A", "city": "Brno"})
    assert moved(work(connection, Run.Kind.SYNC)) == {"account": {"created": 1}}


def test_a_part_that_is_missing_is_a_delta_and_the_rest_is_carried(
    place: Elsewhere, capsys: pytest.CaptureFixture[str]
) -> None:
    account = make_account()
    known = tuple(item for item in account.attributes if item.name != "city")
    organization = place.here.organization
    define(organization, [type(account)(name="account", primary_id="accountid", attributes=known)])
    enable(organization, ["account"])
    connection, _ = connect(place)
    call_command("import_file", "remote", json=True)
    plan = json.loads(capsys.readouterr().out)
    assert plan["counts"] == {"attribute added": 1}
    call_command("import_file", "remote")
    text = capsys.readouterr().out
    names = [item.get("Name") for item in etree.fromstring(text.encode()).iter("{*}Attribute")]
    assert names == ["city"]
    made = place.there.create("account", {"name": "A", "city": "Brno"}).id
    assert moved(work(connection, Run.Kind.SYNC)) == {"account": {"created": 1}}
    assert place.here.get("account", made).values["name"] == "A"


def test_an_entity_that_is_missing_stops_only_itself(place: Elsewhere) -> None:
    connection, _ = connect(place)
    run = work(connection, Run.Kind.SYNC, ends=Run.State.FAILED)
    assert "has no definition of 'account' yet. Run Update Server." in run.message


def test_a_preview_says_the_same_and_keeps_nothing(place: Elsewhere) -> None:
    connection = place.save()
    plan = service.preview(connection)
    assert (plan.by_hand, dict(plan.counts())) == (True, {"entity added": 1})
    assert not connection.definitions.exists()
