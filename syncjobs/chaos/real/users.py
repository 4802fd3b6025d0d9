"""A user of a twin, who writes by its Web API, one request after another."""

from __future__ import annotations

from typing import Any

import requests

from organizations.errors import AlreadyExists
from organizations.schema import Attribute, AttributeType, Entity, ManyToMany
from syncjobs.chaos.protocols import Given, Values

_SECONDS = 60
_TAKEN = 412


class TwinUser:
    """Speaks to one twin with a token of its application user."""

    def __init__(self, url: str, client_id: str, secret: str, session: requests.Session) -> None:
        """Log in. `url` is the twin's, without a slash at the end."""
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "scope": f"{url}/.default",
        }
        answer = session.post(f"{url}/oauth2/v2.0/token", data=form, timeout=_SECONDS)
        answer.raise_for_status()
        self._root, self._session = f"{url}/api/data/v9.2", session
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def create(self, entity: Entity, record_id: str, values: Given) -> None:
        """Make a record with an id of ours. Raises AlreadyExists."""
        body = {entity.primary_id: record_id, **_body(entity, values)}
        answer = self._send("POST", entity.set_name, body)
        if answer.status_code == _TAKEN:
            raise AlreadyExists(entity.name, record_id)
        answer.raise_for_status()

    def update(self, entity: Entity, record_id: str, values: Given) -> None:
        """Change a record, and never make it."""
        headers = {"If-Match": "*"}
        path = f"{entity.set_name}({record_id})"
        self._send("PATCH", path, _body(entity, values), headers).raise_for_status()

    def delete(self, entity: Entity, record_id: str) -> None:
        """Remove a record."""
        self._send("DELETE", f"{entity.set_name}({record_id})").raise_for_status()

    def unlink(self, pair: ManyToMany, values: Values) -> None:
        """Remove a pair."""
        first, second = values[pair.attribute1], values[pair.attribute2]
        navigation = pair.navigation1 or pair.name
        path = f"{pair.entity1}s({first})/{navigation}({second})/$ref"
        self._send("DELETE", path).raise_for_status()

    def _send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        url = f"{self._root}/{path}"
        return self._session.request(method, url, json=body, headers=headers, timeout=_SECONDS)


def _body(entity: Entity, values: Given) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for attribute in entity.attributes:
        if attribute.name in values:
            value, target = values[attribute.name], values.get(f"{attribute.name}__type")
            found |= _member(attribute, value, str(target or next(iter(attribute.targets), "")))
    return found


def _member(attribute: Attribute, value: object, target: str) -> dict[str, Any]:
    if not attribute.is_lookup:
        return {attribute.name: value}
    is_apart = attribute.is_polymorphic and attribute.type is not AttributeType.OWNER
    name = f"{attribute.name}_{target}" if is_apart else attribute.name
    return {f"{name}@odata.bind": None if value is None else f"/{target}s({value})"}
