"""Where secrets go, and how tokens are kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import parse_qs

import orjson
import pytest
from pytest_django import Settings

from connections.addresses import Allowlist
from connections.connectors import token_requests
from connections.connectors.auth import DynamicsAuthentication
from connections.connectors.authority import (
    Authority,
    UnconfirmedAuthority,
    challenge,
    challenged,
)
from connections.connectors.http import HttpClient
from connections.connectors.login_faults import token_fault
from connections.egress import Reply, Session
from connections.errors import LoginFailed, Refused
from connections.logins import Login
from tests.fakes.server import Answer, Request, serve

CLIENT_ID = "11111111-2222-3333-4444-555555555555"
ENDPOINT = "https://contoso.api.crm4.dynamics.com/api/data/v9.2/"
TENANT = "https://login.microsoftonline.com/0f0f0f0f-0000-0000-0000-000000000000"


def bearer(uri: str, resource: str = "https://contoso.crm4.dynamics.com/") -> dict[str, str]:
    text = f"Bearer authorization_uri={uri}, resource_id={resource}"
    return {"WWW-Authenticate": text}


class TokenServer:
    """An organization that is its own authority."""

    def __init__(self, **document: object) -> None:
        self.document = document or {"access_token": "t", "expires_in": 3600}
        self.status = 200
        self.forms: list[dict[str, list[str]]] = []

    def __call__(self, request: Request) -> Answer:
        if request.path.endswith("/token"):
            self.forms.append(parse_qs(request.body.decode()))
            return Answer(self.status, orjson.dumps(self.document))
        url = f"http://{request.headers['host']}/dynamics/x/oauth2/authorize"
        return Answer(401, headers=bearer(url, f"http://{request.headers['host']}/"))


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(allow=Allowlist.of(["127.0.0.1"])) as session:
        yield session


def make_authentication(
    url: str,
    session: Session,
    user: str = CLIENT_ID,
    clock: Callable[[], float] = lambda: 0.0,
) -> DynamicsAuthentication:
    return DynamicsAuthentication(url, Login(user, "s3cret"), session, clock=clock)


def test_a_guid_logs_in_as_an_application(session: Session) -> None:
    server = TokenServer()
    with serve(server) as url:
        assert make_authentication(url, session).headers() == {"Authorization": "Bearer t"}
    assert server.forms == [
        {
            "grant_type": ["client_credentials"],
            "client_id": [CLIENT_ID],
            "client_secret": ["s3cret"],
            "scope": [f"{url}/.default"],
        }
    ]


def test_any_other_name_logs_in_as_a_person(session: Session, settings: Settings) -> None:
    settings.RESCO_SYNC_DYNAMICS_CLIENT_ID = "own-client"
    server = TokenServer()
    with serve(server) as url:
        make_authentication(url, session, "joe@contoso.com").headers()
    form = server.forms[0]
    assert (form["grant_type"], form["username"]) == (["password"], ["joe@contoso.com"])
    assert (form["password"], form["client_id"]) == (["s3cret"], ["own-client"])


def test_it_keeps_a_token_until_it_is_nearly_used_up(session: Session) -> None:
    server, now = TokenServer(access_token="t", expires_in="3600"), [0.0]  # noqa: S106
    with serve(server) as url:
        authentication = make_authentication(url, session, clock=lambda: now[0])
        authentication.headers()
        now[0] = 3299.0
        authentication.headers()
        assert len(server.forms) == 1
        now[0] = 3301.0
        authentication.headers()
        assert len(server.forms) == 2


def test_it_renews_only_the_token_that_was_rejected(session: Session) -> None:
    server = TokenServer()
    with serve(server) as url:
        authentication = make_authentication(url, session)
        proof = authentication.headers()
        authentication.renew({"Authorization": "Bearer an older one"})
        authentication.headers()
        assert len(server.forms) == 1
        authentication.renew(proof)
        authentication.headers()
        assert len(server.forms) == 2


@pytest.mark.parametrize("user", ["", CLIENT_ID])
def test_it_asks_for_a_complete_login(session: Session, user: str) -> None:
    authentication = DynamicsAuthentication("https://a/", Login(user, ""), session)
    with pytest.raises(LoginFailed, match="Enter a user name and password, or a client id"):
        authentication.headers()


def test_it_notices_an_address_without_a_dynamics_organization(session: Session) -> None:
    page, basic = Answer(200, b"<html>"), Answer(401, headers={"WWW-Authenticate": "Basic realm=x"})
    with serve(lambda _: page) as url, pytest.raises(Refused, match="answered 200 to a request"):
        make_authentication(url, session).headers()
    with serve(lambda _: basic) as url, pytest.raises(Refused, match="not say where to log in"):
        make_authentication(url, session).headers()


def test_it_never_posts_a_secret_to_an_unconfirmed_authority(session: Session) -> None:
    stolen = TokenServer()
    with (
        serve(stolen) as thief,
        serve(lambda _: Answer(401, headers=bearer(f"{thief}/oauth2/authorize"))) as url,
        pytest.raises(UnconfirmedAuthority, match="The password was not sent") as caught,
    ):
        make_authentication(url, session).headers()
    assert caught.value.authority == thief
    assert stolen.forms == []


def test_it_posts_to_an_authority_that_a_person_has_confirmed() -> None:
    headers = bearer("https://adfs.example.com/adfs/oauth2/authorize")
    found = challenged(headers, ENDPOINT, "https://adfs.example.com/adfs")
    assert found.url == "https://adfs.example.com/adfs"
    with pytest.raises(UnconfirmedAuthority):
        challenged(headers, ENDPOINT, "https://adfs.example.com/other")


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/oauth2/v2.0/authorize"])
def test_it_knows_microsofts_authorities(path: str) -> None:
    found = challenged(bearer(TENANT + path), ENDPOINT)
    assert found == Authority(TENANT, "https://contoso.crm4.dynamics.com")
    assert found.is_microsoft
    assert found.token_url == f"{TENANT}/oauth2/v2.0/token"


@pytest.mark.parametrize(
    "uri",
    [
        "http://login.microsoftonline.com/x/oauth2/authorize",
        "https://login.microsoftonline.com:8443/x/oauth2/authorize",
        "https://login.microsoftonline.com.evil.example/x/oauth2/authorize",
        "https://login-microsoftonline.com/x/oauth2/authorize",
    ],
)
def test_it_is_not_fooled_by_look_alikes(uri: str) -> None:
    with pytest.raises(UnconfirmedAuthority):
        challenged(bearer(uri), ENDPOINT)


@pytest.mark.parametrize(
    "resource",
    [
        "https://graph.microsoft.com/",
        "https://fabrikam.crm4.dynamics.com/",
        "http://contoso.crm4.dynamics.com/",
    ],
)
def test_it_fetches_no_token_for_another_service(resource: str) -> None:
    with pytest.raises(Refused, match="asks for a token for .*another service"):
        challenged(bearer(f"{TENANT}/oauth2/authorize", resource), ENDPOINT)


def test_it_takes_its_own_address_for_the_resource_when_none_is_named() -> None:
    found = challenged(
        {"WWW-Authenticate": f'Bearer authorization_uri="{TENANT}/oauth2/authorize"'}, ENDPOINT
    )
    assert found.resource == "https://contoso.api.crm4.dynamics.com"


def test_it_reads_quoted_and_plain_parameters() -> None:
    assert challenge('Bearer a="x, y", b=z,c=1') == {"a": "x, y", "b": "z", "c": "1"}
    assert challenge("Negotiate") == {}


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (7000215, "The client secret is wrong"),
        (7000222, "The client secret has expired"),
        (700016, "no application with this client id"),
        (50126, "User name or password is wrong"),
        (50034, "There is no user of this name"),
        (50053, "The user is locked"),
        (50057, "The user is disabled"),
        (50076, "second factor"),
        (90002, "The tenant does not exist"),
        (53003, "conditional access"),
        (99999, r"did not accept the login \(AADSTS99999\), status 400"),
    ],
)
def test_each_reason_has_its_own_sentence(session: Session, number: int, sentence: str) -> None:
    server = TokenServer(error="x", error_description=f"AADSTS{number}: secret words")
    server.status = 400
    with serve(server) as url, pytest.raises(LoginFailed, match=sentence) as caught:
        make_authentication(url, session).headers()
    assert caught.value.code == f"AADSTS{number}"
    assert "secret words" not in str(caught.value)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"error": "invalid_client"}, "Client id or secret is wrong"),
        ({"error": "invalid_grant"}, "User name or password is wrong"),
        ({"error": "odd"}, r"did not accept the login \(odd\), status 401"),
        ({}, "did not accept the login, status 401"),
        ({"error": "x", "error_codes": [50126]}, "User name or password is wrong"),
    ],
)
def test_an_authority_without_numbers_is_understood(
    document: dict[str, object], sentence: str
) -> None:
    assert re.search(sentence, str(token_fault(document, 401)))


def test_a_login_never_shows_its_secret() -> None:
    assert "s3cret" not in repr(Login("joe", "s3cret"))


COMMON = "https://login.microsoftonline.com/common"


@pytest.mark.parametrize("place", ["common", "organizations"])
def test_an_application_needs_a_tenant(session: Session, place: str) -> None:
    authority = challenged(
        bearer(f"https://login.microsoftonline.com/{place}/oauth2/authorize"), ENDPOINT
    )
    with pytest.raises(Refused, match="Enter the tenant as the authority: https://login"):
        token_requests.ask(authority, Login(CLIENT_ID, "s3cret"), session)
    assert not authority.names_tenant


def test_a_confirmed_tenant_takes_the_place_of_common() -> None:
    header = bearer(f"{COMMON}/oauth2/authorize")
    assert challenged(header, ENDPOINT, f"{TENANT}/oauth2/v2.0/token/").url == TENANT
    assert challenged(header, ENDPOINT, "https://adfs.example.com/adfs").url == COMMON
    other = bearer("https://login.windows.net/contoso.com/oauth2/authorize")
    found = challenged(other, ENDPOINT, TENANT)
    assert found.url == "https://login.windows.net/contoso.com"


def test_ad_fs_takes_a_resource_at_its_own_endpoint(session: Session) -> None:
    forms: list[tuple[str, dict[str, list[str]]]] = []

    def adfs(request: Request) -> Answer:
        if request.method == "POST":
            forms.append((request.path, parse_qs(request.body.decode())))
            return Answer(200, b'{"access_token":"t","expires_in":"3600"}')
        url = f"http://{request.headers['host']}"
        return Answer(401, headers=bearer(f"{url}/adfs/oauth2/authorize", f"{url}/"))

    with serve(adfs) as url:
        make_authentication(url, session, "joe@contoso.com").headers()
    path, form = forms[0]
    assert path == "/adfs/oauth2/token"
    assert form["resource"] == [url]
    assert "scope" not in form


class Late(Session):
    """A session to servers whose clocks stand still."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        reply = super().request(method, url, headers=headers, body=body)
        return replace(reply, headers={**reply.headers, "Date": LONG_AGO})


def test_a_new_token_that_is_refused_points_at_a_wrong_clock() -> None:
    now = [0.0]
    with Late(allow=Allowlist.of(["127.0.0.1"])) as session, serve(TokenServer()) as url:
        authentication = make_authentication(url, session, clock=lambda: now[0])
        client = HttpClient(session, authentication)
        with pytest.raises(LoginFailed, match="refused a new token. The clock .* Set the clock"):
            client.request("GET", f"{url}/accounts")
        proof = authentication.headers()
        now[0] = 61.0
        assert authentication.renew(proof)


LONG_AGO = "Fri, 01 May 2020 12:00:00 GMT"
