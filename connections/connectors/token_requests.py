"""Asking an authority for a token, by each kind of login.

Microsoft's own authorities are spoken to through msal, which knows their discovery and federated
users. msal refuses plain http and other hosts' discovery, so any other authority (a twin, AD FS)
is asked by the plain forms of RFC 6749 §4.3, §4.4 and §6, and RFC 7523 §2.2. All of it goes
through egress. Answers are OAuth2's JSON and the HTTP status; nothing here logs or shows a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import msal
import orjson
from django.conf import settings
from msal.oauth2cli.assertion import JwtAssertionCreator

from connections.addresses import target_of
from connections.connectors.authority import Authority, UnconfirmedAuthority
from connections.connectors.certificate import Certificate
from connections.connectors.http import HttpClient, Patience
from connections.egress import Reply, Session
from connections.errors import LoginFailed, Refused, Retryable
from connections.logins import Login, LoginKind

PUBLIC_CLIENT_ID = "51f81489-12ee-4a9e-aaae-a2591f45987d"
"""The client Microsoft registered for trying out Dataverse; used for the password grant only.
`settings.RESCO_SYNC_DYNAMICS_CLIENT_ID` replaces it."""
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = "application/x-www-form-urlencoded"
OPEN_ID = ("openid", "profile", "offline_access")
"""Scopes that bring the user's name and a refresh token, as msal asks for them."""

Answer = tuple[Mapping[str, Any], int]


class Asking(Protocol):
    """Asks an authority for a token; returns OAuth2's JSON and the HTTP status."""

    def __call__(
        self,
        authority: Authority,
        login: Login,
        session: Session,
        patience: Patience | None = None,
    ) -> Answer:
        """Ask."""


def ask(
    authority: Authority, login: Login, session: Session, patience: Patience | None = None
) -> Answer:
    """Ask for a token. Raises LoginFailed, Refused, and what egress and `HttpClient` raise."""
    if login.is_application and not authority.names_tenant:
        raise Refused(
            "The organization does not say in which tenant its applications log in. Enter the "
            "tenant as the authority: https://login.microsoftonline.com/<tenant id>."
        )
    asking: Asking = by_msal if authority.is_microsoft else by_form
    return asking(authority, login, session, patience)


def by_form(
    authority: Authority, login: Login, session: Session, patience: Patience | None = None
) -> Answer:
    """Ask with OAuth2's own form."""
    reply = HttpClient(session, patience=patience).request(
        "POST",
        authority.token_url,
        headers={"Content-Type": FORM, "Accept": "application/json"},
        body=urlencode(_form(authority, login)).encode(),
        idempotent=True,
    )
    return _document(reply), reply.status


def _form(authority: Authority, login: Login) -> dict[str, str]:
    if login.kind == LoginKind.MICROSOFT:
        form = {"grant_type": "refresh_token", "refresh_token": login.secret, **own_client()}
    elif login.kind == LoginKind.CERTIFICATE:
        form = {"grant_type": "client_credentials", **_asserted(authority, login)}
    elif login.is_application:
        form = {"grant_type": "client_credentials", "client_id": login.user_name}
        form["client_secret"] = login.secret
    else:
        form = {"grant_type": "password", "username": login.user_name}
        form |= {"password": login.secret, "client_id": public_client_id()}
    return form | audience(authority, login)


def audience(authority: Authority, login: Login) -> dict[str, str]:
    """Return what the token is for: a scope, or AD FS' resource (dataverse.md §1.2)."""
    if authority.is_adfs:
        return {"resource": authority.resource}
    return {"scope": " ".join(scopes(authority, login))}


def scopes(authority: Authority, login: Login) -> list[str]:
    """Return the scopes of a version 2 authority."""
    if login.is_application:
        return [f"{authority.resource}/.default"]
    wanted = [f"{authority.resource}/user_impersonation"]
    return wanted + (list(OPEN_ID) if login.kind == LoginKind.MICROSOFT else [])


def _asserted(authority: Authority, login: Login) -> dict[str, str]:
    certificate = Certificate.of(login.secret)
    creator = JwtAssertionCreator(
        certificate.key, algorithm="RS256", sha1_thumbprint=certificate.thumbprint
    )
    signed = creator.create_normal_assertion(authority.token_url, login.user_name)
    return {
        "client_id": login.user_name,
        "client_assertion_type": JWT_BEARER,
        "client_assertion": signed.decode() if isinstance(signed, bytes) else str(signed),
    }


