"""Web hooks of the OData service (resco.md §3.4): made, and removed by the id they were given."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import orjson

from connections.connectors.resco_cloud.client import RescoClient
from connections.connectors.resco_cloud.odata_errors import error_of
from connections.connectors.watching import Watcher
from connections.errors import Refused

_HOOK = "$hook"
_GONE = frozenset({200, 204, 404})


class HookWatcher(Watcher):
    """Hooks of one organization."""

    def __init__(self, client: RescoClient) -> None:
        """`client` is logged in."""
        self._client = client

    def make(self, entity: str, action: str, address: str) -> str:
        """Post the address; the answer's `Location` removes it."""
        path = f"{_HOOK}?$entity={quote(entity)}&$action={quote(action)}"
        body = orjson.dumps({"CallbackUrl": address})
        reply = self._client.odata("POST", path, body=body)
        location = reply.headers.get("Location", "")
        if reply.status != 201:
            raise error_of(reply)
        if not _id(location):
            raise Refused("The organization made a web hook and did not say how to remove it.")
        return location

    def remove(self, location: str) -> None:
        """Delete it by its id."""
        path = f"{_HOOK}?$id={quote(_id(location))}"
        reply = self._client.odata("DELETE", path, repeatable=True)
        if reply.status not in _GONE:
            raise error_of(reply)


def _id(location: str) -> str:
    """Return the id in the address of a hook: `$id` of its query (§3.4)."""
    found = parse_qs(urlsplit(location).query).get("$id")
    return found[0] if found else ""
