"""Fetch of the fake: one page of a FetchXML query, without linked entities."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from tests.fakes.resco.records import FaultError, Organization, Row
from tests.fakes.resco.tables import Attribute, Table

_NUMBERS = frozenset({"Integer", "BigInt", "RowVersion", "Picklist", "PicklistMap", "Money"})
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_ALLOWED: dict[str, set[str]] = {
    "fetch": {"version", "distinct", "page", "count", "min-active-row-version", "aggregate"},
    "entity": {"name"},
    "attribute": {"name", "alias", "aggregate", "distinct"},
    "filter": {"type"},
    "condition": {"attribute", "operator", "value"},
    "order": {"attribute", "descending"},
    "value": set(),
}
_PAGE = 500


def fetch(organization: Organization, root: etree._Element) -> str:
    """Return the answer to a `<fetch>` document."""
    _check_words(root)
    (entity,) = root
    table = organization.table(entity.get("name", ""))
    found = [row for row in organization.rows[table.name].values() if _passes(table, entity, row)]
    if root.get("aggregate") == "true":
        return _counted(table, entity, len(found))
    for order in reversed(entity.findall("order")):
        attribute = _known(table, order.get("attribute", ""))
        found.sort(
            key=lambda row: _comparable(attribute, row.get(attribute.name)) or 0,
            reverse=order.get("descending") in ("true", "1"),
        )
    size, page = int(root.get("count", _PAGE)), int(root.get("page", "1"))
    start = (page - 1) * size
    shown, more = found[start : start + size], len(found) > start + size
    asked = [_known(table, item.get("name", "")) for item in entity.findall("attribute")]
    active = root.get("min-active-row-version") == "1"
    return _answer(organization, table, asked, shown, more=more, active=active)


def _check_words(root: etree._Element) -> None:
    for element in root.iter():
        name = str(element.tag)
        words = {str(word) for word in element.attrib}
        if name not in _ALLOWED or words - _ALLOWED[name]:
            raise FaultError(104, f"Unexpected {name} with {sorted(words)}.")


def _known(table: Table, name: str) -> Attribute:
    found = table.attribute(name)
    if found is None:
        raise FaultError(102, f"Unknown attribute {name}.", name)
    return found


def _passes(table: Table, parent: etree._Element, row: Row) -> bool:
    return all(_group(table, item, row) for item in parent.findall("filter"))


def _group(table: Table, group: etree._Element, row: Row) -> bool:
    combined = any if group.get("type") == "or" else all
    return combined(
        _group(table, item, row) if item.tag == "filter" else _condition(table, item, row)
        for item in group
    )


def _condition(table: Table, item: etree._Element, row: Row) -> bool:
    attribute, word = _known(table, item.get("attribute", "")), item.get("operator", "")
    have = _comparable(attribute, row.get(attribute.name))
    if word == "null":
        return have is None
    if have is None:
        return False
    if word == "in":
        return have in {_comparable(attribute, value.text) for value in item}
    if word not in _COMPARISONS:
        raise FaultError(104, f"Unknown operator {word}.")
    return _COMPARISONS[word](have, _comparable(attribute, item.get("value")))


def _comparable(attribute: Attribute, text: Any) -> Any:
    if text is None or text == "":
        return None
    if attribute.type == "Lookup":
        return text.rpartition(":")[2]
    return float(text) if attribute.type in _NUMBERS else text


def _counted(table: Table, entity: etree._Element, number: int) -> str:
    (item,) = entity.findall("attribute")
    _known(table, item.get("name", ""))
    alias = item.get("alias", "")
    listed = f'<Attribute Name="{alias}" Type="Integer" EntityName="{table.name}" />'
    record = f'<Entity EntityName="{table.name}"><{alias}>{number}</{alias}></Entity>'
    return _document(table, listed, record, more=False)


def _answer(
    organization: Organization,
    table: Table,
    asked: list[Attribute],
    rows: list[Row],
    *,
    more: bool,
    active: bool,
) -> str:
    kinds = {"PicklistMap": "Picklist", "RowVersion": "Integer", "BigInt": "Integer"}
    listed = "".join(
        f'<Attribute Name="{item.name}" Type="{kinds.get(item.type, item.type)}" '
        f'EntityName="{table.name}" />'
        for item in asked
    )
    records = "".join(
        f'<Record EntityName="{table.name}">{"".join(_value(item, row) for item in asked)}</Record>'
        for row in rows
    )
    version = f"<MinActiveRowVersion>{organization.version + 1}</MinActiveRowVersion>"
    return _document(table, listed, records, more=more, tail=version if active else "")


def _document(table: Table, listed: str, records: str, *, more: bool, tail: str = "") -> str:
    return (
        f'<Result xmlns="urn:any"><Metadata PrimaryEntity="{table.name}"><Attributes>{listed}'
        f"</Attributes></Metadata><Entities>{records}</Entities>"
        f"<MoreRecords>{more}</MoreRecords><PagingCookie />{tail}</Result>"
    )


def _value(attribute: Attribute, row: Row) -> str:
    """Absent for none; moments without their zone, lookups with a label that holds colons."""
    name, value = attribute.name, row.get(attribute.name)
    if value is None or value == "":
        return "" if len(name) % 2 else f"<{name} />"
    if attribute.type == "PartyList":
        return f"<{name}>{''.join(_party(*party) for party in value)}</{name}>"
    if attribute.type == "DateTime":
        value = value.removesuffix("Z")
    if attribute.type == "Lookup":
        value = f"{value}:A label: with colons & more"
    text = escape(value, {"\r": "&#13;"})
    return f"<{name}>{text}</{name}>"


def _party(text: str, address: str) -> str:
    used = f" addressused={quoteattr(address)}" if address else ""
    return f"<party{used}>{escape(text)}</party>"
