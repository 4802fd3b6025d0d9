"""Sign in with Microsoft and certificates, from the dialog to the endpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from connections import egress, registry, secrets
from connections.admin import signing_in
from connections.errors import LoginFailed
from connections.models import Connection, Endpoint
from tests.connections.connectors.signing_in import World, world
from tests.fakes.authority import AUTHORITY, CLIENT_ID, USER
from tests.fakes.certificates import make_pem
from tests.fakes.server import Answer, serve
from tests.syncjobs.admin.test_connection import CONNECT, DYNAMICS, told
from tests.syncjobs.making import PASSWORD

SIGN_IN = "/admin/connections/connection/sign-in/"
CALLBACK = f"{SIGN_IN}callback/"
FORM = f"{CONNECT}?sign_in=1"


@pytest.fixture
def there(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings.RESCO_SYNC_DYNAMICS_CLIENT_ID = CLIENT_ID
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    with world(f"http://testserver{CALLBACK}") as found:
        monkeypatch.setattr(egress, "session", found.session)
        yield found


def typed(there: World, **changes: Any) -> dict[str, Any]:
    values = {
        "client": "field",
        "email": "admin@field.example",
        "client_password": PASSWORD,
        "confirm_password": PASSWORD,
        "provider": DYNAMICS,
        "url": there.url,
        "login": "microsoft",
    }
    return {**values, **changes}


def sign_in(browser: Client, there: World) -> Any:
    """Sign in as the browser does; gives the answer to coming back."""
    page = browser.post(SIGN_IN, typed(there))
    assert page.status_code == 200, told(page)
    return browser.get(CALLBACK, there.browse(page.context["address"]))


def errors(answer: Any, field: str) -> str:
    assert answer.status_code == 400
    return " ".join(answer.context["form"].errors.get(field, ()))


def test_it_signs_in_and_connects(superuser: Client, there: World) -> None:
    page = superuser.post(SIGN_IN, typed(there))
    address = page.context["address"]
    assert address.startswith(f"{AUTHORITY}/oauth2/v2.0/authorize?")
    assert "sent to <b>https://login.microsoftonline.com</b>" in page.content.decode()
    assert PASSWORD not in str(dict(superuser.session))
    back = superuser.get(CALLBACK, there.browse(address))
    assert (back.status_code, back.headers["Location"]) == (302, FORM)
    form = superuser.get(FORM)
    assert f"Signed in as <b>{USER}</b>" in form.content.decode()
    shown = {name: form.context["form"][name].value() for name in ("client", "url", "login")}
    assert shown == {"client": "field", "url": there.url, "login": "microsoft"}
    assert not any(
        token in str(dict(superuser.session)) for token in there.authority.refresh_tokens
    )
    answer = superuser.post(CONNECT, typed(there))
    assert answer.status_code == 302, answer.context["form"].errors
    server = Connection.objects.get(name="field").server
    assert (server.login_kind, server.user_name) == ("microsoft", USER)
    token = secrets.open_(server.sealed_secret, server.pk)
    used = {form.get("refresh_token") for form in there.authority.forms}
    assert token in there.authority.refresh_tokens - used
    assert "Nobody has signed in yet" in superuser.get(CONNECT).content.decode()


def connected(superuser: Client, there: World) -> Endpoint:
    sign_in(superuser, there)
    superuser.post(CONNECT, typed(there))
    return Connection.objects.get(name="field").server


def test_a_renewed_token_is_sealed_anew(superuser: Client, there: World) -> None:
    server = connected(superuser, there)
    before = secrets.open_(server.sealed_secret, server.pk)
    with registry.connector(server) as connector:
        connector.identify()
    server.refresh_from_db()
    after = secrets.open_(server.sealed_secret, server.pk)
    assert there.authority.forms[-1]["refresh_token"] == before != after
    with registry.connector(server) as connector:
        connector.identify()
    assert there.authority.forms[-1]["refresh_token"] == after


def test_a_renewed_token_never_replaces_a_newer_login(superuser: Client, there: World) -> None:
    server = connected(superuser, there)
    with registry.connector(server) as connector:
        Endpoint.objects.filter(pk=server.pk).update(sealed_secret="another")
        connector.identify()
    server.refresh_from_db()
    assert server.sealed_secret == "another"


def test_another_process_saves_nothing(
    superuser: Client, there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = connected(superuser, there)
    sealed = server.sealed_secret
    with registry.connector(server) as connector:
        monkeypatch.setattr("connections.keeping.os.getpid", lambda: 0)
        connector.identify()
    server.refresh_from_db()
    assert server.sealed_secret == sealed


def test_a_revoked_sign_in_is_told_on_the_connection_until_it_is_mended(
    superuser: Client, there: World
) -> None:
    server = connected(superuser, there)
    there.authority.ends = 50173
    with registry.connector(server) as connector, pytest.raises(LoginFailed):
        connector.identify()
    connection = Connection.objects.get(name="field")
    assert connection.problem == (
        "The sign-in with Microsoft is no longer valid: it was revoked, or the password was "
        "changed. Press Connection and sign in again."
    )
    known = superuser.get(f"{CONNECT}?client=field").context["form"]
    assert (known["login"].value(), known["user_name"].value()) == ("microsoft", "")
    there.authority.ends = 0
    sign_in(superuser, there)
    assert superuser.post(CONNECT, typed(there)).status_code == 302
    connection.refresh_from_db()
    with registry.connector(connection.server) as again:
        assert again.identify()


def test_the_form_asks_to_sign_in_first_and_for_this_server(
    superuser: Client, there: World
) -> None:
    answer = superuser.post(CONNECT, typed(there))
    assert "Nobody has signed in yet. Press Sign in" in errors(answer, "login")
    sign_in(superuser, there)
    answer = superuser.post(CONNECT, typed(there, url="https://other.example"))
    assert f"The sign-in was for {there.url}. Sign in for this Url" in errors(answer, "login")
    assert not Connection.objects.exists()


def test_a_sign_in_belongs_to_one_session(
    superuser: Client, there: World, admin_client: Client
) -> None:
    page = superuser.post(SIGN_IN, typed(there))
    answer = there.browse(page.context["address"])
    stranger = admin_client.get(CALLBACK, answer)
    assert "No sign-in is on its way here" in told(stranger)[0]
    assert "Nobody has signed in yet" in admin_client.get(FORM).content.decode()
    superuser.get(CALLBACK, answer | {"state": "made up"})
    again = superuser.get(CALLBACK, answer)
    assert "does not belong to the sign-in" in told(again)[0]
    assert "No sign-in is on its way here" in told(again)[-1]


def test_a_sign_in_takes_no_longer_than_a_quarter_of_an_hour(
    superuser: Client, there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = superuser.post(SIGN_IN, typed(there))
    now = time.time() + signing_in.LIFETIME + 1
    monkeypatch.setattr(time, "time", lambda: now)
    back = superuser.get(CALLBACK, there.browse(page.context["address"]))
    assert "it took too long. Press Sign in with Microsoft again" in told(back)[0]


def test_an_authority_of_somebody_else_is_confirmed_first(superuser: Client, there: World) -> None:
    bearer = "Bearer authorization_uri=https://adfs.example.com/adfs/oauth2/authorize"
    other = Answer(401, headers={"WWW-Authenticate": bearer})
    with serve(lambda _: other) as url:
        answer = superuser.post(SIGN_IN, typed(there, url=url))
        assert answer.status_code == 302
        assert "Confirm this authority if you trust it" in told(answer)[0]
        form = superuser.get(FORM).context["form"]
        assert form["authority"].value() == "https://adfs.example.com/adfs"
        confirmed = typed(there, url=url, authority=form["authority"].value())
        page = superuser.post(SIGN_IN, confirmed)
        start = "https://adfs.example.com/adfs/oauth2/authorize?"
        assert page.context["address"].startswith(start)
        asked = typed(there, url=url, login="secret", user_name="joe", password="x")
        assert "The password was not sent" in errors(superuser.post(CONNECT, asked), "authority")


@pytest.mark.parametrize(
    ("url", "message"),
    [("", "'Url' is ''"), ("http://127.0.0.1:1", "Nobody answers at http://127.0.0.1:1")],
)
def test_what_is_wrong_with_the_address_is_told(
    superuser: Client, there: World, url: str, message: str
) -> None:
    answer = superuser.post(SIGN_IN, typed(there, url=url))
    assert (answer.status_code, answer.headers["Location"]) == (302, FORM)
    assert message in told(answer)[0]


def test_only_who_may_connect_may_sign_in(viewer: Client, outsider: Client) -> None:
    assert viewer.post(SIGN_IN).status_code == viewer.get(CALLBACK).status_code == 403
    assert outsider.post(SIGN_IN).status_code == outsider.get(CALLBACK).status_code == 302


def with_certificate(there: World, **changes: Any) -> dict[str, Any]:
    values = {"login": "certificate", "user_name": CLIENT_ID, "certificate": ""}
    return typed(there, **{**values, **changes})


@pytest.mark.parametrize("is_file", [False, True])
def test_it_connects_by_certificate(superuser: Client, there: World, is_file: bool) -> None:
    there.authority.certificate, pem = make_pem()
    upload = SimpleUploadedFile("my.pem", pem.encode())
    given = {"certificate_file": upload} if is_file else {"certificate": pem}
    answer = superuser.post(CONNECT, with_certificate(there, **given))
    assert answer.status_code == 302, answer.context["form"].errors
    server = Connection.objects.get(name="field").server
    assert (server.login_kind, server.user_name) == ("certificate", CLIENT_ID)
    assert "PRIVATE KEY" in secrets.open_(server.sealed_secret, server.pk)
    assert "PRIVATE KEY" not in server.sealed_secret
    with registry.connector(server) as connector:
        assert connector.identify()


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({}, "certificate", "This field is required"),
        ({"certificate": "x"}, "certificate", "This is not PEM text"),
        ({"user_name": ""}, "user_name", "This field is required"),
        ({"user_name": "joe"}, "user_name", "enter its client id (GUID)"),
        (
            {"certificate_file": SimpleUploadedFile("my.pem", b"x" * 32_001)},
            "certificate_file",
            "longer than 32000 bytes",
        ),
        ({"login": "secret", "password": ""}, "password", "This field is required"),
        (
            {"login": "secret", "password": "-----BEGIN CERTIFICATE-----"},
            "password",
            "This is a certificate. Choose it as the login",
        ),
        ({"login": "magic"}, "login", "not one of the available choices"),
    ],
)
def test_what_is_wrong_with_a_login_is_told_at_the_field(
    superuser: Client, there: World, changes: dict[str, Any], field: str, message: str
) -> None:
    assert message in errors(superuser.post(CONNECT, with_certificate(there, **changes)), field)
