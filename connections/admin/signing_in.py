"""Sign in with Microsoft from the connect form: what the administrator's session holds meanwhile.

First the sign-in that was begun (state, PKCE verifier, nonce), good for one answer and a quarter
of an hour; then who signed in, until the form is connected. Both are sealed for the administrator
and the server they are for. What else was typed is kept as it is; passwords are not kept.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.http import HttpRequest
from django.urls import reverse

from connections import secrets
from connections.connectors import sign_in
from connections.connectors.sign_in import Begun
from connections.errors import LoginFailed

CALLBACK = "admin:connections_connection_sign_in_callback"
LIFETIME = 900.0
"""Seconds for which a sign-in may be on its way."""
TYPED = ("client", "email", "provider", "url", "authority")
_BEGUN, _DONE, _TYPED = "sign_in_begun", "sign_in_done", "sign_in_typed"


@dataclass(frozen=True, slots=True)
class SignedInHere:
    """Who signed in, for which server. Never printed."""

    url: str
    user_name: str
    authority: str
    refresh_token: str = field(repr=False)


def remember(request: HttpRequest, typed: Mapping[str, Any]) -> None:
    """Keep what was typed into the form besides passwords."""
    request.session[_TYPED] = {name: str(typed.get(name, ""))[:500] for name in TYPED}


def remembered(request: HttpRequest) -> dict[str, str]:
    """Return what was typed."""
    found = request.session.get(_TYPED)
    return dict(found) if isinstance(found, dict) else {}


def begin(request: HttpRequest, url: str, authority: str) -> str:
    """Begin a sign-in for the server at `url`; returns the page to open. Raises Refused."""
    _forget(request)
    redirect_uri = request.build_absolute_uri(reverse(CALLBACK))
    begun = sign_in.begin(url, redirect_uri, confirmed=authority)
    kept = orjson.dumps({"at": time.time(), "begun": begun.kept()}).decode()
    request.session[_BEGUN] = secrets.seal(kept, _owner(request, "begun"))
    return begun.address


def finish(request: HttpRequest) -> None:
    """Take the answer that the authority sent the browser back with. Raises LoginFailed."""
    sealed = request.session.pop(_BEGUN, "")
    kept = orjson.loads(secrets.open_(sealed, _owner(request, "begun")) or "{}")
    if not kept or time.time() - kept["at"] > LIFETIME:
        raise LoginFailed(
            "No sign-in is on its way here, or it took too long. Press Sign in with Microsoft "
            "again, and stay in this browser."
        )
    begun = Begun.of(kept["begun"])
    done = sign_in.finish(begun, request.GET.dict())
    _keep(
        request,
        SignedInHere(begun.url, done.user_name, begun.authority.confirmed, done.refresh_token),
    )


def signed_in(request: HttpRequest) -> SignedInHere | None:
    """Return who signed in, if anybody did. Raises Refused when it cannot be opened any more."""
    sealed = request.session.get(_DONE, "")
    if not sealed:
        return None
    return SignedInHere(*orjson.loads(secrets.open_(sealed, _owner(request, "done"))))


def connected(request: HttpRequest) -> None:
    """Forget all of it: the endpoint has the token now."""
    _forget(request)
    request.session.pop(_TYPED, None)


class SessionKeeper:
    """Keeps the token of the session, until an endpoint has it."""

    def __init__(self, request: HttpRequest) -> None:
        """Of the administrator who asks."""
        self._request = request

    def renewed(self, refresh_token: str) -> None:
        """Put the new one in the place of the old one."""
        known = signed_in(self._request)
        if known is not None:
            renewed = SignedInHere(known.url, known.user_name, known.authority, refresh_token)
            _keep(self._request, renewed)

    def lost(self, reason: str) -> None:
        """Forget it: it is good for nothing any more."""
        _forget(self._request)


def _keep(request: HttpRequest, who: SignedInHere) -> None:
    text = orjson.dumps([who.url, who.user_name, who.authority, who.refresh_token]).decode()
    request.session[_DONE] = secrets.seal(text, _owner(request, "done"))


def _forget(request: HttpRequest) -> None:
    request.session.pop(_BEGUN, None)
    request.session.pop(_DONE, None)


def _owner(request: HttpRequest, what: str) -> str:
    return f"sign-in {what} of {request.user.pk}"
