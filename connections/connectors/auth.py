"""Tokens for a Dynamics organization: where from, how long, and what went wrong.

A user name that is a GUID is an application's client id (client credentials); any other is a
person's (password grant). Tokens live in memory only.

Microsoft's own authorities are spoken to through msal, which knows their discovery and federated
users. msal refuses plain http and other hosts' discovery, so an authority on the endpoint's own
origin (a twin, AD FS) is asked by the plain form of RFC 6749 §4.3/§4.4. Both go through egress.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import UUID

import msal
import orjson
from django.conf import settings

from connections.addresses import target_of
from connections.connectors.authority import Authority, challenged
from connections.connectors.http import HttpClient
from connections.connectors.login_faults import token_fault
from connections.egress import Reply, Session
from connections.errors import LoginFailed, Refused, Retryable

EARLY = 300.0
"""Seconds before its end at which a token counts as used up (as in msal)."""
PUBLIC_CLIENT_ID = "51f81489-12ee-4a9e-aaae-a2591f45987d"
"""The client Microsoft registered for trying out Dataverse; used for the password grant only.
`settings.RESCO_SYNC_DYNAMICS_CLIENT_ID` replaces it."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and its password, or a client id and its secret. Never printed."""

    user_name: str
    secret: str

    def __repr__(self) -> str:
        """Show the user only."""
        return f"Login({self.user_name!r})"

    @property
    def is_application(self) -> bool:
        """Return whether the user name is a client id."""
        try:
            UUID(self.user_name)
        except ValueError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the moment (of the given clock) at which it is used up."""

    text: str
    until: float


class Source(Protocol):
    """Asks an authority for a token; returns OAuth2's JSON and the HTTP status."""

    def __call__(
        self, authority: Authority, login: Login, session: Session
    ) -> tuple[Mapping[str, Any], int]:
        """Ask."""


class DynamicsAuthentication:
    """The `Authentication` of one Dynamics endpoint; safe for several threads."""

    def __init__(
        self,
        endpoint: str,
        login: Login,
        session: Session,
        *,
        confirmed: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`endpoint` is a URL that answers 401 without token; `confirmed` an extra authority."""
        self._endpoint, self._login, self._session = endpoint, login, session
        self._confirmed, self._clock = confirmed, clock
        self._authority: Authority | None = None
        self._token: Token | None = None
        self._lock = threading.Lock()

    def headers(self) -> Mapping[str, str]:
        """Return the Authorization header, with a new token if there is none or it is old."""
        with self._lock:
            if self._token is None or self._token.until <= self._clock():
                self._token = self._obtain()
            return {"Authorization": f"Bearer {self._token.text}"}

    def renew(self, rejected: Mapping[str, str]) -> bool:
        """Forget the token that was rejected; another thread may have renewed it already."""
        with self._lock:
            if self._token and rejected.get("Authorization") == f"Bearer {self._token.text}":
                self._token = None
        return True

    def _obtain(self) -> Token:
        if not self._login.user_name or not self._login.secret:
            raise LoginFailed("Enter a user name and password, or a client id and secret.")
        if self._authority is None:
            self._authority = self._learn()
        source = by_msal if self._authority.is_microsoft else by_form
        document, status = source(self._authority, self._login, self._session)
        text = document.get("access_token")
        if not isinstance(text, str) or not text:
            raise token_fault(document, status)
        return Token(text, self._clock() + max(_seconds(document) - EARLY, 30.0))

    def _learn(self) -> Authority:
        reply = HttpClient(self._session).request(
            "GET", self._endpoint, headers={"Accept": "application/json"}
        )
        if reply.status != 401:
            raise Refused(
                f"{target_of(self._endpoint)} answered {reply.status} to a request without "
                "token, where a Dynamics organization answers 401. Check the address."
            )
        return challenged(reply.headers, self._endpoint, self._confirmed)


def by_form(authority: Authority, login: Login, session: Session) -> tuple[Mapping[str, Any], int]:
    """Ask with OAuth2's own form. Raises what egress and `HttpClient` raise."""
    if login.is_application:
        form = {"grant_type": "client_credentials", "client_id": login.user_name}
        form |= {"client_secret": login.secret, "scope": f"{authority.resource}/.default"}
    else:
        form = {"grant_type": "password", "username": login.user_name}
        form |= {"password": login.secret, "client_id": _public_client_id()}
        form["scope"] = f"{authority.resource}/user_impersonation"
    reply = HttpClient(session).request(
        "POST",
        authority.token_url,
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        },
        body=urlencode(form).encode(),
        idempotent=True,
    )
    return _document(reply), reply.status


