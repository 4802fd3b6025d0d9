"""The recycle bin of a connection: search, restore, choose."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Connection
from organizations.models import DeletedRecord
from syncjobs import recycle_bin
from syncjobs.models import HeldDeletions, Link
from tests.syncjobs.making import client_store, names

pytestmark = pytest.mark.django_db
ONE, TWO = str(UUID(int=1)), str(UUID(int=2))


def make_deleted(connection: Connection) -> None:
    """Two accounts that the connection deleted, and one contact that a user deleted."""
    store, origin = client_store(connection), str(connection.pk)
    for record, name in ((ONE, "Adventure Works"), (TWO, "Blue Yonder")):
        store.create("account", {"name": name}, id=record, origin=origin)
        store.delete("account", record, origin=origin)
    store.create("contact", {"name": "Ann"}, id=ONE, actor="ann")
    store.delete("contact", ONE, actor="ann")


def page(connection: Connection) -> str:
    return reverse("admin:connections_connection_recycle", args=[connection.pk])


def row_of(name: str) -> str:
    return str(DeletedRecord.objects.get(document__name=name).pk)


def test_it_shows_and_finds_what_was_deleted(viewer: Client, connection: Connection) -> None:
    assert "The recycle bin is empty" in viewer.get(page(connection)).content.decode()
    make_deleted(connection)
    shown = viewer.get(page(connection)).content.decode()
    for text in ("Adventure Works", "Blue Yonder", "Sync All", "Ann", "Kept for 30 days"):
        assert text in shown
    assert "Restore the ticked" not in shown
    found = viewer.get(page(connection), {"q": "yonder", "entity": "account"}).content.decode()
    assert "Blue Yonder" in found
    assert "Adventure Works" not in found
    assert "Nothing matches" in viewer.get(page(connection), {"q": "?"}).content.decode()


def test_it_restores_what_was_ticked_and_asks_what_then(
    superuser: Client, connection: Connection
) -> None:
    make_deleted(connection)
    ticked = [row_of("Adventure Works"), row_of("Blue Yonder")]
    answer = superuser.post(page(connection), {"record": ticked}, follow=True)
    shown = answer.content.decode()
    assert "Records restored: 2." in shown
    assert "2 restored records of account: what shall happen now?" in shown
    assert names(client_store(connection)) == {ONE: "Adventure Works", TWO: "Blue Yonder"}
    choose(superuser, connection, choice="keep", record=ONE)
    choose(superuser, connection, choice="follow", record=TWO)
    assert not recycle_bin.undecided(connection)
    assert HeldDeletions.objects.get(decided_by="root").server_ids == [UUID(ONE)]
    assert Link.objects.count() == 2


def choose(client: Client, connection: Connection, **values: str) -> None:
    address = reverse("admin:connections_connection_recycle_choose", args=[connection.pk])
    answer = client.post(address, {"entity": "account", **values})
    assert answer.headers["Location"] == page(connection)


def test_nonsense_chooses_nothing(superuser: Client, connection: Connection) -> None:
    make_deleted(connection)
    superuser.post(page(connection), {"record": [row_of("Adventure Works")]})
    choose(superuser, connection, choice="keep", record="no id")
    choose(superuser, connection, choice="maybe", record=ONE)
    assert recycle_bin.undecided(connection).get().server_ids == [UUID(ONE)]


def test_it_says_what_cannot_be_restored(superuser: Client, connection: Connection) -> None:
    make_deleted(connection)
    client_store(connection).create("account", {"name": "Mine"}, id=ONE)
    ticked = {"record": [row_of("Adventure Works")]}
    shown = superuser.post(page(connection), ticked, follow=True).content.decode()
    assert f"Not restored: account {ONE}" in shown
    assert "Tick the records" in superuser.post(page(connection), follow=True).content.decode()


def test_a_viewer_restores_nothing(viewer: Client, connection: Connection) -> None:
    make_deleted(connection)
    ticked = {"record": [row_of("Adventure Works")]}
    assert viewer.post(page(connection), ticked).status_code == 403
    address = reverse("admin:connections_connection_recycle_choose", args=[connection.pk])
    assert viewer.post(address, {"choice": "keep", "record": ONE}).status_code == 403


def test_a_client_elsewhere_has_its_own_bin(superuser: Client, connection: Connection) -> None:
    connection.client.organization = None
    connection.client.backend, connection.client.url = "resco_cloud", "https://example.com"
    connection.client.save()
    assert "The client is not hosted here" in superuser.get(page(connection)).content.decode()
