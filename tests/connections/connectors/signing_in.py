"""An organization and Microsoft's authority, both over HTTP, and a browser that follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import parse_qsl, urlsplit

from connections.connectors.auth import DynamicsAuthentication
from connections.egress import Session
from connections.logins import Keeper, Login
from tests.fakes.authority import AUTHORITY, HOST, FakeAuthority, Towards, told
from tests.fakes.server import Answer, Request, serve

REDIRECT = "https://sync.example.com/admin/connections/connection/sign-in/callback/"
WHO = {
    "OrganizationId": "aaaaaaaa-0000-0000-0000-000000000001",
    "UserId": "aaaaaaaa-0000-0000-0000-000000000002",
}


@dataclass
class World:
    """Both servers; `session()` makes sessions that reach them."""

    authority: FakeAuthority
    url: str
    at: str

    def session(self) -> Session:
        return Towards(self.at)

    def browse(self, address: str) -> dict[str, str]:
        """Open the authority's page as a browser, and return what it sends back to us."""
        parts = urlsplit(address.replace(HOST, self.at, 1))
        connection = HTTPConnection(parts.netloc, timeout=10)
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        location = answer.headers["Location"]
        connection.close()
        assert location.startswith(f"{self.authority.redirect_uri}?"), answer.status
        return dict(parse_qsl(urlsplit(location).query))

    def authentication(self, login: Login) -> DynamicsAuthentication:
        return DynamicsAuthentication(f"{self.url}/api/data/v9.2/WhoAmI", login, self.session())


def organization(authority: FakeAuthority) -> Callable[[Request], Answer]:
    """A Dynamics organization that takes the authority's tokens."""

    def answer(request: Request) -> Answer:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in authority.access_tokens:
            resource = f"http://{request.headers['host']}/"
            uri = f"{AUTHORITY}/oauth2/authorize"
            bearer = f"Bearer authorization_uri={uri}, resource_id={resource}"
            return Answer(401, headers={"WWW-Authenticate": bearer})
        if request.path.endswith("WhoAmI"):
            return told(WHO)
        if request.path.endswith("EntityDefinitions"):
            names = {"LogicalName": "account", "EntitySetName": "accounts"}
            return told({"value": [names]})
        return told({"value": []})

    return answer


@contextmanager
def world(redirect_uri: str = REDIRECT) -> Iterator[World]:
    authority = FakeAuthority(redirect_uri, "")
    with serve(authority) as at, serve(organization(authority)) as url:
        authority.resource = url
        yield World(authority, url, at)


class Remembering(Keeper):
    """A keeper that a test looks at."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.reasons: list[str] = []

    def renewed(self, refresh_token: str) -> None:
        self.tokens.append(refresh_token)

    def lost(self, reason: str) -> None:
        self.reasons.append(reason)
