"""Records of the OData service as flat canonical rows (resco.md §3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connections.connectors.resco_cloud.odata_filter import NotSaid
from connections.connectors.resco_cloud.odata_names import TARGET, property_of
from connections.connectors.resco_cloud.shapes import Shape
from connections.connectors.resco_cloud.values import Decoded
from organizations.records import Rejection, Value
from organizations.schema import VERSION, AttributeType, Column, ColumnPart
from organizations.values import InvalidValue, guid, parse

Given = Mapping[str, Any]
_PARTY = ("participationtypemask", "entity", "party")


def decode(shape: Shape, records: Sequence[Given]) -> Decoded:
    """Return the records of a page; one that cannot be read costs only itself.

    Raises NotSaid where records come without id or version, or do not say of a lookup to several
    entities which it is; ValueError for what no id or version looks like.
    """
    found, key = Decoded(), property_of(shape.columns[0].attribute)
    for record in records:
        if not {key, VERSION} <= record.keys():
            raise NotSaid
        record_id, version = guid(record[key]), int(record[VERSION])
        found.last = max(found.last, version)
        try:
            row = tuple(_value(column, record) for column in shape.columns)
        except InvalidValue as error:
            found.rejected.append(Rejection(id=record_id, code="invalid-value", message=str(error)))
            continue
        found.rows.append(row)
        found.versions.append(version)
    return found


def _value(column: Column, record: Given) -> Value:
    attribute = column.attribute
    name = property_of(attribute)
    value = record.get(name)
    if column.part is ColumnPart.TARGET:
        return _target(name, record)
    if attribute.type is AttributeType.PARTYLIST and value is not None:
        value = [_party(item) for item in value]
    return parse(attribute, value)


def _target(name: str, record: Given) -> Value:
    if record.get(name) is None:
        return None
    told = record.get(f"{name}{TARGET}")
    if not isinstance(told, str):
        raise NotSaid
    return told


def _party(item: Any) -> tuple[object, ...]:
    """A party is an object, as organizations hosted here tell it (assumed)."""
    if not isinstance(item, dict) or not item.keys() >= set(_PARTY):
        raise NotSaid
    return tuple(item[name] for name in _PARTY)
