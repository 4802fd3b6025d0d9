"""Names where the client is not hosted here: native entities, reached by the services only."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections.naming import editing
from connections.naming.choosing import names_of
from organizations.catalog import define, enable
from organizations.schema import Entity
from syncjobs.models import Run
from tests.syncjobs.elsewhere import Elsewhere, make_account, moved, work

pytestmark = pytest.mark.usefixtures("calls", "no_organizations_left")
NAMES = {"account": {"accountid": "id"}}


def make_native() -> Entity:
    account = make_account()
    attributes = tuple(
        replace(item, name="id") if item.name == "accountid" else item
        for item in account.attributes
    )
    return replace(account, primary_id="id", attributes=attributes)


@pytest.fixture
def elsewhere(transactional_db: None, live_server: LiveServer, settings: Settings) -> Elsewhere:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    made = Elsewhere.at(live_server.url.replace("localhost", "127.0.0.1"))
    define(made.client, [make_native()])
    enable(made.client, ["account"])
    return made


def test_a_client_elsewhere_keeps_its_native_key(elsewhere: Elsewhere) -> None:
    there = elsewhere.there.create("account", {"name": "There"}).id
    connection = elsewhere.connect()
    assert names_of(connection).of == NAMES
    assert elsewhere.here.catalog.entity("account").primary_id == "id"
    assert elsewhere.here.catalog.entity("account").attribute("accountid") is None
    work(connection, Run.Kind.SYNC)
    assert elsewhere.here.get("account", there).values["name"] == "There"
    here = elsewhere.here.create("account", {"name": "Here"}).id
    elsewhere.here.update("account", there, {"city": "Brno"})
    work(connection, Run.Kind.SYNC)
    assert elsewhere.there.get("account", here).values["name"] == "Here"
    assert elsewhere.there.get("account", there).values["city"] == "Brno"
    work(connection, Run.Kind.SYNC)
    assert moved(work(connection, Run.Kind.SYNC)) == {}
    found = editing.look(connection.entities.get(name="account"))
    assert found.server is not None
    assert (found.server.primary_id, found.client) == ("accountid", None)
