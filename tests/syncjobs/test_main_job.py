"""The main job, whole: a Dynamics twin over real HTTP feeds a hosted client organization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import requests
from lxml import etree
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections.models import Connection
from organizations.catalog import Catalog
from organizations.models import ChangeLog, Organization
from organizations.samples.twins import make_twin
from organizations.store import Store
from syncjobs import runner
from syncjobs.models import Link

ADMIN = ("admin@field.example", "a long enough phrase")
MAIN = ("account", "contact", "lead", "competitor", "leadcompetitors", "appointment")


@dataclass(frozen=True)
class World:
    """A twin with records, served over HTTP, and how to sign in to it."""

    base: str
    url: str
    client_id: str
    secret: str
    organization: Organization

    def connect_xml(self, **changes: str) -> str:
        """Return the published example with this twin's address and login."""
        values = {"url": self.url, "user": self.client_id, "password": self.secret} | changes
        return f"""<ConnectRequest>
          <SyncSetup>
            <ProviderID>60650fb3-5d8b-45dd-b82e-459f3b019e9a</ProviderID>
            <Url>{values["url"]}</Url>
            <UserName>{values["user"]}</UserName>
            <Password>{values["password"]}</Password>
            <RegistrationInfo>
              <Email>{ADMIN[0]}</Email>
              <FirstName>Given</FirstName>
              <LastName>Family</LastName>
              <Company>Example</Company>
            </RegistrationInfo>
          </SyncSetup>{changes.get("more", "")}
        </ConnectRequest>"""

    def post(self, path: str, body: str = "") -> requests.Response:
        """Post XML as the client's administrator."""
        headers = {"Content-Type": "application/xml"}
        url = f"{self.base}/rest/v1/sync/field/{path}"
        return requests.post(url, body.encode(), headers=headers, auth=ADMIN, timeout=60)

    def job(self, location: str) -> tuple[etree._Element, dict[str, Any]]:
        """Carry the job out as a worker would; return its status in XML and in JSON."""
        runner.work(UUID(location.rsplit("/", 1)[1]))
        as_xml = requests.get(location, auth=ADMIN, timeout=60)
        json = {"Accept": "application/json"}
        as_json = requests.get(location, auth=ADMIN, headers=json, timeout=60)
        return etree.fromstring(as_xml.content), as_json.json()

    def sync(self) -> dict[str, dict[str, Any]]:
        """Run SyncAsync to its end; return the counts by entity."""
        accepted = self.post("SyncAsync")
        assert accepted.status_code == 202, accepted.text
        _, status = self.job(accepted.headers["Location"])
        assert status["status"] == "Succeeded", status
        return {entity["name"]: entity for entity in status["entities"]}


@pytest.fixture
def world(transactional_db: None, live_server: LiveServer, settings: Settings) -> World:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.RESCO_SYNC_REGISTRATION = "open"
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    base = live_server.url.replace("localhost", "127.0.0.1")
    twin = make_twin(
        "contoso", records=300, seed=7, email="admin@contoso.example", password="correct horse 9"
    )
    return World(base, f"{base}{twin.path}", twin.client_id, twin.secret, twin.organization)


def connect(world: World, more: str = "") -> dict[str, Any]:
    accepted = world.post("ConnectAsync", world.connect_xml(more=more))
    assert accepted.status_code == 202, accepted.text
    _, status = world.job(accepted.headers["Location"])
    assert status["status"] == "Succeeded", status
    return status


def client() -> Organization:
    return Organization.objects.get(name="field")


def rows(organization: Organization, entity: str) -> dict[str, tuple[Any, ...]]:
    """Return what decides equality of each record, by id; intersects by their pair."""
    definition = Catalog(organization).entity(entity)
    names = [item.name for item in definition.attributes if item.is_compared]
    pair = definition.intersect
    if pair is not None:
        found = Store(organization).page(
            entity, [definition.primary_id, pair.attribute1, pair.attribute2]
        )
        return {f"{row[1]}/{row[2]}": () for row in found}
    found = Store(organization).page(entity, [definition.primary_id, *names])
    return {str(row[0]): row[:-1] for row in found}


