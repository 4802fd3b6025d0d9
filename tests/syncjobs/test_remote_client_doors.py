"""Every door takes a client that is hosted elsewhere, and proves it before anything is saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections import registry
from connections.models import Connection, Endpoint
from organizations.models import Organization
from syncjobs import runner
from syncjobs.models import Run
from tests.syncjobs.elsewhere import PASSWORD, RESCO_CLOUD, USER, Elsewhere
from tests.syncjobs.making import basic

FORM = "/admin/connections/connection/add/"
API = "/api/connections/"
Knock = Callable[..., tuple[int, str]]
"""Connects by one door, with things changed; returns the status and what was said."""


@pytest.fixture
def place(
    transactional_db: None,
    live_server: LiveServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Elsewhere:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.RESCO_SYNC_REGISTRATION = "open"
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)
    return Elsewhere.at(live_server.url.replace("localhost", "127.0.0.1"))


def by_form(place: Elsewhere, client: Client, /, **changed: str) -> tuple[int, str]:
    data = {
        "client": "remote",
        "client_url": f"{place.base}/rc2",
        "email": USER,
        "client_password": PASSWORD,
        "provider": RESCO_CLOUD,
        "url": f"{place.base}/rc1",
        "user_name": USER,
        "password": PASSWORD,
    }
    answer = client.post(FORM, data | changed)
    return answer.status_code, answer.content.decode()


def by_api(place: Elsewhere, client: Client, /, **changed: str) -> tuple[int, str]:
    names = {"client": "name", "email": "client_user_name"}
    body = {
        "name": "remote",
        "client_url": f"{place.base}/rc2",
        "client_user_name": USER,
        "client_password": PASSWORD,
        "provider_id": RESCO_CLOUD,
        "url": f"{place.base}/rc1",
        "user_name": USER,
        "password": PASSWORD,
        "entities": ["account"],
    }
    body |= {names.get(key, key): value for key, value in changed.items()}
    answer = client.post(API, body, content_type="application/json")
    return answer.status_code, answer.content.decode()


def by_service(place: Elsewhere, client: Client, /, **changed: str) -> tuple[int, str]:
    given = {"client": "remote", "client_url": f"{place.base}/rc2", "email": USER}
    given |= {"client_password": PASSWORD} | changed
    document: dict[str, Any] = {
        "SyncSetup": {
            "ProviderID": RESCO_CLOUD,
            "Url": f"{place.base}/rc1",
            "UserName": USER,
            "Password": PASSWORD,
            "RegistrationInfo": {"Email": USER},
        },
        "ClientUrl": given["client_url"],
        "Entities": "account",
    }
    answer = client.post(
        f"/rest/v1/sync/{given['client']}/ConnectAsync",
        document,
        content_type="application/json",
        headers=basic(given["email"], given["client_password"]),
    )
    return answer.status_code, answer.content.decode()


DOORS = pytest.mark.parametrize(
    ("knock", "good"), [(by_form, 302), (by_api, 202), (by_service, 202)]
)


def carry_out() -> Connection:
    """Do the job that a door started."""
    connection = Connection.objects.get()
    runner.work(UUID(str(connection.runs.get(kind=Run.Kind.CONNECT).pk)))
    connection.refresh_from_db()
    return connection


@DOORS
def test_it_connects_what_is_hosted_elsewhere(
    place: Elsewhere, admin_client: Client, knock: Knock, good: int
) -> None:
    status, text = knock(place, admin_client)
    assert status == good, text
    connection = carry_out()
    assert (connection.name, connection.state) == ("remote", Connection.State.READY)
    client = connection.client
    assert (client.backend, client.url) == ("resco_cloud", f"{place.base}/rc2")
    assert (client.user_name, client.organization_id_seen) == (USER, str(place.client.pk))
    assert PASSWORD not in client.sealed_secret
    with registry.connector(client) as connector:
        assert connector.identify().organization_name == "rc2"
    assert Organization.objects.count() == 2


@DOORS
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"client_password": "wrong"}, "The client organization refused the login"),
        ({"client_url": "http://127.0.0.1:1/rc2"}, "The client organization cannot be reached"),
        ({"client_url": "ftp://host/rc2"}, "must be a web address"),
        ({"client": "Not A Name"}, "name"),
    ],
)
def test_nothing_is_made_where_the_client_cannot_be_proved(
    place: Elsewhere,
    admin_client: Client,
    knock: Knock,
    good: int,
    changed: dict[str, str],
    why: str,
) -> None:
    status, text = knock(place, admin_client, **changed)
    assert 400 <= status < 500
    assert why in text
    assert not Endpoint.objects.exists()
    assert not Run.objects.exists()


@DOORS
def test_a_client_that_has_a_server_is_refused(
    place: Elsewhere, admin_client: Client, knock: Knock, good: int
) -> None:
    assert knock(place, admin_client)[0] == good
    status, text = knock(place, admin_client, client="other")
    assert status in (400, 409)
    assert "is connected to a server already" in text
    assert Connection.objects.get().name == "remote"


def test_connecting_again_needs_no_password_but_goes_nowhere_else(
    place: Elsewhere, admin_client: Client
) -> None:
    assert by_form(place, admin_client)[0] == 302
    again = {"client_url": "", "email": "", "client_password": ""}
    assert by_form(place, admin_client, **again)[0] == 302
    elsewhere = {"client_url": "http://127.0.0.1:1/rc2", "client_password": ""}
    status, text = by_form(place, admin_client, **elsewhere)
    assert status == 400
    assert "Enter the password of that user." in text


def test_the_command_connects_it(place: Elsewhere, tmp_path: Path) -> None:
    file, password = tmp_path / "request.xml", tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    file.write_text(
        f"<ConnectRequest><SyncSetup><ProviderID>{RESCO_CLOUD}</ProviderID>"
        f"<Url>{place.base}/rc1</Url><UserName>{USER}</UserName><Password>{PASSWORD}</Password>"
        f"</SyncSetup><ClientUrl>{place.base}/rc2</ClientUrl><Entities>account</Entities>"
        "</ConnectRequest>"
    )
    with pytest.raises(CommandError, match="give --user and --password-file") as caught:
        call_command("connect", str(file), "remote")
    assert caught.value.returncode == 2
    call_command("connect", str(file), "remote", user=USER, password_file=str(password))
    connection = Connection.objects.get()
    assert (connection.state, connection.client.url) == ("ready", f"{place.base}/rc2")


@pytest.mark.parametrize("policy", ["closed", "invite"])
def test_the_web_service_takes_a_new_one_only_as_registrations_are_taken(
    place: Elsewhere, client: Client, settings: Settings, policy: str
) -> None:
    settings.RESCO_SYNC_REGISTRATION = policy
    status, text = by_service(place, client)
    assert (status, "new organizations" in text.lower()) == (403, True)
    assert not Connection.objects.exists()


def test_the_web_service_changes_it_only_for_its_user_at_its_address(
    place: Elsewhere, client: Client
) -> None:
    assert by_service(place, client)[0] == 202
    assert by_service(place, client)[0] == 202
    assert by_service(place, client, email="other@rc.example")[0] == 401
    assert by_service(place, client, client_url=f"{place.base}/rc1")[0] == 401
    assert by_service(place, client, client_url="")[0] == 202


def test_its_user_may_sync_and_watch_and_nobody_else(place: Elsewhere, client: Client) -> None:
    assert by_service(place, client)[0] == 202
    carry_out()
    path = "/rest/v1/sync/remote/SyncAsync"
    started = client.post(path, "", content_type="application/xml", headers=basic(USER, PASSWORD))
    assert started.status_code == 202
    job = started["Location"].partition("testserver")[2]
    assert client.get(job, headers=basic(USER, PASSWORD)).status_code == 200
    for user, password in ((USER, "wrong"), ("other@rc.example", PASSWORD)):
        assert (
            client.post(
                path, content_type="application/xml", headers=basic(user, password)
            ).status_code
            == 401
        )
        assert client.get(job, headers=basic(user, password)).status_code == 401
