"""A proxy between a connector and a server, both over real HTTP, in which things go wrong.

Faults strike by counting, so a test can be repeated: of every `every` requests to the web service
the first `length` are struck.
"""

from __future__ import annotations

import http.client
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from tests.fakes.server import Answer, Request

Forward = Callable[[Request], Answer]
_SERVICES = ("/api/data/", "/rest/v1/", "/odata/v4/")
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


def _latency(request: Request, forward: Forward) -> Answer:
    time.sleep(0.01)
    return forward(request)


def _too_many(_request: Request, _forward: Forward) -> Answer:
    body = b'{"error":{"code":"0x80072322","message":"Number of requests exceeded the limit."}}'
    return Answer(429, body, {"Retry-After": "2"})


def _unavailable(_request: Request, _forward: Forward) -> Answer:
    return Answer(503, b"<html>The service is unavailable.</html>")


def _deadlock(_request: Request, _forward: Forward) -> Answer:
    body = b'{"error":{"code":"0x80044150","message":"Generic SQL error. Sql Number: 1205"}}'
    return Answer(500, body)


def _dropped(_request: Request, _forward: Forward) -> Answer:
    return Answer(cut=-1)


def _lost(request: Request, forward: Forward) -> Answer:
    forward(request)
    return Answer(cut=-1)


def _bad_gateway(request: Request, forward: Forward) -> Answer:
    forward(request)
    return Answer(502, b"<html>Bad Gateway</html>")


def _truncated(request: Request, forward: Forward) -> Answer:
    answer = forward(request)
    return replace(answer, cut=len(answer.body) // 2) if answer.body else replace(answer, cut=-1)


def _revoked(_request: Request, _forward: Forward) -> Answer:
    return Answer(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


FAULTS: dict[str, Callable[[Request, Forward], Answer]] = {
    "latency": _latency,
    "too many requests": _too_many,
    "unavailable": _unavailable,
    "deadlock": _deadlock,
    "dropped connection": _dropped,
    "lost response": _lost,
    "bad gateway": _bad_gateway,
    "truncated body": _truncated,
    "revoked token": _revoked,
}


def _halved(request: Request, forward: Forward) -> Answer:
    answer = forward(request)
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def _locked(_request: Request, _forward: Forward) -> Answer:
    body = b"<Fault><Code>1205</Code><Reason>Transaction was deadlocked.</Reason></Fault>"
    return Answer(500, body, {"Content-Type": "application/xml"})


XML_FAULTS = {
    **{name: fault for name, fault in FAULTS.items() if name != "revoked token"},
    "broken XML": _halved,
    "deadlock as a fault": _locked,
}
"""Faults of services that answer in XML, to whom nobody brings a token."""


@dataclass
class Faulty:
    """Forwards requests to `upstream`; `names` are the faults that strike, in turn."""

    upstream: str
    names: tuple[str, ...] = ()
    every: int = 3
    length: int = 1
    faults: Mapping[str, Callable[[Request, Forward], Answer]] = field(
        default_factory=lambda: FAULTS
    )
    asked: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._turns = itertools.cycle(self.names)

    def __call__(self, request: Request) -> Answer:
        served = any(part in request.path for part in _SERVICES)
        if not served or "authorization" not in request.headers:
            return self.forward(request)
        self.asked.append(f"{request.method} {request.target}")
        if not self.names or len(self.asked) % self.every >= self.length:
            return self.forward(request)
        name = next(self._turns)
        self.struck.append(name)
        return self.faults[name](request, self.forward)

    def forward(self, request: Request) -> Answer:
        """Pass a request on, under the name by which we were asked."""
        target = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(target.hostname or "", target.port)
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        try:
            connection.request(request.method, request.target, request.body or None, headers)
            answer = connection.getresponse()
            kept = {name: v for name, v in answer.getheaders() if name.lower() not in _HOP}
            return Answer(answer.status, answer.read(), kept)
        finally:
            connection.close()
