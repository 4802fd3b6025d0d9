"""Names where the client is not hosted here: native entities, reached by the services only."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections.connect import clients, proof, service
from connections.connect.request import EntityChoice
from connections.naming import editing
from connections.naming.choosing import names_of
from organizations.catalog import define, enable
from organizations.errors import InvalidRequest
from organizations.schema import Attribute, AttributeType, Entity
from syncjobs.api import connecting
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


TOLD = {"accountid": "id", "city": "town"}


def test_names_are_told_when_connecting(elsewhere: Elsewhere) -> None:
    native = make_native()
    town = Attribute(name="town", type=AttributeType.STRING, max_length=40)
    define(elsewhere.client, [replace(native, attributes=(*native.attributes, town))])
    choice = EntityChoice(name="account", names=TOLD)
    request = replace(elsewhere.wanted(), entities=(choice,))
    connection = service.connect(proof.prove(request), clients.prove(elsewhere.login()))
    assert names_of(connection).of == {"account": TOLD}
    work(connection, Run.Kind.CONNECT)
    assert names_of(connection).of == {"account": TOLD}
    there = elsewhere.there.create("account", {"name": "There", "city": "Brno"}).id
    work(connection, Run.Kind.SYNC)
    values = elsewhere.here.get("account", there).values
    assert (values["town"], values["city"]) == ("Brno", None)


def test_a_name_that_the_server_does_not_have_is_refused(elsewhere: Elsewhere) -> None:
    choice = EntityChoice(name="account", names={"nothing": "id"})
    with pytest.raises(InvalidRequest, match="'nothing', which is no attribute of the") as caught:
        proof.prove(replace(elsewhere.wanted(), entities=(choice,)))
    assert caught.value.element == "Names"


def test_the_api_takes_names_of_the_entities_it_lists() -> None:
    wanted = {"entities": ["account", "lead"], "names": {"account": TOLD}}
    assert connecting._entities(wanted) == [
        {"Name": "account", "Names": TOLD},
        {"Name": "lead", "Names": None},
    ]
    assert connecting._entities({}) is None
    with pytest.raises(InvalidRequest, match="'names' is about 'account'"):
        connecting._entities({"names": {"account": TOLD}})
