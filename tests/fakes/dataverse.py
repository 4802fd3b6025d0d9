"""A strict Dataverse: it answers what a test has told it to, and only to well-formed requests.

The forms are those of Microsoft's documentation (see the connector's modules for the places).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson

from connections.addresses import Allowlist
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.connectors.http import Patience
from connections.egress import Session
from tests.fakes.server import Answer, Request, serve

API = "/api/data/v9.2/"
CLIENT_ID = "11111111-2222-3333-4444-555555555555"
_REQUIRED = {
    "accept": "application/json",
    "odata-version": "4.0",
    "odata-maxversion": "4.0",
    "if-none-match": "null",
    "authorization": "Bearer t",
}


def told(document: object, status: int = 200, **headers: str) -> Answer:
    return Answer(status, orjson.dumps(document), headers)


def failed(code: str, message: str = "It said why.", status: int = 400) -> Answer:
    return told({"error": {"code": code, "message": message}}, status)


@dataclass
class FakeDataverse:
    """Answers by method and path (relative to the API's root), each list in turn.

    The last answer of a list stays. `asked` are the requests to the API, decoded.
    """

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    url: str = ""

    def on(self, what: str, *answers: Answer) -> None:
        """Set the answers to e.g. ``GET accounts``; the query does not count."""
        self.answers[what] = list(answers)

    def __call__(self, request: Request) -> Answer:
        if request.path.endswith("/oauth2/v2.0/token"):
            return told({"access_token": "t", "expires_in": 3600})
        if "authorization" not in request.headers:
            uri = f"{self.url}/oauth2/authorize"
            bearer = f"Bearer authorization_uri={uri}, resource_id={self.url}/"
            return Answer(401, headers={"WWW-Authenticate": bearer})
        for name, value in _REQUIRED.items():
            assert request.headers.get(name) == value, name
        kind = "multipart/mixed" if request.path.endswith("/$batch") else "application/json"
        content_type = request.headers.get("content-type", "").partition(";")[0]
        assert content_type == (kind if request.body else "")
        self.asked.append(request)
        what = f"{request.method} {unquote(request.path).removeprefix(API)}"
        left = self.answers[what]
        return left.pop(0) if len(left) > 1 else left[0]

    def targets(self, method: str = "GET") -> list[str]:
        """Return what was asked, decoded, without the API's root."""
        kept = (request for request in self.asked if request.method == method)
        return [unquote(request.target).removeprefix(API) for request in kept]

    def documents(self, method: str) -> list[Any]:
        """Return the bodies sent."""
        return [
            orjson.loads(request.body)
            for request in self.asked
            if request.method == method and request.body
        ]


@contextmanager
def connected(
    answers: Mapping[str, Sequence[Answer]], waits: list[float] | None = None
) -> Iterator[tuple[FakeDataverse, DynamicsConnector]]:
    """Serve a fake and connect to it; waits are remembered, not slept."""
    fake = FakeDataverse({what: list(given) for what, given in answers.items()})
    slept = waits if waits is not None else []
    patience = Patience(attempts=3, sleep=slept.append, chance=lambda: 1.0)
    session = Session(allow=Allowlist.of(["127.0.0.1"]))
    with serve(fake) as url:
        fake.url = url
        with DynamicsConnector(
            url, CLIENT_ID, "s3cret", session=session, patience=patience
        ) as connector:
            yield fake, connector
