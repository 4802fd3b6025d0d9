"""GETs of the strict Dataverse: OData options, change tracking, a little FetchXML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lxml import etree

from tests.fakes.strict.records import Organization, Refusal
from tests.fakes.strict.tables import Json, Table, is_lookup, property_of

_TERM = re.compile(r"([A-Za-z0-9_]+) (eq|gt|ge) (\S+)\Z")
_KNOWN = {"$select", "$filter", "$orderby", "$top", "$skiptoken", "$deltatoken", "fetchXml"}
_LOOKUP_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
_COOKIE = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
_MORE = "Microsoft.Dynamics.CRM.morerecords"
Row = Json


@dataclass(frozen=True)
class Asked:
    """The query of one GET and its preferences."""

    query: dict[str, str]
    prefer: str
    url: str

    @property
    def tracks(self) -> bool:
        return "odata.track-changes" in self.prefer

    @property
    def page_size(self) -> int:
        found = re.search(r"odata\.maxpagesize=(\d+)", self.prefer)
        return int(found.group(1)) if found else 5000

    def annotates(self, name: str) -> bool:
        found = re.search(r'odata\.include-annotations="([^"]*)"', self.prefer)
        return found is not None and name in found.group(1).split(",")


def shown(table: Table, row: Row, names: Iterable[str], asked: Asked) -> Json:
    """Return a record as the service gives it, with these properties."""
    found: Json = {"@odata.etag": f'W/"{row["versionnumber"]}"'}
    for name in dict.fromkeys([*names, table.primary_id]):
        attribute = table.properties[name]
        value = row.get(attribute["LogicalName"])
        if is_lookup(attribute) and value is not None:
            if asked.annotates(_LOOKUP_NAME):
                found[f"{name}@{_LOOKUP_NAME}"] = value[0]
            value = value[1]
        found[name] = value
    return found


def selected(table: Table, asked: Asked) -> list[str]:
    names = asked.query.get("$select", "").split(",")
    for name in names:
        if name not in table.properties:
            kind = f"Microsoft.Dynamics.CRM.{table.name}"
            message = f"Could not find a property named '{name}' on type '{kind}'."
            raise Refusal(400, "0x80060888", message)
    return names


def collection(organization: Organization, table: Table, asked: Asked) -> Json:
    """Answer a GET of a collection."""
    if unknown := asked.query.keys() - _KNOWN:
        raise Refusal(400, "0x80060888", f"The query parameter {unknown} is not supported.")
    if "fetchXml" in asked.query:
        return _fetched(organization, table, asked)
    if "$deltatoken" in asked.query:
        return _delta(organization, table, asked)
    names = selected(table, asked)
    rows = [row for row in organization.of(table).values() if _fits(table, row, asked)]
    rows.sort(key=lambda row: str(row[table.primary_id]))
    order = asked.query.get("$orderby", "")
    if order:
        name, _, direction = order.partition(" ")
        rows.sort(key=lambda row: row[name], reverse=direction == "desc")
    if asked.tracks:
        _check_tracking(table, asked)
    return _paged(organization, table, rows, names, asked)


def _check_tracking(table: Table, asked: Asked) -> None:
    if not table.definition["ChangeTrackingEnabled"]:
        message = f"Entity {table.name} isn't enabled for change tracking."
        raise Refusal(400, "0x80072491", message)
    for name in ("$filter", "$orderby", "$top"):
        if name in asked.query:
            message = f'The "{name}" query parameter isn\'t supported when Change Tracking is on.'
            raise Refusal(400, "0x0", message)


def _paged(
    organization: Organization, table: Table, rows: list[Row], names: list[str], asked: Asked
) -> Json:
    """A page; the token says where it begins and which version the first one saw."""
    token = asked.query.get("$skiptoken", f"0!{organization.version}")
    start, version = map(int, token.split("!"))
    size = int(asked.query.get("$top", asked.page_size))
    page = rows[start : start + size]
    found: Json = {"value": [shown(table, row, names, asked) for row in page]}
    base = asked.url.partition("&$skiptoken")[0]
    if start + size < len(rows) and "$top" not in asked.query:
        found["@odata.nextLink"] = f"{base}&$skiptoken={start + size}!{version}"
    elif asked.tracks:
        found["@odata.deltaLink"] = f"{base}&$deltatoken={version}!08%2f22%2f2017"
    return found


def _delta(organization: Organization, table: Table, asked: Asked) -> Json:
    since = int(asked.query["$deltatoken"].partition("!")[0])
    if since < organization.oldest:
        message = (
            "Version stamp associated with the client has expired. Please perform a full sync."
        )
        raise Refusal(400, "0x80044352", message)
    names = selected(table, asked)
    rows = [row for row in organization.of(table).values() if row["versionnumber"] > since]
    rows.sort(key=lambda row: int(row["versionnumber"]))
    base = asked.url.partition("&$deltatoken")[0]
    token = asked.query.get("$skiptoken", f"0!{organization.version}")
    start, version = map(int, token.split("!"))
    page = rows[start : start + asked.page_size]
    found: Json = {"value": [shown(table, row, names, asked) for row in page]}
    if start + asked.page_size < len(rows):
        here = asked.url.partition("&$skiptoken")[0]
        found["@odata.nextLink"] = f"{here}&$skiptoken={start + asked.page_size}!{version}"
        return found
    gone = organization.gone.get(table.name, {})
    found["value"] += [
        {"@odata.context": f"x#{table.set_name}/$deletedEntity", "id": id_, "reason": "deleted"}
        for id_, at in gone.items()
        if at > since
    ]
    found["@odata.deltaLink"] = f"{base}&$deltatoken={version}!08%2f22%2f2017"
    return found


def _fits(table: Table, row: Row, asked: Asked) -> bool:
    terms = asked.query.get("$filter", "")
    return all(_holds(table, row, term) for term in terms.split(" and ")) if terms else True


def _holds(table: Table, row: Row, term: str) -> bool:
    found = _TERM.match(term)
    if found is None or found.group(1) not in table.properties:
        raise Refusal(400, "0x80060888", f"The filter '{term}' is not valid.")
    name, operator, text = found.groups()
    value = row.get(table.properties[name]["LogicalName"])
    value = value[1] if isinstance(value, tuple) else value
    if value is None:
        return False
    wanted: Any = int(text) if isinstance(value, int) else text.strip("'")
    return bool({"eq": value == wanted, "gt": value > wanted, "ge": value >= wanted}[operator])


def _fetched(organization: Organization, table: Table, asked: Asked) -> Json:
    fetch = etree.fromstring(asked.query["fetchXml"].encode())
    (entity,) = fetch.findall("entity")
    if entity.get("name") != table.name or fetch.find(".//link-entity") is not None:
        raise Refusal(400, "0x80041102", "This stub fetches one entity without links.")
    names = [str(item.get("name")) for item in entity.findall("attribute")]
    for name in names:
        if name not in table.attributes:
            raise Refusal(400, "0x80041103", f"'{table.name}' has no attribute '{name}'.")
    kept = _group(table, entity)
    rows = [row for row in organization.of(table).values() if kept(row)]
    rows.sort(key=lambda row: str(row[table.primary_id]))
    size, number = int(fetch.get("count", "5000")), int(fetch.get("page", "1"))
    page = rows[(number - 1) * size : number * size]
    properties = [property_of(table.attributes[name]) for name in names]
    more = number * size < len(rows)
    if number > 1 and fetch.get("paging-cookie") != f"<cookie page={number - 1}/>":
        raise Refusal(400, "0x80040203", "The paging cookie is not the one of the last page.")
    found: Json = {"value": [shown(table, row, properties, asked) for row in page]}
    # Attributes without a value are left out of FetchXML's rows.
    found["value"] = [{k: v for k, v in row.items() if v is not None} for row in found["value"]]
    if asked.annotates(_COOKIE) and more:
        cookie = quote(quote(f"<cookie page={number}/>"))
        found[f"@{_COOKIE}"] = f'<cookie pagenumber="{number + 1}" pagingcookie="{cookie}" />'
    return found | ({f"@{_MORE}": more} if asked.annotates(_MORE) else {})


def _group(table: Table, element: Any) -> Callable[[Row], bool]:
    kept = [_group(table, item) for item in element.findall("filter")]
    kept += [_condition(table, item) for item in element.findall("condition")]
    some = any if element.get("type") == "or" else all
    return lambda row: not kept or some(test(row) for test in kept)


def _condition(table: Table, element: Any) -> Callable[[Row], bool]:
    name, operator = str(element.get("attribute")), element.get("operator")
    if name not in table.attributes or operator not in {"eq", "in"}:
        raise Refusal(400, "0x80041103", f"Condition on '{name}' with '{operator}'.")
    wanted = {element.get("value")} if operator == "eq" else {v.text for v in element}

    def holds(row: Row) -> bool:
        value = row.get(name)
        return str(value[1] if isinstance(value, tuple) else value) in wanted

    return holds


def dumped(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
