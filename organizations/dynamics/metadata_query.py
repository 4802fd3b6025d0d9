"""The query of RetrieveMetadataChanges: which properties of which elements (dataverse.md 2.4).

`Query` is an EntityQueryExpression in JSON. Criteria test one document; a property that the
document's type does not have counts as null, because attributes of all types are asked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from organizations.dynamics.errors import WebApiError, bad_request
from organizations.dynamics.metadata_options import Document

INVALID_ARGUMENT = "0x80040203"
Test = Callable[[Document], bool]
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda value, wanted: bool(value == wanted),
    "NotEquals": lambda value, wanted: bool(value != wanted),
    "In": lambda value, wanted: value in wanted,
    "NotIn": lambda value, wanted: value not in wanted,
    "GreaterThan": lambda value, wanted: value is not None and bool(value > wanted),
    "LessThan": lambda value, wanted: value is not None and bool(value < wanted),
}
_OPERATOR_NAMES = tuple(_OPERATORS)
_ALWAYS = frozenset({"@odata.type", "MetadataId", "HasChanged", "LogicalName", "SchemaName"})


@dataclass(frozen=True, slots=True)
class ElementQuery:
    """What is asked of elements of one kind. `properties` None means all."""

    properties: frozenset[str] | None = None
    test: Test = lambda _: True

    def shown(self, document: Document) -> Document:
        """Return a document whose properties that were not asked for are null."""
        if self.properties is None:
            return document
        wanted = self.properties | _ALWAYS
        return {name: value if name in wanted else None for name, value in document.items()}

    def wants(self, name: str) -> bool:
        """Return whether a property was asked for."""
        return self.properties is None or name in self.properties


@dataclass(frozen=True, slots=True)
class MetadataQuery:
    """A whole query: entities, and what is asked of their parts. Empty `languages` = all."""

    entities: ElementQuery = ElementQuery(frozenset())
    attributes: ElementQuery = ElementQuery()
    relationships: ElementQuery = ElementQuery()
    keys: ElementQuery = ElementQuery()
    languages: frozenset[int] = field(default_factory=frozenset)


def read(text: str) -> MetadataQuery:
    """Return the query that a JSON text says. Raises WebApiError 400."""
    try:
        raw = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _invalid(f"Query is not JSON: {error}.") from error
    if not isinstance(raw, dict):
        raise _invalid("Query must be an EntityQueryExpression, a JSON object.")
    labels = _object(raw, "LabelQuery")
    return MetadataQuery(
        entities=_element(raw),
        attributes=_element(_object(raw, "AttributeQuery")),
        relationships=_element(_object(raw, "RelationshipQuery")),
        keys=_element(_object(raw, "KeyQuery")),
        languages=frozenset(labels.get("FilterLanguages") or ()),
    )


def _element(raw: Mapping[str, Any]) -> ElementQuery:
    properties = _object(raw, "Properties")
    names = properties.get("PropertyNames") or []
    if not isinstance(names, list):
        raise _invalid("PropertyNames must be a list of names.")
    wants_all = bool(properties.get("AllProperties")) or not raw
    return ElementQuery(None if wants_all else frozenset(names), _filter(_object(raw, "Criteria")))


def _filter(raw: Mapping[str, Any]) -> Test:
    operator = raw.get("FilterOperator", "And")
    if operator not in ("And", "Or", 0, 1):
        raise _invalid(f"FilterOperator '{operator}' is neither And nor Or.")
    tests = [_condition(item) for item in raw.get("Conditions") or ()]
    tests += [_filter(item) for item in raw.get("Filters") or ()]
    if not tests:
        return lambda _: True
    gather = any if operator in ("Or", 1) else all
    return lambda document: gather(test(document) for test in tests)


def _condition(raw: Any) -> Test:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("PropertyName"), str):
        raise _invalid("A condition needs a PropertyName.")
    given: Any = raw.get("ConditionOperator")
    is_number = isinstance(given, int) and 0 <= given < len(_OPERATOR_NAMES)
    name = _OPERATOR_NAMES[given] if is_number else str(given)
    compare = _OPERATORS.get(name)
    if compare is None:
        raise _invalid(f"ConditionOperator '{given}' is not one of {', '.join(_OPERATORS)}.")
    wanted = _value(raw.get("Value"), is_list=name in ("In", "NotIn"))
    key = raw["PropertyName"]

    def test(document: Document) -> bool:
        value = _plain(document.get(key))
        try:
            return compare(value, wanted)
        except TypeError as error:
            raise _invalid(f"'{key}' cannot be compared with {wanted!r}.") from error

    return test


def _value(raw: Any, *, is_list: bool) -> Any:
    """Return the value of `{"Type": "System.Boolean", "Value": "true"}`, or a plain one."""
    kind, value = "", raw
    if isinstance(raw, Mapping):
        kind, value = str(raw.get("Type", "")), raw.get("Value")
    if is_list:
        return [_converted(kind.removesuffix("[]"), item) for item in _items(value)]
    return _converted(kind, value)


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    text = str(value).strip()
    if text.startswith("["):
        try:
            found = orjson.loads(text.replace("'", '"'))
        except orjson.JSONDecodeError as error:
            raise _invalid(f"The list {text} of a condition is not JSON.") from error
        return list(found)
    return [item.strip() for item in text.split(",")]


def _converted(kind: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if kind == "System.Boolean":
        return value.lower() == "true"
    if kind in ("System.Int32", "System.Int64"):
        if not value.lstrip("-").isdecimal():
            raise _invalid(f"'{value}' is not a whole number.")
        return int(value)
    return value.lower() if kind == "System.Guid" else value


def _plain(value: Any) -> Any:
    return value.get("Value") if isinstance(value, dict) and "Value" in value else value


def _object(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = raw.get(name) or {}
    if not isinstance(value, Mapping):
        raise _invalid(f"{name} must be a JSON object.")
    return value


def _invalid(message: str) -> WebApiError:
    return bad_request(message, INVALID_ARGUMENT)
