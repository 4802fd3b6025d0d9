"""Records of an answer as flat canonical rows, and values as elements (resco.md §1.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import quote

import orjson
from lxml import etree

from connections.connectors.resco_cloud.markup import children, name_of
from connections.connectors.resco_cloud.shapes import Shape
from connections.errors import MetadataChanged
from organizations.errors import InvalidRequest
from organizations.records import Reference, Rejection, Row, Value
from organizations.rest import value_text
from organizations.schema import VERSION, Attribute, AttributeType, Column, ColumnPart, DateBehavior
from organizations.values import ILLEGAL_TEXT, InvalidValue, parse

_NUMBERS = frozenset({AttributeType.DECIMAL, AttributeType.MONEY, AttributeType.DOUBLE})
Given = Mapping[str, etree._Element]


@dataclass(slots=True)
class Decoded:
    """The records of some pages; versions run parallel to rows."""

    rows: list[Row] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    last: int = 0
    """The highest version there was, of rejected records too."""

    def by_id(self) -> dict[str, tuple[int, Row]]:
        """Return version and row by id."""
        pairs = zip(self.versions, self.rows, strict=True)
        return {str(row[0]): (version, row) for version, row in pairs}


def decode(shape: Shape, records: Sequence[etree._Element]) -> Decoded:
    """Return the records of a page; one that cannot be read costs only itself.

    Raises MetadataChanged where records come without their id or version.
    """
    found = Decoded()
    columns = [(column.attribute.name, column) for column in shape.columns]
    for record in records:
        given = {name_of(item): item for item in children(record)}
        record_id, version = _id(shape, given), _version(shape, given)
        found.last = max(found.last, version)
        try:
            row = tuple(
                None if (item := given.get(name)) is None else _value(column, item)
                for name, column in columns
            )
        except (InvalidValue, InvalidRequest) as error:
            found.rejected.append(Rejection(id=record_id, code="invalid-value", message=str(error)))
            continue
        found.rows.append(row)
        found.versions.append(version)
    return found


def _id(shape: Shape, given: Given) -> str:
    key = given.get(shape.entity.primary_id)
    if key is None or not (key.text or "").strip():
        raise MetadataChanged(
            f"Records of '{shape.entity.name}' come without their primary id "
            f"'{shape.entity.primary_id}'. Run Update Server."
        )
    return (key.text or "").strip().lower()


def _version(shape: Shape, given: Given) -> int:
    found = given.get(VERSION)
    text = "" if found is None else (found.text or "").strip()
    if not text.isdigit():
        raise MetadataChanged(
            f"Records of '{shape.entity.name}' come without '{VERSION}', by which changes are read."
        )
    return int(text)


def _value(column: Column, found: etree._Element) -> Value:
    attribute = column.attribute
    if attribute.type is AttributeType.UNIQUEIDENTIFIER:
        # The ends of a pair are lookups to some and plain ids to others.
        return parse(attribute, value_text.id_of(found))
    value = value_text.read(attribute, found)
    if isinstance(value, Reference):
        if column.part is ColumnPart.TARGET:
            return value.entity
        return parse(attribute, value.id)
    return parse(attribute, value)


def element_of(attribute: Attribute, value: Value, target: str) -> etree._Element:
    """Return the element that gives a value to an attribute; empty for none (§1.3).

    `target`: the entity a lookup points to. Raises InvalidValue for text that XML cannot carry.
    """
    made = etree.Element(attribute.name)
    if value is None or value == "":
        return made
    if attribute.type is AttributeType.PARTYLIST:
        made.extend(_party(*party) for party in orjson.loads(str(value)))
    elif attribute.is_lookup:
        made.text = f"{target}:{value}"
    else:
        made.text = _text(attribute, value)
    return made


def _text(attribute: Attribute, value: Value) -> str:
    if isinstance(value, bool):
        return str(value)
    if attribute.type in _NUMBERS:
        return format(Decimal(str(value)), "f")
    text = str(value)
    if attribute.type is AttributeType.DATETIME:
        return _moment(attribute, text)
    if ILLEGAL_TEXT.search(text):
        raise InvalidValue(
            f"Attribute '{attribute.name}' holds a character that XML cannot carry. Remove it."
        )
    return text


def _moment(attribute: Attribute, text: str) -> str:
    """Dates and zone-independent times are written like any moment, and never shifted (assumed)."""
    if attribute.date_behavior is DateBehavior.DATE_ONLY:
        return f"{text}T00:00:00Z"
    return f"{text.removesuffix('Z')}Z"


def _party(_mask: int, entity: str, party: str) -> etree._Element:
    made = etree.Element("party")
    if entity:
        made.text = f"{entity}:{party}"
    else:
        made.set("addressused", quote(party))
    return made
