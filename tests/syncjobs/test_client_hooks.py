"""Instant delivery of a client hosted elsewhere: by web hooks, and by asking now and then."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections.models import Connection, RemoteHook
from organizations.models import Organization, WebHook
from syncjobs import client_hooks, deliver, hooks
from syncjobs.models import Run
from tests.fakes.faulty import Faulty
from tests.fakes.server import Answer, Request, serve
from tests.syncjobs.elsewhere import Elsewhere, moved, work

ACTIONS = {"create", "update", "delete"}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were called, which nobody takes."""
    tasks: list[str] = []

    def send_task(name: str, args: Any = (), **options: Any) -> None:
        tasks.append(name.rpartition(".")[2])

    monkeypatch.setattr(current_app, "send_task", send_task)
    return tasks


@pytest.fixture
def place(
    transactional_db: None, live_server: LiveServer, settings: Settings, called: list[str]
) -> Elsewhere:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
    place = Elsewhere.at(live_server.url.replace("localhost", "127.0.0.1"))
    settings.RESCO_SYNC_PUBLIC_URL = f"{place.base}/"
    return place


def connect(place: Elsewhere) -> Connection:
    """Connect in instant mode, with what was there before on both sides."""
    place.there.create("account", {"name": "First"})
    connection = place.connect()
    Connection.objects.filter(pk=connection.pk).update(write_mode="instant")
    work(connection, Run.Kind.SYNC)
    hooks.call(place.client.pk)
    deliver.deliver(connection.pk)
    return Connection.objects.get(pk=connection.pk)


def made() -> set[tuple[str, str]]:
    return set(WebHook.objects.values_list("entity", "action"))


def test_connecting_makes_a_hook_for_each_action(place: Elsewhere) -> None:
    connection = connect(place)
    assert made() == {("account", action) for action in ACTIONS}
    assert set(WebHook.objects.values_list("url", flat=True)) == {
        client_hooks.address(connection.pk)
    }
    assert RemoteHook.objects.count() == 3


def test_a_change_there_is_delivered_at_once(place: Elsewhere, called: list[str]) -> None:
    connection = connect(place)
    called.clear()
    record = place.here.create("account", {"name": "Made on RC2"}).id
    assert called == ["call_hooks"]
    hooks.call(place.client.pk)
    assert called == ["call_hooks", "deliver"]
    deliver.deliver(connection.pk)
    assert place.there.get("account", record).values["name"] == "Made on RC2"
    place.here.update("account", record, {"name": "Changed"})
    place.here.update("account", record, {"name": "Changed again"})
    hooks.call(place.client.pk)
    deliver.deliver(connection.pk)
    assert place.there.get("account", record).values["name"] == "Changed again"
    before = place.written()
    assert moved(work(connection, Run.Kind.SYNC)) == {}
    assert place.written() == before


def test_a_call_during_a_delivery_is_not_missed(
    place: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(place)
    carry, passes = deliver._carry, []

    def meanwhile(*args: Any) -> None:
        carry(*args)
        passes.append(1)
        if len(passes) == 1:
            place.here.create("account", {"name": "Late"})
            hooks.call(place.client.pk)

    monkeypatch.setattr(deliver, "_carry", meanwhile)
    place.here.create("account", {"name": "Early"})
    hooks.call(place.client.pk)
    deliver.deliver(connection.pk)
    assert len(passes) == 2
    assert {"Early", "Late"} <= place.names()


def test_only_who_knows_the_address_is_heard(place: Elsewhere, client: Client) -> None:
    connection = connect(place)
    good = reverse("client_hook", args=[connection.pk, client_hooks.token(connection.pk)])
    bad = reverse("client_hook", args=[connection.pk, client_hooks.token(uuid4())])
    unknown = uuid4()
    nobody = reverse("client_hook", args=[unknown, client_hooks.token(unknown)])
    calls = connection.client_calls
    body, kind = '{"id": "x"}', "application/json"
    assert client.post(bad, body, content_type=kind).status_code == 404
    assert client.post(nobody, body, content_type=kind).status_code == 404
    assert client.get(good).status_code == 405
    connection.refresh_from_db()
    assert connection.client_calls == calls
    assert client.post(good, body, content_type=kind).status_code == 204
    connection.refresh_from_db()
    assert connection.client_calls == calls + 1


def test_in_offline_mode_nobody_is_woken(place: Elsewhere, called: list[str]) -> None:
    connection = connect(place)
    Connection.objects.filter(pk=connection.pk).update(write_mode="offline")
    called.clear()
    place.here.create("account", {"name": "Waits"})
    hooks.call(place.client.pk)
    assert called == ["call_hooks"]
    assert moved(work(connection, Run.Kind.SYNC)) == {"account": {"pushed": 1}}


def test_hooks_follow_what_is_carried_and_where_we_are(
    place: Elsewhere, settings: Settings
) -> None:
    connection = connect(place)
    settings.RESCO_SYNC_PUBLIC_URL = f"{place.base}/other"
    work(connection, Run.Kind.SYNC)
    assert made() == {("account", action) for action in ACTIONS}
    assert all("/other/hooks/" in url for url in WebHook.objects.values_list("url", flat=True))
    settings.RESCO_SYNC_PUBLIC_URL = ""
    work(connection, Run.Kind.SYNC)
    assert (made(), RemoteHook.objects.count()) == (set(), 0)


def test_disconnecting_removes_them(place: Elsewhere, admin_client: Client) -> None:
    connection = connect(place)
    address = reverse("admin:connections_connection_disconnect", args=[connection.pk])
    assert admin_client.post(address).status_code == 302
    assert made() == set()
    assert not Connection.objects.exists()


def test_a_client_that_is_down_does_not_keep_us_from_disconnecting(
    place: Elsewhere, admin_client: Client
) -> None:
    connection = connect(place)
    type(connection.client).objects.filter(pk=connection.client_id).update(
        url="http://127.0.0.1:1/rc2"
    )
    address = reverse("admin:connections_connection_disconnect", args=[connection.pk])
    page = admin_client.post(address, follow=True).content.decode()
    assert "Web hooks were left in the client organization" in page
    assert not Connection.objects.exists()


def test_without_hooks_it_is_asked_now_and_then_by_one_request(
    place: Elsewhere, settings: Settings, called: list[str]
) -> None:
    settings.RESCO_SYNC_PUBLIC_URL = ""
    proxy = Faulty(place.base)
    with serve(proxy) as url:
        distant = Elsewhere(url, place.server, place.client)
        connection = connect(distant)
        assert not RemoteHook.objects.exists()
        called.clear()
        deliver.wake_due()
        deliver.wake_due()
        assert called == ["deliver"]
        proxy.asked.clear()
        deliver.deliver(connection.pk)
        assert proxy.asked == ["POST /rest/v1/data/rc2/GetMaxRowVersion"]
        record = distant.here.create("account", {"name": "Polled"}).id
        deliver.deliver(connection.pk)
        assert distant.there.get("account", record).values["name"] == "Polled"


def test_a_client_that_takes_no_hooks_is_connected_all_the_same(place: Elsewhere) -> None:
    def respond(request: Request) -> Answer:
        return Answer(404, b"<html>") if "$hook" in request.target else proxy.forward(request)

    proxy = Faulty(place.base)
    with serve(respond) as url:
        distant = Elsewhere(url, place.server, place.client)
        connection = distant.save()
        run = work(connection, Run.Kind.CONNECT)
    assert "Web hooks could not be made, so changes are asked for" in run.message
    assert not RemoteHook.objects.exists()
    assert Organization.objects.get(pk=place.client.pk).hooks.count() == 0
