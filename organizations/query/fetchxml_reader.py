"""FetchXML to queries.

Tolerant where the sources are: a filter without type means and, true/false/1/0 in any case,
`aggregate` on fetch or entity, several filters in one place mean all of them, presentation
attributes are ignored (Resco's REST data service, §fetch; Dataverse's FetchXML reference).
Strict where a mistake would change the meaning: an unknown operator, element, link-type or
aggregate raises InvalidRequest that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from lxml import etree

from organizations.errors import InvalidRequest
from organizations.query import markup
from organizations.query.analysis import all_links
from organizations.query.checking import check
from organizations.query.fetchxml_conditions import read_filters
from organizations.query.fetchxml_parts import flag, integer, local_name, required
from organizations.query.limits import check_elements
from organizations.query.nodes import (
    ALL,
    Exists,
    Group,
    Link,
    LinkType,
    Logic,
    Member,
    Order,
    Query,
    Selection,
)
from organizations.query.scope import MAX_DEPTH, MAX_LINKS
from organizations.query.sql_aggregates import AGGREGATES, DATE_GROUPINGS
from organizations.query.statements import DEFAULT_LIMIT
from organizations.schema import Entity

Schema = Callable[[str], Entity]

_LINK_TYPES = {
    "inner": LinkType.INNER,
    "natural": LinkType.INNER,
    "outer": LinkType.OUTER,
}
_EXISTENCES = frozenset({"exists", "in"})
_IN_FILTERS = frozenset({"any", "not any", "all", "not all"})
_CHILDREN = frozenset({"attribute", "all-attributes", "no-attrs", "filter", "order", "link-entity"})


def read(source: str | bytes | etree._Element, *, schema: Schema | None = None) -> Query:
    """Return the query of a `<fetch>` document.

    With `schema` (entity name → metadata; raises NotFound) names, types and values are checked
    too. Raises InvalidRequest, whose `element` is the faulty one.
    """
    root = _root(source, "fetch")
    check_elements(root, "fetch")
    query = _fetch(root)
    if schema is not None:
        check(query, schema)
    return query


def read_collection(
    source: str | bytes | etree._Element, *, schema: Schema | None = None
) -> dict[str, Query]:
    """Return the queries of a `<fetchcollection>` by entity name, in document order.

    Raises InvalidRequest also when two of them are about the same entity.
    """
    queries: dict[str, Query] = {}
    for element in _elements(_root(source, "fetchcollection")):
        _expect(element, "fetch")
        query = read(element, schema=schema)
        if query.entity in queries:
            raise InvalidRequest(
                f"fetchcollection has two fetch elements of entity '{query.entity}'.", "fetch"
            )
        queries[query.entity] = query
    return queries


def _root(source: str | bytes | etree._Element, name: str) -> etree._Element:
    if isinstance(source, str | bytes):
        root = markup.parse(source, name)
    else:
        markup.check_depth(source, name)
        root = source
    _expect(root, name)
    return root


def _expect(element: etree._Element, name: str) -> None:
    if local_name(element) != name:
        raise InvalidRequest(f"Expected a {name} element, found '{local_name(element)}'.", name)


def _fetch(fetch: etree._Element) -> Query:
    entities = list(_elements(fetch))
    if len(entities) != 1 or local_name(entities[0]) != "entity":
        raise InvalidRequest("fetch needs exactly one entity element and nothing else.", "fetch")
    entity = entities[0]
    query = Query(
        entity=required(entity, "name"),
        filter=_filter(entity, 1),
        links=_links(entity),
        order=_orders(entity),
        select=_selections(entity),
        select_all=_has(entity, "all-attributes"),
        distinct=flag(fetch, "distinct"),
        aggregate=flag(fetch, "aggregate") or flag(entity, "aggregate"),
        page=integer(fetch, "page", 1) or 1,
        count=integer(fetch, "count", 1),
        top=integer(fetch, "top", 1),
        cookie=fetch.get("paging-cookie", ""),
    )
    _check(query)
    return query


def _check(query: Query) -> None:
    if query.top is not None and (query.page > 1 or query.count is not None or query.cookie):
        raise InvalidRequest("top cannot be combined with page, count or paging-cookie.", "fetch")
    if (query.top or 0) > DEFAULT_LIMIT:
        raise InvalidRequest(f"top is at most {DEFAULT_LIMIT}. Use count and page.", "fetch")
    if sum(1 for _ in all_links(query.links)) > MAX_LINKS:
        raise InvalidRequest(f"A query has at most {MAX_LINKS} link-entity.", "link-entity")


def _elements(parent: etree._Element) -> Iterator[etree._Element]:
    return parent.iterchildren(etree.Element)


def _named(parent: etree._Element, name: str) -> list[etree._Element]:
    found = list(_elements(parent))
    for child in found:
        if local_name(child) not in _CHILDREN:
            raise InvalidRequest(
                f"{local_name(parent)} has an unknown element '{local_name(child)}'.",
                local_name(child),
            )
    return [child for child in found if local_name(child) == name]


def _has(parent: etree._Element, name: str) -> bool:
    return bool(_named(parent, name))


def _filter(parent: etree._Element, depth: int) -> Group:
    """Return the filter of an entity, and the existence of what `exists` and `in` link."""

    def in_filter(element: etree._Element) -> Member:
        return _existence(element, depth)

    own = read_filters(_named(parent, "filter"), in_filter)
    asked = tuple(
        Exists(_link(element, depth))
        for element in _named(parent, "link-entity")
        if _type_of(element) in _EXISTENCES
    )
    if not asked:
        return own
    return Group(Logic.AND, (own, *asked) if own != ALL else asked)


def _existence(element: etree._Element, depth: int) -> Member:
    """Return what a link-entity in a filter means (Dataverse: filter on related records).

    Despite its name, `all` finds records with linked ones of which none passes the filter, and
    `not all` is another word for `any`.
    """
    kind = _type_of(element)
    if kind not in _IN_FILTERS:
        raise InvalidRequest(
            f"link-type '{kind}' does not stand in a filter. There it is any, not any, all or "
            "not all.",
            "link-entity",
        )
    link = _link(element, depth)
    if kind != "all":
        return Exists(link, is_negative=kind == "not any")
    linked = Exists(replace(link, filter=ALL, links=()))
    return Group(Logic.AND, (linked, Exists(link, is_negative=True)))


def _links(parent: etree._Element, depth: int = 1) -> tuple[Link, ...]:
    return tuple(
        _link(element, depth)
        for element in _named(parent, "link-entity")
        if _type_of(element) not in _EXISTENCES
    )


def _link(element: etree._Element, depth: int) -> Link:
    name = required(element, "name")
    if depth > MAX_DEPTH:
        raise InvalidRequest(
            f"link-entity '{name}' is nested more than {MAX_DEPTH} deep.", "link-entity"
        )
    return Link(
        entity=name,
        from_attribute=required(element, "from"),
        to_attribute=required(element, "to"),
        alias=element.get("alias", ""),
        type=_link_type(element),
        filter=_filter(element, depth + 1),
        links=_links(element, depth + 1),
        select=_selections(element),
        select_all=_has(element, "all-attributes"),
        order=_orders(element),
    )


def _type_of(element: etree._Element) -> str:
    return element.get("link-type", "inner").strip().lower()


def _link_type(element: etree._Element) -> LinkType:
    text = _type_of(element)
    if text in _EXISTENCES or text in _IN_FILTERS and local_name(_parent(element)) == "filter":
        return LinkType.INNER
    if text not in _LINK_TYPES:
        raise InvalidRequest(
            f"link-type '{text}' is not supported. Use inner or outer.", "link-entity"
        )
    return _LINK_TYPES[text]


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    return element if parent is None else parent


def _orders(parent: etree._Element) -> tuple[Order, ...]:
    return tuple(_order(element) for element in _named(parent, "order"))


def _order(element: etree._Element) -> Order:
    alias = element.get("alias", "") or element.get("entityname", "")
    attribute = element.get("attribute", "")
    if not (alias or attribute):
        raise InvalidRequest("order needs an attribute, or in an aggregate an alias.", "order")
    return Order(attribute, flag(element, "descending"), alias)


def _selections(parent: etree._Element) -> tuple[Selection, ...]:
    return tuple(_selection(element) for element in _named(parent, "attribute"))


def _selection(element: etree._Element) -> Selection:
    return Selection(
        attribute=required(element, "name"),
        alias=element.get("alias", ""),
        aggregate=_one_of(element, "aggregate", AGGREGATES),
        group_by=flag(element, "groupby"),
        date_grouping=_one_of(element, "dategrouping", DATE_GROUPINGS),
        distinct=flag(element, "distinct"),
    )


def _one_of(element: etree._Element, name: str, known: tuple[str, ...]) -> str:
    text = element.get(name, "")
    if text and text not in known:
        raise InvalidRequest(
            f"{name} '{text}' on attribute '{element.get('name')}' is not one of "
            f"{', '.join(known)}.",
            "attribute",
        )
    return text
