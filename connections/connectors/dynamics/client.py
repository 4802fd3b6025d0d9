"""HTTP with one Dataverse organization: addresses, headers, errors (dataverse.md §0)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urljoin

import msgspec
import orjson

from connections import egress
from connections.addresses import target_of
from connections.connectors.auth import DynamicsAuthentication
from connections.connectors.dynamics.faults import fault, is_transient
from connections.connectors.http import HttpClient, Patience
from connections.connectors.limits import FIRST_AT_ONCE
from connections.connectors.remote import RemoteClient
from connections.egress import Reply, Session
from connections.errors import ConnectorError, Retryable, Unreachable
from connections.logins import Login

API = "api/data/v9.2/"
LONGEST_URL = 32_000
"""Dataverse takes 32 KB (dataverse.md §5); a little is left for the server's own counting."""
_API_PATH = re.compile(r"/api/data/v\d+(?:\.\d+)?/?$", re.IGNORECASE)
_HEADERS = {
    "Accept": "application/json",
    "OData-MaxVersion": "4.0",
    "OData-Version": "4.0",
    "If-None-Match": "null",
}


class DynamicsClient(RemoteClient):
    """Sends requests to one organization as one user. Close it at the end."""

    def __init__(
        self,
        url: str,
        login: Login,
        *,
        authority: str = "",
        session: Session | None = None,
        patience: Patience | None = None,
    ) -> None:
        """`url`: the organization's address, with or without its ``/api/data/v9.2``."""
        self.root = api_root(url)
        self.patience = patience or Patience()
        session = session or egress.session()
        who_am_i = urljoin(self.root, "WhoAmI")
        proof = DynamicsAuthentication(
            who_am_i, login, session, confirmed=authority, patience=patience
        )
        http = HttpClient(session, proof, patience=self.patience, is_transient=is_transient)
        super().__init__(session, http)

    @property
    def at_once(self) -> int:
        """How many requests may be under way together."""
        return self._http.limiter.at_once() if self._http.limiter else FIRST_AT_ONCE

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        document: object = None,
        body: bytes | None = None,
        idempotent: bool | None = None,
    ) -> Reply:
        """Return the answer to a request below the API's root (or to a link it gave).

        `document` is sent as JSON; a `body` goes as it is, its type among the headers.
        Any status is an answer; a passing fault is retried and then raised as Retryable.
        """
        sent = {**_HEADERS, **(headers or {})}
        if document is not None:
            body = encoded(document)
            sent["Content-Type"] = "application/json"
        url = egress.followed(self.root, path, "link")
        return self._http.request(method, url, headers=sent, body=body, idempotent=idempotent)

    def get(self, path: str, *, prefer: str = "") -> bytes:
        """Return the body of a successful GET. Raises what `faults.fault` makes of an error."""
        reply = self.send("GET", path, headers={"Prefer": prefer} if prefer else None)
        if reply.status != 200:
            raise fault(reply)
        return reply.body

    def json_of(self, reply: Reply) -> dict[str, Any]:
        """Return the JSON object an answer holds. Raises Retryable when it holds none."""
        return parsed(reply.body, self.root)

    def get_json(self, path: str, *, prefer: str = "") -> dict[str, Any]:
        """Return the JSON object of a successful GET."""
        return parsed(self.get(path, prefer=prefer), self.root)


def encoded(document: object) -> bytes:
    """Return a document as JSON with exact numbers."""
    return _encoder.encode(document)


def parsed(body: bytes, url: str) -> dict[str, Any]:
    """Return a JSON object. Raises Retryable when the body is none."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise not_json(str(target_of(url))) from error
    if not isinstance(document, dict):
        raise not_json(str(target_of(url)))
    return document


def not_json(where: str = "The server") -> ConnectorError:
    """Return the error for an answer that should have been JSON."""
    return Retryable(f"{where} answered with something that is not JSON.", code="json")


def api_root(url: str) -> str:
    """Return the address of the Web API, ending in a slash. Raises Unreachable."""
    text = url.strip()
    target_of(text)
    if "?" in text or "#" in text:
        raise Unreachable("Enter the organization's address without '?' and '#'.")
    return _API_PATH.sub("", text).rstrip("/") + "/" + API


def with_query(path: str, **options: str) -> str:
    """Return a path with system query options, `select` for ``$select``; empty ones left out.

    Names and values are percent-encoded; ``fetchXml`` and ``tag`` have no dollar sign
    (dataverse.md §3.3, §4.5).
    """
    pairs = [
        f"{name if name in _UNMARKED else '$' + name}={quote(value, safe=_PLAIN)}"
        for name, value in options.items()
        if value
    ]
    return f"{path}?{'&'.join(pairs)}" if pairs else path


_UNMARKED = frozenset({"fetchXml", "tag"})
_PLAIN = "(),'$=@*!:/"
_encoder = msgspec.json.Encoder(decimal_format="number")
