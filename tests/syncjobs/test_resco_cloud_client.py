"""RC1 → RC2 with RC2 somewhere else: a client that is reached by its services only."""

from __future__ import annotations

from uuid import uuid4

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections import secrets
from connections.models import Connection, Endpoint
from organizations import deletions
from organizations.members import add_member
from organizations.store import Store
from tests.syncjobs.making import client_store, fill, make_pair, names, server_store
from tests.syncjobs.test_resco_cloud import Chain

USER, PASSWORD = "admin@rc2.example", "a long enough phrase"


@pytest.fixture
def chain(transactional_db: None, live_server: LiveServer, settings: Settings) -> Chain:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    connection = make_pair("rc2")
    fill(connection, 12)
    server, client = server_store(connection).organization, client_store(connection).organization
    deletions.define(client)
    add_member(client, USER, PASSWORD)
    base = live_server.url.replace("localhost", "127.0.0.1")
    remote = Endpoint(id=uuid4(), backend="resco_cloud", url=f"{base}/rc2", user_name=USER)
    remote.sealed_secret = secrets.seal(PASSWORD, remote.pk)
    remote.save()
    Connection.objects.filter(pk=connection.pk).update(client=remote)
    Endpoint.objects.filter(organization=client).delete()
    return Chain(server, client, Connection.objects.get(pk=connection.pk))


def test_it_carries_both_ways_once(chain: Chain) -> None:
    there, here = Store(chain.server), Store(chain.client)
    assert chain.sync() == {"account": {"created": 12}}
    assert names(there) == names(here)
    before = chain.written()
    assert chain.sync() == {}
    assert chain.written() == before

    first, second, third, fourth = list(names(there))[:4]
    there.update("account", first, {"name": "Renamed on RC1"})
    here.update("account", second, {"name": "Renamed on RC2"})
    here.delete("account", third)
    made = here.create("account", {"name": "Made on RC2"}).id
    assert chain.sync() == {"account": {"updated": 1, "pushed": 3}}
    assert names(there) == names(here)
    assert names(there)[made] == "Made on RC2"
    assert third not in names(there)
    assert names(here)[fourth] == names(there)[fourth]

    before = chain.written()
    assert chain.sync() == {}
    assert chain.written() == before
