"""The main job through the doors alone: connect a client, carry its records, see how it went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from lxml import etree

from connections.models import Connection
from organizations.catalog import create_organization, define, enable
from organizations.models import Organization
from organizations.store import Store
from syncjobs import runner
from syncjobs.models import Run
from tests.syncjobs.making import (
    PASSWORD,
    basic,
    client_store,
    drop_organizations,
    make_entity,
    names,
)
from tests.syncjobs.remote import DOTTED_PATH

pytestmark = pytest.mark.django_db(transaction=True)

REQUEST = f"""<ConnectRequest><SyncSetup>
  <ProviderID>60650fb3-5d8b-45dd-b82e-459f3b019e9a</ProviderID>
  <Url>https://contoso.example.com</Url>
  <UserName>admin@example.com</UserName>
  <Password>{PASSWORD}</Password>
  <RegistrationInfo><Email>ann@example.com</Email></RegistrationInfo>
</SyncSetup><Entities>account</Entities></ConnectRequest>"""
ANN = basic("ann@example.com")


@pytest.fixture(autouse=True)
def _remote(transactional_db: None, settings: Any) -> Iterator[None]:
    settings.RESCO_SYNC_CONNECTORS = {"dynamics": DOTTED_PATH}
    settings.RESCO_SYNC_REGISTRATION = "open"
    yield
    drop_organizations()


def make_server() -> Store:
    organization = create_organization("contoso", Organization.Kind.DYNAMICS_TWIN)
    define(organization, [make_entity()])
    enable(organization, ["account"])
    return Store(organization)


def post(door: str, content: str = "") -> str:
    """Return the path of the job that was started."""
    answer: Any = Client().post(
        f"/rest/v1/sync/field/{door}", content, content_type="application/xml", headers=ANN
    )
    assert answer.status_code == 202, answer.content
    return str(urlsplit(answer["Location"]).path)


def carried_out(path: str) -> Any:
    """Let a worker come, and return the job's status."""
    runner.work(Run.objects.get(pk=path.rpartition("/")[2]).pk)
    return Client().get(path, headers=ANN)


def test_it_connects_and_carries() -> None:
    server = make_server()
    for number in range(3):
        server.create("account", {"name": f"account {number}"})
    connected = etree.fromstring(carried_out(post("ConnectAsync", REQUEST)).content)
    assert (connected.findtext("Kind"), connected.findtext("Status")) == ("Connect", "Succeeded")
    carried = etree.fromstring(carried_out(post("SyncAsync")).content)
    assert (carried.findtext("Kind"), carried.findtext("Status")) == ("Sync", "Succeeded")
    assert carried.findtext("Entities/Entity/Created") == "3"
    assert names(client_store(Connection.objects.get())) == names(server)
    path = post("SyncAsync", "<SyncRequest><DryRun>true</DryRun></SyncRequest>")
    runner.work(Run.objects.get(pk=path.rpartition("/")[2]).pk)
    document = Client().get(path, headers={**ANN, "Accept": "application/json"}).json()
    assert (document["status"], document["dry_run"]) == ("Succeeded", True)
    assert document["entities"][0]["created"] == 0
