"""Canonical values as the JSON of the OData service (resco.md §3.2, §3.3)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import orjson

from organizations.records import Value
from organizations.schema import Attribute, AttributeType, DateBehavior
from organizations.values import ILLEGAL_TEXT, InvalidValue

Given = Iterable[tuple[Attribute, tuple[Value, str]]]
"""Each attribute, its value, and the entity that a lookup points to."""


def body(given: Given) -> bytes:
    """Return the body of a PATCH. Raises InvalidValue for text that XML, its reader, lacks."""
    document = {
        _name(attribute, target): _json(attribute, value, target)
        for attribute, (value, target) in given
    }
    return orjson.dumps(document, default=_number)


def _name(attribute: Attribute, target: str) -> str:
    return f"{attribute.name}_{target}@odata.bind" if attribute.is_lookup else attribute.name


def _json(attribute: Attribute, value: Value, target: str) -> Any:
    """Null clears; that a lookup is cleared by binding null is assumed."""
    if value is None or value == "":
        return None
    if attribute.is_lookup:
        return f"/{target}({value})"
    if attribute.type is AttributeType.PARTYLIST:
        return _parties(str(value))
    if attribute.type is AttributeType.DATETIME:
        return _moment(attribute, str(value))
    if isinstance(value, str) and ILLEGAL_TEXT.search(value):
        raise InvalidValue(
            f"Attribute '{attribute.name}' holds a character that XML cannot carry. Remove it."
        )
    return value


def _moment(attribute: Attribute, text: str) -> str:
    """All dates are moments (§3.1); those without a zone are written as UTC (assumed)."""
    if attribute.date_behavior is DateBehavior.DATE_ONLY:
        return f"{text}T00:00:00Z"
    return f"{text.removesuffix('Z')}Z"


def _parties(text: str) -> list[dict[str, Any]]:
    """A party list is a list of objects, as organizations hosted here take it (assumed)."""
    return [
        {"participationtypemask": mask, "entity": entity or None, "party": party}
        for mask, entity, party in orjson.loads(text)
    ]


def _number(value: object) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{type(value).__name__} is no value of a record.")
