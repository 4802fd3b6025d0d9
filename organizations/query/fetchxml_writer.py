"""Queries to FetchXML, built as a tree; `fetchxml_reader` reads the same query back."""

from __future__ import annotations

from lxml import etree

from organizations.errors import InvalidRequest
from organizations.query.nodes import (
    ALL,
    Condition,
    Exists,
    Group,
    Link,
    Operator,
    Order,
    Query,
    Scalar,
    Selection,
)


def write(query: Query) -> str:
    """Return a `<fetch>` document; raises InvalidRequest for text that XML cannot carry."""
    try:
        return etree.tostring(element(query), encoding="unicode")
    except ValueError as error:
        raise InvalidRequest(f"The query cannot be written as XML: {error}.", "fetch") from error


def write_collection(queries: list[Query]) -> str:
    """Return a `<fetchcollection>` document of queries."""
    root = etree.Element("fetchcollection")
    root.extend(element(query) for query in queries)
    return etree.tostring(root, encoding="unicode")


def element(query: Query) -> etree._Element:
    """Return a `<fetch>` element."""
    fetch = etree.Element("fetch", {"version": "1.0"})
    _set(fetch, "distinct", query.distinct)
    _set(fetch, "aggregate", query.aggregate)
    _set(fetch, "page", query.page if query.page != 1 else None)
    _set(fetch, "count", query.count)
    _set(fetch, "top", query.top)
    _set(fetch, "paging-cookie", query.cookie)
    entity = etree.SubElement(fetch, "entity", {"name": query.entity})
    _body(entity, query, query.aggregate)
    return fetch


def _set(target: etree._Element, name: str, value: Scalar | None) -> None:
    if value is not None and value is not False and value != "":
        target.set(name, _text(value))


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(target: etree._Element, node: Query | Link, is_aggregate: bool) -> None:
    if node.select_all:
        etree.SubElement(target, "all-attributes")
    for selection in node.select:
        _selection(target, selection)
    for order in node.order:
        _order(target, order, is_aggregate)
    if node.filter != ALL:
        _group(target, node.filter)
    for link in node.links:
        _link(target, link, is_aggregate)


def _selection(target: etree._Element, selection: Selection) -> None:
    made = etree.SubElement(target, "attribute", {"name": selection.attribute})
    _set(made, "alias", selection.alias)
    _set(made, "aggregate", selection.aggregate)
    _set(made, "groupby", selection.group_by)
    _set(made, "dategrouping", selection.date_grouping)
    _set(made, "distinct", selection.distinct)


def _order(target: etree._Element, order: Order, is_aggregate: bool) -> None:
    made = etree.SubElement(target, "order")
    _set(made, "attribute", order.attribute)
    _set(made, "alias" if is_aggregate else "entityname", order.alias)
    _set(made, "descending", order.descending)


def _group(target: etree._Element, group: Group) -> None:
    if group.is_negative:
        raise InvalidRequest("FetchXML has no word for the opposite of a filter.", "filter")
    made = etree.SubElement(target, "filter", {"type": group.logic.value})
    for child in group.children:
        if isinstance(child, Group):
            _group(made, child)
        elif isinstance(child, Exists):
            _existence(made, child)
        else:
            _condition(made, child)


def _existence(target: etree._Element, exists: Exists) -> None:
    if exists.alias:
        raise InvalidRequest(
            f"FetchXML cannot ask for records linked to '{exists.alias}' outside its link-entity.",
            "filter",
        )
    _link(target, exists.link, False)
    target[-1].set("link-type", "not any" if exists.is_negative else "any")


_LISTS = frozenset(
    {Operator.IN, Operator.NOT_IN, Operator.CONTAIN_VALUES, Operator.NOT_CONTAIN_VALUES}
)
"""These are documented with `value` elements only, be it one."""


def _condition(target: etree._Element, condition: Condition) -> None:
    made = etree.SubElement(target, "condition")
    _set(made, "entityname", condition.alias)
    made.set("attribute", condition.attribute)
    made.set("operator", condition.operator.value)
    _set(made, "valueof", condition.value_of)
    if len(condition.values) == 1 and condition.operator not in _LISTS:
        made.set("value", _text(condition.values[0]))
        return
    for value in condition.values:
        etree.SubElement(made, "value").text = _text(value)


def _link(target: etree._Element, link: Link, is_aggregate: bool) -> None:
    made = etree.SubElement(target, "link-entity", {"name": link.entity})
    made.set("from", link.from_attribute)
    made.set("to", link.to_attribute)
    _set(made, "alias", link.alias)
    made.set("link-type", link.type.value)
    _body(made, link, is_aggregate)
