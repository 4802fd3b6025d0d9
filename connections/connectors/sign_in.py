"""Sign in with Microsoft: authorization code with PKCE (RFC 6749 §4.1, RFC 7636), by msal.

`begin` learns where the organization sends people and returns the address to open, with what must
be kept in the administrator's session until they are back; `finish` takes the answer and returns
the refresh token. Both are without state of their own. Authorities that msal itself does not
speak to (plain http, AD FS) are asked through the OAuth2 client it is built on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msal.oauth2cli import Client as OAuthClient

from connections import egress
from connections.connectors.auth import learn
from connections.connectors.authority import Authority
from connections.connectors.dynamics.client import api_root
from connections.connectors.login_faults import token_fault
from connections.connectors.token_requests import (
    OPEN_ID,
    Transport,
    audience,
    microsoft_application,
    own_client,
)
from connections.egress import Session
from connections.errors import LoginFailed
from connections.logins import Login, LoginKind

_PERSON = Login("", "", LoginKind.MICROSOFT)
_FOREIGN = LoginFailed(
    "This answer does not belong to the sign-in that was begun here. Press Sign in with Microsoft "
    "again, and stay in this browser."
)


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in on its way: all of it is JSON, kept in the session, and good for one answer."""

    url: str
    authority: Authority
    flow: Mapping[str, Any] = field(repr=False)

    @property
    def address(self) -> str:
        """The page to open."""
        return str(self.flow["auth_uri"])

    def kept(self) -> dict[str, Any]:
        """Return what to keep."""
        authority = [self.authority.url, self.authority.resource, self.authority.confirmed]
        return {"url": self.url, "authority": authority, "flow": dict(self.flow)}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Begun:
        """Return what was kept."""
        return cls(kept["url"], Authority(*kept["authority"]), kept["flow"])


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and the token that stands for it. Never printed."""

    user_name: str
    refresh_token: str = field(repr=False)


def begin(url: str, redirect_uri: str, *, confirmed: str = "", user_name: str = "") -> Begun:
    """Learn the authority of the organization at `url` and begin.

    Raises Refused (no application registered, no Dynamics organization, UnconfirmedAuthority) and
    what egress raises.
    """
    own_client()
    with egress.session() as session:
        authority = learn(f"{api_root(url)}WhoAmI", session, confirmed)
        options = {"redirect_uri": redirect_uri, "login_hint": user_name or None}
        client, scope = _client(authority, session)
        flow = client.initiate_auth_code_flow(scope, prompt="select_account", **options)
    return Begun(url, authority, flow)


def finish(begun: Begun, answer: Mapping[str, str]) -> SignedIn:
    """Redeem the code that the authority sent the browser back with.

    Raises LoginFailed: not our sign-in, denied, or no lasting token given.
    """
    with egress.session() as session:
        transport = Transport(session, begun.authority)
        transport.repeats = False
        client, _ = _client(begun.authority, session, transport)
        try:
            document = _redeemed(client, begun, answer)
        except (ValueError, RuntimeError) as error:
            # Another state or nonce than ours; the text would show both.
            raise _FOREIGN from error
    token = document.get("refresh_token")
    if not document.get("access_token"):
        raise token_fault(document, transport.status)
    if not isinstance(token, str) or not token:
        raise LoginFailed(
            "The token authority gave no lasting token. Allow the application the permission "
            "offline_access, and sign in again."
        )
    return SignedIn(_name(document.get("id_token_claims")), token)


def _client(
    authority: Authority, session: Session, transport: Transport | None = None
) -> tuple[Any, list[str]]:
    """Return msal's client and the scopes to ask for."""
    transport = transport or Transport(session, authority)
    wanted = [f"{authority.resource}/user_impersonation"]
    if authority.is_microsoft:
        return microsoft_application(authority, _PERSON, transport), wanted
    own = own_client()
    endpoints = {
        "authorization_endpoint": authority.authorize_url,
        "token_endpoint": authority.token_url,
    }
    client = OAuthClient(
        endpoints, own["client_id"], client_secret=own.get("client_secret"), http_client=transport
    )
    return client, [*wanted, *OPEN_ID]


def _redeemed(client: Any, begun: Begun, answer: Mapping[str, str]) -> Mapping[str, Any]:
    flow, given = dict(begun.flow), dict(answer)
    if begun.authority.is_microsoft:
        found = client.acquire_token_by_auth_code_flow(flow, given)
    else:
        extra = audience(begun.authority, _PERSON) if begun.authority.is_adfs else {}
        found = client.obtain_token_by_auth_code_flow(flow, given, data=extra)
    return found if isinstance(found, Mapping) else {}


def _name(claims: object) -> str:
    """Return the user's name from the id token (its claim is the sign-in name)."""
    known = claims if isinstance(claims, Mapping) else {}
    for claim in ("preferred_username", "upn", "unique_name", "email", "name"):
        if isinstance(known.get(claim), str) and known[claim]:
            return str(known[claim])[:254]
    return ""
