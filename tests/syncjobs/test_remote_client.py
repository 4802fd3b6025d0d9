"""A client that is hosted elsewhere: connected, given metadata, kept in step."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections.connect import clients, proof, service
from connections.connect.errors import ClientTaken, ClientUnproven
from connections.connectors.resco_cloud.connector import RescoCloudConnector
from connections.models import Connection, Endpoint
from organizations.catalog import Catalog
from organizations.schema import Attribute, AttributeType, Entity
from syncjobs.models import Run
from tests.syncjobs import elsewhere
from tests.syncjobs.elsewhere import Elsewhere, make_account, moved, work


@pytest.fixture
def place(transactional_db: None, live_server: LiveServer, settings: Settings) -> Elsewhere:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
    return Elsewhere.at(live_server.url.replace("localhost", "127.0.0.1"))


def test_connecting_gives_the_client_the_metadata(place: Elsewhere) -> None:
    connection = place.connect()
    assert connection.state == Connection.State.READY
    account = Catalog(place.here.organization).entity("account")
    assert account.label.text() == "Account"
    city = account.attribute("city")
    assert city is not None
    assert (city.label.text(), city.max_length) == ("City", 40)
    assert service.preview(connection).is_empty


def test_records_go_both_ways_once(place: Elsewhere) -> None:
    connection = place.connect()
    parent = place.there.create("account", {"name": "Parent"}).id
    assert moved(work(connection, Run.Kind.SYNC)) == {"account": {"created": 1}}
    made = place.here.create("account", {"name": "Made on RC2", "city": "Brno"}).id
    place.there.update("account", parent, {"name": "Renamed"})
    assert moved(work(connection, Run.Kind.SYNC)) == {"account": {"updated": 1, "pushed": 1}}
    assert place.here.get("account", parent).values["name"] == "Renamed"
    assert place.there.get("account", made).values["city"] == "Brno"
    place.here.delete("account", parent)
    place.there.delete("account", made)
    assert moved(work(connection, Run.Kind.SYNC)) == {"account": {"deleted": 1, "pushed": 1}}
    before = place.written()
    assert moved(work(connection, Run.Kind.SYNC)) == {}
    assert place.written() == before


LONG_AGO = "2020-01-02T03:04:05Z"


def make_timed() -> Entity:
    """An account with what its users cannot write: a full name, and when it was written."""
    plain = make_account()
    more = (
        Attribute(name="fullname", type=AttributeType.STRING, max_length=40),
        Attribute(name="createdon", type=AttributeType.DATETIME),
        Attribute(name="modifiedon", type=AttributeType.DATETIME),
    )
    locked = (replace(item, is_creatable=False, is_updatable=False) for item in more)
    return replace(plain, attributes=(*plain.attributes, *locked))


@pytest.mark.parametrize("takes_all", [True, False])
def test_what_users_cannot_write_does_not_come_back(
    transactional_db: None,
    live_server: LiveServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    takes_all: bool,
) -> None:
    """An organization of ours takes it as it is; to another one it is not carried."""
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
    monkeypatch.setattr(elsewhere, "make_account", make_timed)
    monkeypatch.setattr(RescoCloudConnector, "takes_all", lambda _: takes_all)
    place = Elsewhere.at(live_server.url.replace("localhost", "127.0.0.1"))
    connection = place.connect()
    given = {"fullname": "A of RC1", "createdon": LONG_AGO, "modifiedon": LONG_AGO}
    record = place.there.create("account", {"name": "A", **given}).id
    assert moved(work(connection, Run.Kind.SYNC)) == {"account": {"created": 1}}
    values = place.here.get("account", record).values
    assert values["name"] == "A"
    kept = {name for name, value in given.items() if values[name] == value}
    assert kept == (set(given) if takes_all else set())
    before = place.written()
    assert moved(work(connection, Run.Kind.SYNC)) == {}
    assert place.written() == before


@pytest.mark.parametrize(
    ("changed", "element", "why"),
    [
        ({"password": "wrong"}, "ClientPassword", "refused the login"),
        ({"url": "http://127.0.0.1:1/rc2"}, "ClientUrl", "cannot be reached"),
        ({"url": "http://10.0.0.1/rc2"}, "ClientUrl", "is refused"),
    ],
)
def test_a_client_that_does_not_let_us_in_is_not_connected(
    place: Elsewhere, changed: dict[str, str], element: str, why: str
) -> None:
    with pytest.raises(ClientUnproven, match=why) as caught:
        clients.prove(place.login(**changed))
    assert caught.value.element == element
    assert not Connection.objects.exists()
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"name": "other"}, "is connected to a server already"),
        ({"url": "rc1"}, "name of a connection|that of a connection with another client"),
    ],
)
def test_a_client_has_one_server_and_a_name_one_client(
    place: Elsewhere, changed: dict[str, str], why: str
) -> None:
    place.connect()
    if "url" in changed:
        changed = {"url": f"{place.base}/{changed['url']}"}
    who = clients.prove(place.login(**changed))
    with pytest.raises(ClientTaken, match=why):
        service.connect(proof.prove(place.wanted()), who)
    assert Connection.objects.count() == 1
    assert Endpoint.objects.count() == 2


def test_an_organization_is_not_connected_to_itself(place: Elsewhere) -> None:
    who = clients.prove(place.login(url=f"{place.base}/rc1"))
    with pytest.raises(ClientTaken, match="same organization"):
        service.connect(proof.prove(place.wanted()), who)
    assert not Endpoint.objects.exists()


def test_an_organization_hosted_here_keeps_its_name(place: Elsewhere) -> None:
    who = clients.prove(place.login(name="rc2"))
    with pytest.raises(ClientTaken, match="name of an organization hosted here"):
        service.connect(proof.prove(place.wanted()), who)
