"""One HTTP conversation with one back end: authentication, retries, patience.

Retried are requests that may safely be sent twice, and any request that was surely not carried
out (429, nobody listening). A wait the other side asks for is kept to the second; without one the
wait doubles and is spread by chance, so that many workers do not come back at once. With a
limiter every request waits for its turn first.
Messages name method, origin and status; never a body, a token or a query string.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from connections.addresses import target_of
from connections.connectors.limits import Limiter
from connections.connectors.limits_told import TOO_MANY, retry_after
from connections.egress import CONNECT_FAILED, Reply, Session
from connections.errors import LoginFailed, Retryable, Unreachable

SAFE_METHODS = frozenset({"GET", "HEAD"})
TRANSIENT_STATUSES = frozenset({408, 429, 502, 503, 504})
_PROOFS = 3
"""Tokens that are tried before a login is called good for nothing."""


class Authentication(Protocol):
    """Puts proof of who we are into requests."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers that prove it, obtaining a token first if need be."""

    def renew(self, rejected: Mapping[str, str]) -> bool:
        """Obtain a new proof after a 401 to `rejected`; False if there is no other to try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long to wait, in seconds; the functions are for tests to replace."""

    attempts: int = 6
    first: float = 0.5
    longest: float = 60.0
    longest_asked: float = 300.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    chance: Callable[[], float] = random.random

    def wait(self, attempt: int) -> float:
        """Return the wait before attempt 2, 3, …: doubling, the upper half of it by chance."""
        ceiling: float = min(self.longest, self.first * 2 ** (attempt - 1))
        return ceiling * (0.5 + 0.5 * self.chance())


def _never(_: Reply) -> bool:
    return False


class HttpClient:
    """Sends a connector's requests. `is_transient` knows a back end's own passing faults."""

    def __init__(
        self,
        session: Session,
        authentication: Authentication | None = None,
        *,
        patience: Patience | None = None,
        is_transient: Callable[[Reply], bool] = _never,
    ) -> None:
        """The session belongs to the caller, who closes it."""
        self.limiter: Limiter | None = None
        self._session = session
        self._authentication = authentication
        self._patience = patience or Patience()
        self._is_transient = is_transient
        self._reached = False

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        idempotent: bool | None = None,
    ) -> Reply:
        """Return the answer, whatever its status, unless the fault is one that passes.

        `idempotent`: may be sent twice; default: GET and HEAD. Raises Retryable when patience
        ends, LoginFailed when a renewed token is not accepted either, and what egress raises.
        """
        repeatable = method in SAFE_METHODS if idempotent is None else idempotent
        attempt = 1
        while True:
            fault = self._attempt(method, url, headers or {}, body)
            if isinstance(fault, Reply):
                return fault
            self._wait(fault, attempt, repeatable)
            attempt += 1

    def _wait(self, fault: _Fault, attempt: int, repeatable: bool) -> None:
        may_repeat = repeatable or fault.not_carried_out
        asked = fault.error.after
        if not may_repeat or attempt >= self._patience.attempts:
            raise fault.error
        if asked is not None and asked > self._patience.longest_asked:
            raise fault.error
        wait = asked if asked is not None else self._patience.wait(attempt)
        if wait >= self._session.left():
            raise fault.error
        if self.limiter is None:
            self._patience.sleep(wait)
        elif asked is None or not fault.is_limit:
            # What a limit asks for is waited by everybody, where a turn is asked for.
            self._patience.sleep(wait)
            self.limiter.note_wait(wait)

    def _attempt(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply | _Fault:
        try:
            reply = self._authenticated(method, url, headers, body)
        except Retryable as error:
            return _Fault(error)
        except Unreachable as error:
            if error.code != CONNECT_FAILED or not self._reached:
                raise
            return _Fault(Retryable(str(error), code=error.code), not_carried_out=True)
        self._reached = True
        if reply.status in TRANSIENT_STATUSES or self._is_transient(reply):
            refused = reply.status == TOO_MANY
            pauses = refused or reply.status >= 500
            passing = self._passing(method, url, reply)
            return _Fault(passing, not_carried_out=refused, is_limit=pauses)
        return reply

    def _authenticated(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        if self._authentication is None:
            return self._exchange(method, url, headers, body)
        # While several requests are on their way, one may find its token replaced more than once.
        for _ in range(_PROOFS):
            proof = self._authentication.headers()
            reply = self._exchange(method, url, {**headers, **proof}, body)
            if reply.status != 401 or not self._authentication.renew(proof):
                return reply
        raise LoginFailed(
            f"{target_of(url)} accepted the login but not the token it led to. Check that "
            "the address and the login belong to the same organization."
        )

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        if self.limiter is None:
            return self._session.request(method, url, headers=headers, body=body)
        longest, pause = self._session.left(), self._patience.longest_asked
        with self.limiter.turn(longest=longest, pause=pause) as turn:
            reply = self._session.request(method, url, headers=headers, body=body)
            turn.answered(reply)
        return reply

    def _passing(self, method: str, url: str, reply: Reply) -> Retryable:
        after = retry_after(reply.headers.get("Retry-After", ""), self._patience.clock())
        reason = "is not able to answer" if reply.status >= 400 else "broke off its answer"
        if reply.status == TOO_MANY:
            reason = "has had too many requests"
        when = "" if after is None else f"; it asks to wait {after:.0f} seconds"
        return Retryable(
            f"{target_of(url)} {reason} just now ({method}, status {reply.status}){when}.",
            code=str(reply.status),
            after=after,
        )


@dataclass(frozen=True, slots=True)
class _Fault:
    """A passing fault; `not_carried_out` if the request surely had no effect.

    `is_limit`: a wait that it asks for is meant for all requests.
    """

    error: Retryable
    not_carried_out: bool = False
    is_limit: bool = False
