"""`$expand` of lookups: the record a lookup points to, within the record (assumed, §3.2).

Each navigation costs one statement a page. Options in brackets: `$select` only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from organizations.odata.call import Call
from organizations.odata.errors import ODataError, not_served
from organizations.odata.names import Navigation, Shape
from organizations.odata.rows import Document, RowPrinter
from organizations.records import Row
from organizations.schema import Attribute

MOST = 10
"""Navigations of one query."""
_ITEM = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\(([^()]*)\))?\s*(?:,|\Z)")


@dataclass(frozen=True, slots=True)
class Item:
    """One navigation to expand, the entity it leads to, and what is shown of it."""

    navigation: Navigation
    shape: Shape
    attributes: tuple[Attribute, ...]


Items = tuple[Item, ...]


def read(call: Call, shape: Shape) -> Items:
    """Return the navigations of `$expand`. Raises ODataError 400, 501."""
    text, at = call.options.get("$expand", ""), 0
    found: list[Item] = []
    while at < len(text):
        part = _ITEM.match(text, at)
        if part is None:
            raise ODataError(
                f"Syntax error in $expand at '{text[at : at + 80]}'.", target="$expand"
            )
        if len(found) == MOST:
            raise ODataError(f"A query has at most {MOST} $expand items.", target="$expand")
        found.append(_item(call, shape, part[1], part[2] or ""))
        at = part.end()
    return tuple(found)


def _item(call: Call, shape: Shape, name: str, inside: str) -> Item:
    navigation = shape.navigation(name)
    target = call.shape(navigation.target)
    option, _, value = inside.partition("=")
    if inside and option.strip() != "$select":
        raise not_served(f"'{inside[:60]}' within $expand")
    names = [one.strip() for one in value.split(",") if one.strip()]
    chosen = [target.property(one) for one in names] or list(target.properties.values())
    key = target.properties[target.entity.primary_id]
    attributes = {item.name: item for item in (key, *chosen)}
    return Item(navigation, target, tuple(attributes.values()))


def with_lookups(shape: Shape, attributes: Sequence[Attribute], items: Items) -> list[Attribute]:
    """Return the attributes with the lookups that are followed."""
    known = {item.name: item for item in attributes}
    return list(
        (known | {i.navigation.attribute.name: i.navigation.attribute for i in items}).values()
    )


def fill(
    call: Call,
    shape: Shape,
    items: Items,
    rows: Sequence[Row],
    columns: Sequence[str],
    documents: Sequence[Document],
) -> None:
    """Put the record of each navigation, or null, into the documents of a page."""
    for item in items:
        place = columns.index(item.navigation.attribute.name)
        kind = f"{item.navigation.attribute.name}__type"
        target = columns.index(kind) if kind in columns else None
        ids = [_id(row, place, target, item.navigation.target) for row in rows]
        found = _found(call, item, sorted({one for one in ids if one}))
        for one, document in zip(ids, documents, strict=True):
            document[item.navigation.name] = found.get(one or "")


def _id(row: Row, place: int, target: int | None, entity: str) -> str | None:
    if row[place] is None or (target is not None and row[target] != entity):
        return None
    return str(row[place])


def _found(call: Call, item: Item, ids: Sequence[str]) -> Mapping[str, Document]:
    printer = RowPrinter(
        item.shape, item.attributes, call.organization.language, is_annotated=call.is_annotated
    )
    rows = call.store.fetch(item.shape.entity.name, printer.columns, ids)
    return {
        str(row[0]): made for row, made in zip(rows, printer.write(call.store, rows), strict=True)
    }
