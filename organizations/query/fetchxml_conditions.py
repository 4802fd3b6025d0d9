"""Filters and conditions of FetchXML."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lxml import etree

from organizations.errors import InvalidRequest
from organizations.query.fetchxml_parts import local_name, required
from organizations.query.nodes import ALL, Condition, Group, Logic, Member, Operator
from organizations.query.operators import RULES, Arity
from organizations.query.predicates import check_arity

MAX_FILTERS = 20
MAX_CONDITIONS = 500

_SYNONYMS = {"neq": Operator.NE}

ReadLink = Callable[[etree._Element], Member]
"""Reads a link-entity that stands in a filter."""


def read_filters(filters: Sequence[etree._Element], read_link: ReadLink) -> Group:
    """Return the filters of one place as a group; several mean all of them, none means all."""
    if sum(len(list(element.iter("{*}condition"))) for element in filters) > MAX_CONDITIONS:
        raise InvalidRequest(f"A filter has at most {MAX_CONDITIONS} conditions.", "filter")
    groups = tuple(_group(element, 1, read_link) for element in filters)
    if len(groups) == 1:
        return groups[0]
    return Group(Logic.AND, groups) if groups else ALL


def _group(element: etree._Element, depth: int, read_link: ReadLink) -> Group:
    if depth > MAX_FILTERS:
        raise InvalidRequest(f"filter is nested more than {MAX_FILTERS} deep.", "filter")
    text = element.get("type", "and").strip().lower() or "and"
    if text not in (Logic.AND, Logic.OR):
        raise InvalidRequest(f"type of filter is and or or, not '{text[:40]}'.", "filter")
    elements = element.iterchildren(etree.Element)
    children = tuple(_child(child, depth, read_link) for child in elements)
    return Group(Logic(text), children)


def _child(element: etree._Element, depth: int, read_link: ReadLink) -> Member:
    name = local_name(element)
    if name == "filter":
        return _group(element, depth + 1, read_link)
    if name == "link-entity":
        return read_link(element)
    if name != "condition":
        raise InvalidRequest(f"filter holds condition and filter elements, not '{name}'.", name)
    return _condition(element)


def _condition(element: etree._Element) -> Condition:
    attribute = required(element, "attribute")
    operator = _operator(element, attribute)
    condition = Condition(
        attribute,
        operator,
        values=_values(element, operator),
        alias=element.get("entityname", "").strip(),
        value_of=element.get("valueof", "").strip(),
    )
    if not condition.value_of:
        check_arity(condition)
    return condition


def _operator(element: etree._Element, attribute: str) -> Operator:
    text = required(element, "operator").lower()
    if text in _SYNONYMS:
        return _SYNONYMS[text]
    try:
        return Operator(text)
    except ValueError as error:
        raise InvalidRequest(
            f"The condition on '{attribute}' has the unknown operator '{text[:40]}'.", "condition"
        ) from error


def _values(element: etree._Element, operator: Operator) -> tuple[str, ...]:
    """Return the values; tools leave an empty `value` beside `<value>` children (ignored)."""
    if RULES[operator].arity is Arity.NONE or element.get("valueof", "").strip():
        return ()
    children = list(element.iterchildren(etree.Element))
    for child in children:
        if local_name(child) != "value" or len(child):
            raise InvalidRequest("condition holds value elements with text only.", "condition")
    if children:
        return tuple(child.text or "" for child in children)
    text = element.get("value")
    return () if text is None else (text,)