def by_msal(
    authority: Authority, login: Login, session: Session, patience: Patience | None = None
) -> Answer:
    """Ask through msal, whose requests go through our session."""
    transport = Transport(session, authority, patience)
    application = microsoft_application(authority, login, transport)
    try:
        found = _ask_msal(application, authority, login)
    except (ValueError, RuntimeError, AttributeError) as error:
        # msal's own ways to say that a federated domain did not answer as it must.
        raise LoginFailed(
            "The user's domain logs in at an identity provider of its own, which did not take "
            "user name and password from here. Use an application user or Sign in with Microsoft."
        ) from error
    return dict(found or {}), transport.status


def microsoft_application(authority: Authority, login: Login, transport: Transport) -> Any:
    """Return msal's application for a login. Raises LoginFailed for an unknown tenant."""
    # No instance discovery: the authority stands on our own list, which was just checked.
    client_id, credential = _client(login)
    kind = msal.ConfidentialClientApplication if credential else msal.PublicClientApplication
    given = {"client_credential": credential} if credential else {}
    try:
        return kind(
            client_id,
            authority=authority.url,
            instance_discovery=False,
            http_client=transport,
            **given,
        )
    except ValueError as error:
        raise LoginFailed(
            f"{target_of(authority.url)} does not know the tenant that this organization names. "
            "Check the organization's address."
        ) from error


def _client(login: Login) -> tuple[str, Any]:
    if login.kind == LoginKind.CERTIFICATE:
        return login.user_name, Certificate.of(login.secret).credential
    if login.is_application:
        return login.user_name, login.secret
    if login.kind == LoginKind.MICROSOFT:
        own = own_client()
        return own["client_id"], own.get("client_secret")
    return public_client_id(), None


def _ask_msal(application: Any, authority: Authority, login: Login) -> Mapping[str, Any] | None:
    wanted = [scope for scope in scopes(authority, login) if scope not in OPEN_ID]
    if login.is_application:
        found = application.acquire_token_for_client(wanted)
    elif login.kind == LoginKind.MICROSOFT:
        found = application.acquire_token_by_refresh_token(login.secret, wanted)
    else:
        found = application.acquire_token_by_username_password(
            login.user_name, login.secret, wanted
        )
    return found if isinstance(found, Mapping) else None


def public_client_id() -> str:
    """Return the application for logins by user name and password."""
    return str(getattr(settings, "RESCO_SYNC_DYNAMICS_CLIENT_ID", "") or PUBLIC_CLIENT_ID)


def own_client() -> dict[str, str]:
    """Return the application that people sign in to. Raises Refused when none is registered."""
    client_id = str(getattr(settings, "RESCO_SYNC_DYNAMICS_CLIENT_ID", ""))
    secret = str(getattr(settings, "RESCO_SYNC_DYNAMICS_CLIENT_SECRET", ""))
    if not client_id:
        raise Refused(
            "Sign in with Microsoft needs an application of your own in Microsoft Entra. Register "
            "one and set RESCO_SYNC_DYNAMICS_CLIENT_ID to its client id."
        )
    return {"client_id": client_id} | ({"client_secret": secret} if secret else {})


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


class Transport:
    """The HTTP client that msal asks for, on our session; posts go only where a secret may."""

    def __init__(
        self, session: Session, authority: Authority, patience: Patience | None = None
    ) -> None:
        """`authority` decides who may be shown a secret."""
        self._client = HttpClient(session, patience=patience)
        self._authority = authority
        self.repeats = True
        self.status = 0

    def get(self, url: str, params: Mapping[str, str] | None = None, **kwargs: Any) -> _Answer:
        """Fetch a public document."""
        query = f"?{urlencode(params)}" if params else ""
        return self._answer("GET", url + query, kwargs.get("headers"), None)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Any = None,
        **kwargs: Any,
    ) -> _Answer:
        """Send what may hold a secret. Raises UnconfirmedAuthority for a place of somebody else."""
        if not self._authority.may_see(url):
            # The address of a federated domain's own provider, named by Microsoft.
            raise UnconfirmedAuthority(str(target_of(url)), self._authority.resource)
        query = f"?{urlencode(params)}" if params else ""
        headers = dict(kwargs.get("headers") or {})
        if isinstance(data, Mapping):
            headers.setdefault("Content-Type", FORM)
            data = urlencode({name: value for name, value in data.items() if value is not None})
        body = data.encode() if isinstance(data, str) else data
        return self._answer("POST", url + query, headers, body)

    def _answer(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> _Answer:
        repeats = True if self.repeats else None
        reply = self._client.request(method, url, headers=headers, body=body, idempotent=repeats)
        self.status = reply.status
        if reply.status >= 500:
            raise Retryable(f"{target_of(url)} is not able to answer just now.")
        return _Answer(reply.status, reply.body.decode("utf-8", "replace"), reply.headers)

    def close(self) -> None:
        """The session is not ours to close."""


def _document(reply: Reply) -> Mapping[str, Any]:
    try:
        document = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