def by_msal(authority: Authority, login: Login, session: Session) -> tuple[Mapping[str, Any], int]:
    """Ask through msal, whose requests go through our session."""
    transport = _Transport(session)
    try:
        return _ask_msal(authority, login, transport), transport.status
    except ValueError as error:
        raise LoginFailed(
            f"{target_of(authority.url)} does not know the tenant that this organization names. "
            "Check the organization's address."
        ) from error
    except msal.exceptions.MsalServiceError as error:
        raise Retryable(f"{target_of(authority.url)} is not able to answer just now.") from error


def _ask_msal(authority: Authority, login: Login, transport: _Transport) -> Mapping[str, Any]:
    # No instance discovery: the authority stands on our own list, which was just checked.
    if login.is_application:
        application = msal.ConfidentialClientApplication(
            login.user_name,
            client_credential=login.secret,
            authority=authority.url,
            instance_discovery=False,
            http_client=transport,
        )
        found = application.acquire_token_for_client([f"{authority.resource}/.default"])
    else:
        person = msal.PublicClientApplication(
            _public_client_id(),
            authority=authority.url,
            instance_discovery=False,
            http_client=transport,
        )
        found = person.acquire_token_by_username_password(
            login.user_name, login.secret, [f"{authority.resource}/user_impersonation"]
        )
    return dict(found or {})


@dataclass(frozen=True, slots=True)
class _Answer:
    """What msal expects of a response."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Let msal see a failed discovery as the ValueError it documents."""
        if self.status_code >= 400:
            raise ValueError(f"status {self.status_code}")


class _Transport:
    """The HTTP client that msal asks for, on our session."""

    def __init__(self, session: Session) -> None:
        self._client = HttpClient(session)
        self.status = 0

    def get(self, url: str, params: Mapping[str, str] | None = None, **kwargs: Any) -> _Answer:
        query = f"?{urlencode(params)}" if params else ""
        return self._answer("GET", url + query, kwargs.get("headers"), None)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Any = None,
        **kwargs: Any,
    ) -> _Answer:
        query = f"?{urlencode(params)}" if params else ""
        headers = dict(kwargs.get("headers") or {})
        if isinstance(data, Mapping):
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            data = urlencode(data)
        body = data.encode() if isinstance(data, str) else data
        return self._answer("POST", url + query, headers, body)

    def _answer(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> _Answer:
        reply = self._client.request(method, url, headers=headers, body=body, idempotent=True)
        self.status = reply.status
        return _Answer(reply.status, reply.body.decode("utf-8", "replace"), reply.headers)

    def close(self) -> None:
        """The session is not ours to close."""


def _public_client_id() -> str:
    return str(getattr(settings, "RESCO_SYNC_DYNAMICS_CLIENT_ID", "") or PUBLIC_CLIENT_ID)


def _seconds(document: Mapping[str, Any]) -> float:
    """Lifetime of the token; version 1 endpoints give it as text (dataverse.md §1.1)."""
    try:
        return float(document.get("expires_in") or 0)
    except (TypeError, ValueError):
        return 0.0


def _document(reply: Reply) -> Mapping[str, Any]:
    try:
        document = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