def assert_equal(world: World, entities: tuple[str, ...] = MAIN) -> None:
    for entity in entities:
        server, here = rows(world.organization, entity), rows(client(), entity)
        assert server, entity
        assert server == here, entity


def test_it_connects_by_the_published_request_and_copies_by_sync_async(world: World) -> None:
    accepted = world.post("ConnectAsync", world.connect_xml())
    assert accepted.status_code == 202, accepted.text
    answer = etree.fromstring(accepted.content)
    assert answer.findtext("JobID")
    assert answer.findtext("Status") == "Queued"
    xml, json = world.job(accepted.headers["Location"])
    assert (xml.findtext("Status"), json["status"]) == ("Succeeded", "Succeeded")
    counts = world.sync()
    for name in MAIN:
        assert (
            counts[name]["read"] == counts[name]["created"] == len(rows(world.organization, name))
        )
    assert_equal(world)


def test_it_carries_exactly_the_changes_and_then_nothing(world: World) -> None:
    names = "".join(f'<Entity Name="{name}" SyncDeletion="true"/>' for name in MAIN)
    connect(world, f"<Entities>{names}</Entities>")
    world.sync()
    store = Store(world.organization)
    accounts = list(rows(world.organization, "account"))
    leads = list(rows(world.organization, "lead"))
    competitors = list(rows(world.organization, "competitor"))
    store.update("account", accounts[0], {"name": "Renamed"})
    store.create("account", {"name": "New"})
    store.delete("account", accounts[1])
    have = rows(world.organization, "leadcompetitors")
    pair = next(
        (lead, rival) for lead in leads for rival in competitors if f"{lead}/{rival}" not in have
    )
    store.associate("leadcompetitors_association", *pair)
    counts = world.sync()
    account = counts["account"]
    assert (account["created"], account["updated"], account["deleted"]) == (1, 1, 1)
    assert counts["leadcompetitors"]["created"] == 1
    assert sum(entity["created"] + entity["updated"] for entity in counts.values()) == 3
    assert_equal(world)
    before = written()
    third = world.sync()
    assert sum(entity["read"] for entity in third.values()) == 0
    assert written() == before


def written() -> tuple[Any, ...]:
    """Return what any write of a run would move."""
    connection = Connection.objects.get(name="field")
    links = list(Link.objects.filter(entity__connection=connection).order_by("server_id").values())
    return ChangeLog.objects.count(), client().row_version, links


def test_it_asks_about_edits_of_both_sides_and_leaves_them_alone(world: World) -> None:
    connect(world, "<Entities>account</Entities>")
    world.sync()
    Connection.objects.get(name="field").entities.update(conflict_rule="ask")
    record = next(iter(rows(world.organization, "account")))
    Store(client()).update("account", record, {"name": "Client's"})
    Store(world.organization).update("account", record, {"name": "Server's"})
    accepted = world.post("SyncAsync")
    _, status = world.job(accepted.headers["Location"])
    assert status["entities"][0]["updated"] == 0
    assert any(error["record"] == record for error in status["errors"])
    assert Store(client()).get("account", record).values["name"] == "Client's"


def test_it_keeps_the_filter_on_the_server(world: World) -> None:
    condition = '<condition attribute="statecode" operator="eq" value="0"/>'
    fetch = f'<fetch><entity name="account"><filter>{condition}</filter></entity></fetch>'
    wanted = f"<fetchcollection>{fetch}</fetchcollection>"
    connect(
        world,
        f"<Entities>account</Entities><SyncFiltersXml>{wanted}</SyncFiltersXml>",
    )
    counts = world.sync()
    inside = {
        key
        for key, row in rows(world.organization, "account").items()
        if Store(world.organization).get("account", key).values["statecode"] == 0
    }
    assert set(rows(client(), "account")) == inside
    assert counts["account"]["created"] == len(inside) > 0


def test_it_answers_a_second_connection_to_another_host_with_409(world: World) -> None:
    connect(world, "<Entities>account</Entities>")
    other = world.url.replace("contoso", "elsewhere")
    answer = world.post("ConnectAsync", world.connect_xml(url=other))
    assert answer.status_code == 409
    assert "has one server" in (etree.fromstring(answer.content).findtext("Reason") or "")
