"""Asking Microsoft's authorities through msal, and others by form; nothing leaves the machine."""

from __future__ import annotations

import orjson
import pytest

from connections.addresses import Allowlist
from connections.connectors import token_requests
from connections.connectors.auth import DynamicsAuthentication
from connections.connectors.authority import Authority, UnconfirmedAuthority
from connections.connectors.login_faults import token_fault
from connections.egress import Reply, Session
from connections.errors import LoginFailed, Retryable
from connections.logins import Login, LoginKind
from tests.connections.connectors.test_auth import CLIENT_ID, TENANT, TokenServer, session
from tests.fakes.certificates import make_pem
from tests.fakes.server import serve

__all__ = ["session"]


class FakeMicrosoft(Session):
    """A session to which Microsoft's authority answers; nothing leaves the machine."""

    def __init__(self, status: int = 200, **token: object) -> None:
        super().__init__(allow=Allowlist())
        self.status, self.token, self.posted = status, token, list[bytes]()

    def request(self, method: str, url: str, **rest: object) -> Reply:
        if "openid-configuration" in url:
            endpoints = {name: f"{TENANT}/{name}" for name in ("authorize", "token")}
            document: object = {
                "token_endpoint": endpoints["token"],
                "authorization_endpoint": endpoints["authorize"],
                "issuer": f"{TENANT}/v2.0",
            }
            return Reply(200, {}, orjson.dumps(document), url)
        if "userrealm" in url:
            return Reply(200, {}, b'{"account_type":"Managed"}', url)
        if url.endswith("/token"):
            self.posted.append(bytes(rest["body"]))  # type: ignore[call-overload]
            return Reply(self.status, {}, orjson.dumps(self.token), url)
        return Reply(404, {}, b"{}", url)


@pytest.mark.filterwarnings("ignore:This API has been deprecated for public client flows")
@pytest.mark.parametrize("user", [CLIENT_ID, "joe@contoso.com"])
def test_msal_speaks_through_our_session(user: str) -> None:
    session = FakeMicrosoft(access_token="t", expires_in=3599, token_type="Bearer")  # noqa: S106
    authority = Authority(TENANT, "https://contoso.crm4.dynamics.com")
    document, status = token_requests.by_msal(authority, Login(user, "s3cret"), session)
    assert (document["access_token"], status) == ("t", 200)
    assert b"s3cret" in session.posted[0]
    assert b"contoso.crm4.dynamics.com" in session.posted[0]


def test_msal_reports_a_wrong_secret() -> None:
    session = FakeMicrosoft(401, error="invalid_client", error_codes=[7000215])
    authority = Authority(TENANT, "https://contoso.crm4.dynamics.com")
    document, status = token_requests.by_msal(authority, Login(CLIENT_ID, "s3cret"), session)
    assert "secret is wrong" in str(token_fault(document, status))


def test_msal_reports_an_unknown_tenant() -> None:
    class NoTenant(FakeMicrosoft):
        def request(self, method: str, url: str, **rest: object) -> Reply:
            return Reply(400, {}, b'{"error":"invalid_tenant"}', url)

    authority = Authority(TENANT, "https://contoso.crm4.dynamics.com")
    with pytest.raises(LoginFailed, match="does not know the tenant"):
        token_requests.by_msal(authority, Login(CLIENT_ID, "s3cret"), NoTenant())


def test_another_authority_takes_a_signed_assertion(session: Session) -> None:
    _, pem = make_pem()
    server = TokenServer()
    with serve(server) as url:
        login = Login(CLIENT_ID, pem, LoginKind.CERTIFICATE)
        DynamicsAuthentication(url, login, session).headers()
    form = server.forms[0]
    assert form["client_assertion_type"] == [token_requests.JWT_BEARER]
    assert form["client_assertion"][0].count(".") == 2
    assert "client_secret" not in form


class Federated(FakeMicrosoft):
    """A domain that logs in at an AD FS of its own (msal's form of the user realm)."""

    posts: list[str]

    def request(self, method: str, url: str, **rest: object) -> Reply:
        if "userrealm" in url:
            realm = {
                "account_type": "Federated",
                "federation_protocol": "WSTrust",
                "federation_active_auth_url": "https://sts.contoso.com/adfs/services/trust/2005/usernamemixed",
                "cloud_audience_urn": "urn:federation:MicrosoftOnline",
            }
            return Reply(200, {}, orjson.dumps(realm), url)
        if method == "POST":
            self.posted.append(bytes(rest["body"]))  # type: ignore[call-overload]
            return Reply(500 if "sts" in url and not self.status else 400, {}, b"<a/>", url)
        return super().request(method, url, **rest)


@pytest.mark.filterwarnings("ignore:This API has been deprecated for public client flows")
def test_a_federated_domain_is_confirmed_before_it_sees_a_password() -> None:
    session = Federated()
    person = Login("joe@contoso.com", "s3cret")
    authority = Authority(TENANT, "https://contoso.crm4.dynamics.com")
    with pytest.raises(UnconfirmedAuthority, match="https://sts.contoso.com") as told:
        token_requests.by_msal(authority, person, session)
    assert session.posted == []
    confirmed = Authority(TENANT, authority.resource, told.value.authority)
    with pytest.raises(LoginFailed, match="identity provider of its own, which did not take"):
        token_requests.by_msal(confirmed, person, session)
    assert len(session.posted) == 1


def test_a_passing_fault_of_the_authority_is_none_of_the_login() -> None:
    class Down(FakeMicrosoft):
        def request(self, method: str, url: str, **rest: object) -> Reply:
            if method == "POST":
                return Reply(500, {}, b"", url)
            return super().request(method, url, **rest)

    authority = Authority(TENANT, "https://contoso.crm4.dynamics.com")
    with pytest.raises(Retryable, match="login.microsoftonline.com is not able to answer"):
        token_requests.by_msal(authority, Login(CLIENT_ID, "s3cret"), Down())
