"""Logging in to a Dynamics organization: where, how long it lasts, and what went wrong.

A user name that is a GUID is an application's client id (client credentials, by secret or by
certificate); any other is a person's (password grant), unless somebody has signed in with
Microsoft. Tokens live in memory only. A server that asks for Windows-integrated authentication
(on-premises) gets no token: then the session itself logs in.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connections import forks
from connections.addresses import target_of
from connections.connectors.authority import Authority, challenged, windows_scheme
from connections.connectors.http import HttpClient, Patience
from connections.connectors.login_faults import clock_fault, is_clock_wrong, token_fault
from connections.connectors.ntlm import WindowsLogin
from connections.connectors.token_requests import ask
from connections.egress import Reply, Session
from connections.errors import LoginFailed, Refused
from connections.logins import Login, LoginKind

EARLY = 300.0
"""Seconds before its end at which a token counts as used up (as in msal)."""
_YOUNG = 60.0
"""A token that is rejected within so many seconds was never good."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the moments (of the given clock) at which it came and is used up."""

    text: str
    since: float
    until: float


class DynamicsAuthentication:
    """The `Authentication` of one Dynamics endpoint; safe for several threads."""

    def __init__(
        self,
        endpoint: str,
        login: Login,
        session: Session,
        *,
        confirmed: str = "",
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`endpoint` is a URL that answers 401 without token; `confirmed` an extra authority."""
        self._endpoint, self._login, self._session = endpoint, login, session
        self._confirmed, self._patience, self._clock = confirmed, patience, clock
        self._authority: Authority | None = None
        self._is_windows = self._is_clock_wrong = False
        self._token: Token | None = None
        self._new_lock()
        forks.in_child(self._new_lock)

    def _new_lock(self) -> None:
        self._lock = threading.Lock()

    def headers(self) -> Mapping[str, str]:
        """Return the Authorization header, with a new token if there is none or it is old.

        Returns none where the session logs in by itself.
        """
        with self._lock:
            if not self._is_windows and self._is_used_up():
                self._token = self._obtain()
            return {"Authorization": f"Bearer {self._token.text}"} if self._token else {}

    def renew(self, rejected: Mapping[str, str]) -> bool:
        """Forget the token that was rejected; another thread may have renewed it already.

        Raises LoginFailed when the token was new and this installation's clock is wrong.
        """
        with self._lock:
            if self._is_windows:
                return False
            token = self._token
            if token and rejected.get("Authorization") == f"Bearer {token.text}":
                self._token = None
                if self._is_clock_wrong and self._clock() - token.since < _YOUNG:
                    raise clock_fault(str(target_of(self._endpoint)))
        return True

    def _is_used_up(self) -> bool:
        return self._token is None or self._token.until <= self._clock()

    def _obtain(self) -> Token | None:
        if not self._login.is_complete:
            raise LoginFailed("Enter a user name and password, or a client id and secret.")
        if self._authority is None:
            self._authority = self._learn()
        if self._authority is None:
            return None
        document, status = ask(self._authority, self._login, self._session, self._patience)
        text = document.get("access_token")
        if not isinstance(text, str) or not text:
            raise self._fault(document, status)
        self._login = self._login.with_renewed(document)
        now = self._clock()
        return Token(text, now, now + max(_seconds(document) - EARLY, 30.0))

    def _fault(self, document: Mapping[str, Any], status: int) -> Refused:
        fault = token_fault(document, status, self._login.kind)
        if self._login.kind == LoginKind.MICROSOFT:
            self._login.keeper.lost(str(fault))
        return fault

    def _learn(self) -> Authority | None:
        """Return the authority, or None after the session was told to log in by itself."""
        reply = unauthenticated(self._endpoint, self._session, self._patience)
        self._is_clock_wrong = is_clock_wrong(reply.headers.get("Date", ""))
        scheme = windows_scheme(reply.headers.get("WWW-Authenticate", ""))
        if not scheme:
            return challenged(reply.headers, self._endpoint, self._confirmed)
        self._session.authenticate(WindowsLogin(self._login, self._endpoint))
        self._is_windows = True
        return None


def learn(endpoint: str, session: Session, confirmed: str = "") -> Authority:
    """Return the authority that an organization sends people to. Raises Refused without one."""
    reply = unauthenticated(endpoint, session)
    if windows_scheme(reply.headers.get("WWW-Authenticate", "")):
        raise Refused(
            f"{target_of(endpoint)} is on-premises and knows no Sign in with Microsoft. Use user "
            "name and password."
        )
    return challenged(reply.headers, endpoint, confirmed)


def unauthenticated(endpoint: str, session: Session, patience: Patience | None = None) -> Reply:
    """Return the 401 answer of an organization. Raises Refused for any other."""
    reply = HttpClient(session, patience=patience).request(
        "GET", endpoint, headers={"Accept": "application/json"}
    )
    if reply.status != 401:
        raise Refused(
            f"{target_of(endpoint)} answered {reply.status} to a request without "
            "token, where a Dynamics organization answers 401. Check the address."
        )
    return reply


def _seconds(document: Mapping[str, Any]) -> float:
    """Lifetime of the token; version 1 endpoints give it as text (dataverse.md §1.1)."""
    try:
        return float(document.get("expires_in") or 0)
    except (TypeError, ValueError):
        return 0.0
