"""What a readiness report asks of a Dataverse organization, in few requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from connections.connectors.dynamics.batch import BatchUnknown, Part, exchange
from connections.connectors.dynamics.client import DynamicsClient, with_query
from connections.connectors.dynamics.faults import fault
from connections.connectors.facts import ServerFacts
from connections.egress import Reply
from connections.errors import ConnectorError, Refused
from organizations.schema import Entity

AT_ONCE = 50
"""Tables read in one ``$batch``: each costs execution time, of which there is a limit too."""
COUNTED_AT_ONCE = 100

_DOP = "x-ms-dop-hint"
_LEFT = "x-ms-ratelimit-burst-remaining-xrm-requests"


def facts(client: DynamicsClient) -> ServerFacts:
    """Return roles, token window and limits; what the user may not see stays unknown."""
    reply = client.send("GET", "WhoAmI")
    if reply.status != 200:
        raise fault(reply)
    user = client.json_of(reply).get("UserId")
    roles = with_query(f"systemusers({user})/systemuserroles_association", select="name")
    days = with_query("organizations", select="expirechangetrackingindays")
    names, windows = _rows(client, roles), _rows(client, days)
    return ServerFacts(
        roles=None if names is None else tuple(sorted(str(row.get("name")) for row in names)),
        token_days=next(_numbers(windows or (), "expirechangetrackingindays"), None),
        limits=tuple(_limits(reply)),
    )


def counts(client: DynamicsClient, names: Sequence[str]) -> dict[str, int]:
    """Return the server's snapshots of record counts, up to a day old (dataverse.md §3.1).

    A name the function does not take costs only itself.
    """
    found: dict[str, int] = {}
    for start in range(0, len(names), COUNTED_AT_ONCE):
        found |= _counts(client, names[start : start + COUNTED_AT_ONCE])
    return found


def unreadable(client: DynamicsClient, entities: Sequence[Entity]) -> dict[str, str]:
    """Return the tables of which not one record can be asked for, and why."""
    found = {}
    for start in range(0, len(entities), AT_ONCE):
        portion = entities[start : start + AT_ONCE]
        for entity, reply in zip(portion, _first_records(client, portion), strict=True):
            if reply.status != 200:
                found[entity.name] = _reason(reply)
    return found


def _first_records(client: DynamicsClient, entities: Sequence[Entity]) -> list[Reply]:
    paths = [with_query(item.set_name, select=item.primary_id, top="1") for item in entities]
    if len(paths) > 1:
        try:
            return exchange(client, [Part("GET", path) for path in paths])
        except BatchUnknown:
            pass
    return [client.send("GET", path) for path in paths]


def _reason(reply: Reply) -> str:
    found: ConnectorError = fault(reply)
    return str(found)


def _counts(client: DynamicsClient, names: Sequence[str]) -> dict[str, int]:
    listed = quote(orjson.dumps(list(names)), safe="")
    try:
        answer = client.get_json(f"RetrieveTotalRecordCount(EntityNames=@p1)?@p1={listed}")
    except Refused:
        if len(names) == 1:
            return {}
        half = len(names) // 2
        return _counts(client, names[:half]) | _counts(client, names[half:])
    known = answer.get("EntityRecordCountCollection") or {}
    pairs = zip(known.get("Keys") or names, known.get("Values") or (), strict=False)
    return {name: count for name, count in pairs if isinstance(count, int)}


def _rows(client: DynamicsClient, path: str) -> list[dict[str, Any]] | None:
    reply = client.send("GET", path)
    if reply.status != 200:
        return None
    found: list[dict[str, Any]] = client.json_of(reply).get("value") or []
    return found


def _numbers(rows: Sequence[Mapping[str, Any]], name: str) -> Iterator[int]:
    return (row[name] for row in rows if isinstance(row.get(name), int))


def _limits(reply: Reply) -> Iterator[str]:
    if hint := reply.headers.get(_DOP):
        yield f"The server recommends {hint} requests at once."
    if left := reply.headers.get(_LEFT):
        yield f"It takes {left} more requests in the current five minutes."
