"""The OData service of the fake, as the sheet says: records, and writes with etags (§3.2, §3.3).

Etags are opaque: 32 hexadecimal digits that have nothing to do with the row version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import orjson

from tests.fakes.resco import odata_reading
from tests.fakes.resco.records import FaultError, Organization, Row
from tests.fakes.resco.tables import Attribute, Table
from tests.fakes.server import Answer, Request

_RECORD = re.compile(r"(\w+)\('([0-9a-f-]{36})'\)")
_BIND = re.compile(r"/(\w+)\(([0-9a-f-]{36})\)")
_NEEDED = frozenset({"$select"})
_KNOWN = _NEEDED | {"$filter", "$orderby", "$top", "$count"}
_PAGE = 1000
_STATUSES = {101: 404, 202: 404}


def answer(organization: Organization, request: Request, path: str) -> Answer:
    """Answer a request to the service; errors stand in JSON."""
    try:
        return _answer(organization, request, path)
    except FaultError as error:
        told = {"error": {"code": str(error.code), "message": error.reason}}
        return Answer(_STATUSES.get(error.code, 500), orjson.dumps(told))


def etag(table: Table, row: Row) -> str:
    """Return the etag of a record as it is now."""
    text = f"{table.name} {row[table.key]} {row['versionnumber']}"
    return f'W/"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}"'


def _answer(organization: Organization, request: Request, path: str) -> Answer:
    found = _RECORD.fullmatch(path)
    if found is None:
        return _listed(organization, request, path)
    table, record_id = organization.table(found[1]), found[2]
    row = organization.existing(table, record_id)
    if request.headers.get("if-match") not in (None, etag(table, row)):
        raise_stale = {"error": {"code": "412", "message": "The etag is not the record's."}}
        return Answer(412, orjson.dumps(raise_stale))
    if request.method == "DELETE":
        organization.delete(table, record_id)
        return Answer(204)
    if request.method != "PATCH" or request.headers.get("content-type") != "application/json":
        raise FaultError(106, "PATCH application/json.")
    organization.update(table, record_id, _values(table, orjson.loads(request.body)))
    return Answer(200, orjson.dumps(_shown(table, organization.existing(table, record_id))))


def _listed(organization: Organization, request: Request, path: str) -> Answer:
    table, query = organization.table(path), request.query
    if request.method != "GET" or not _NEEDED <= query.keys() <= _KNOWN:
        raise FaultError(104, f"GET with $select, not with {sorted(query)}.")
    asked = [odata_reading.known(table, name) for name in query["$select"].split(",")]
    found = list(organization.rows[table.name].values())
    if "$filter" in query:
        found = odata_reading.passing(table, query["$filter"], found)
    if "$orderby" in query:
        found = odata_reading.ordered(table, query["$orderby"], found)
    document: dict[str, Any] = {"@odata.context": f"$metadata#{path}"}
    if query.get("$count") == "true":
        document["@odata.count"] = len(found)
    shown = found[: min(int(query.get("$top", _PAGE)), _PAGE)]
    document["value"] = [_shown(table, row, asked) for row in shown]
    return Answer(200, orjson.dumps(document))


def _shown(table: Table, row: Row, asked: Iterable[Attribute] = ()) -> dict[str, Any]:
    values = {odata_reading.property_of(a): odata_reading.value_of(a, row) for a in asked}
    return {"@odata.etag": etag(table, row), table.key: row[table.key]} | values


def _values(table: Table, document: dict[str, Any]) -> Row:
    found: Row = {}
    for name, value in document.items():
        attribute = table.attribute(name)
        if name.endswith("@odata.bind"):
            bound, text = _bound(table, name.removesuffix("@odata.bind"), value)
            found[bound.name] = text
        elif attribute is None or attribute.type == "Lookup":
            raise FaultError(102, f"Unknown property {name}.", name)
        else:
            found[name] = _text(attribute, value)
    return found


def _bound(table: Table, name: str, value: Any) -> tuple[Attribute, str]:
    for attribute in table.lookups:
        for target in attribute.targets:
            if name == f"{attribute.name}_{target}":
                if value is None:
                    return attribute, ""
                match = _BIND.fullmatch(value)
                if match is None or match[1] != target:
                    raise FaultError(103, f"Bind {name} to a {target}.", name)
                return attribute, f"{target}:{match[2]}"
    raise FaultError(102, f"Unknown navigation {name}.", name)


def _text(attribute: Attribute, value: Any) -> Any:
    if value is None:
        return ""
    if attribute.type == "PartyList":
        return [
            (f"{item['entity']}:{item['party']}", "") if item["entity"] else ("", item["party"])
            for item in value
        ]
    if attribute.type == "Boolean":
        return str(value)
    return value if isinstance(value, str) else orjson.dumps(value).decode()
