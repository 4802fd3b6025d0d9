"""Conditions as `$filter`: those that mean the same by OData as by Fetch.

Ids, numbers, yes or no, and whether there is a value. Text is not among them, because letter
case and wildcards may differ, nor are dates, which are days of the user's zone to some operators;
nor links, users and relative dates, for which OData has no words. A filter must not mean one
thing to a reading and another to the question who is inside of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from connections.connectors.resco_cloud.odata_names import property_of
from organizations.query.nodes import Condition, Group, Logic, Member, Operator, Scalar
from organizations.query.operators import Kind, kind_of
from organizations.schema import VERSION, Attribute, AttributeType, Entity

_COMPARED = frozenset(
    {Operator.EQ, Operator.NE, Operator.GT, Operator.GE, Operator.LT, Operator.LE}
)
_EQUAL = frozenset({Operator.EQ, Operator.NE})
_LISTS: Mapping[Operator, tuple[str, str]] = {
    Operator.IN: (" or ", "eq"),
    Operator.NOT_IN: (" and ", "ne"),
}
_NOTHING: Mapping[Operator, str] = {Operator.NULL: "eq null", Operator.NOT_NULL: "ne null"}
_VERSION = Attribute(name=VERSION, type=AttributeType.BIGINT)


class NotSaid(Exception):
    """A query that OData does not say, or not in the same meaning."""


def filter_of(entity: Entity, group: Group) -> str:
    """Return the filter, '' for one that all records pass. Raises NotSaid."""
    parts = [_member(entity, child) for child in group.children]
    if group.is_negative or (group.logic is Logic.OR and not all(parts)):
        raise NotSaid
    return f" {group.logic} ".join(filter(None, parts))


def _member(entity: Entity, member: Member) -> str:
    if isinstance(member, Condition):
        return _condition(entity, member)
    if not isinstance(member, Group):
        raise NotSaid
    text = filter_of(entity, member)
    return f"({text})" if text else ""


def _condition(entity: Entity, item: Condition) -> str:
    attribute = _VERSION if item.attribute == VERSION else entity.attribute(item.attribute)
    if attribute is None or item.alias or item.value_of:
        raise NotSaid
    name = property_of(attribute)
    if item.operator in _NOTHING:
        return f"{name} {_NOTHING[item.operator]}"
    values = [_literal(attribute, value) for value in item.values]
    if item.operator in _LISTS:
        between, word = _LISTS[item.operator]
        return f"({between.join(f'{name} {word} {value}' for value in values)})"
    if item.operator not in (_COMPARED if kind_of(attribute) is Kind.NUMBER else _EQUAL):
        raise NotSaid
    return f"{name} {item.operator} {values[0]}"


def _literal(attribute: Attribute, value: Scalar) -> str:
    """Return a value as it is written; ids stand in quotes (resco.md §3.2)."""
    text, kind = str(value), kind_of(attribute)
    if kind is Kind.NUMBER and _is_number(text):
        return text
    if kind is Kind.BOOLEAN and text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    if kind is Kind.ID and "'" not in text:
        return f"'{text}'"
    raise NotSaid


_TRUTHS: Mapping[str, str] = {"true": "true", "1": "true", "false": "false", "0": "false"}


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal() and text.isascii()
