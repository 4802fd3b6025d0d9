"""Questions about queries, and queries made from queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from organizations.query.literals import LANGUAGE, TODAY
from organizations.query.nodes import (
    Condition,
    Exists,
    Group,
    Link,
    Logic,
    Operator,
    Query,
    Selection,
)
from organizations.query.operators import RULES
from organizations.schema import Attribute, AttributeType

_COUNTS = frozenset({"count", "countcolumn"})


def is_volatile(query: Query) -> bool:
    """Return whether membership can change without a change of the record (design 5.1.8).

    That is so with a linked entity, a relative date, an operator or macro of the user.
    """
    if query.links or any(True for _ in existences(query.filter)):
        return True
    return any(_is_volatile(item) for item in conditions(query.filter))


def needs_user(query: Query) -> bool:
    """Return whether a query compares with the signed-in user, and so cannot do without one."""
    return any(RULES[item.operator].needs_user for item in all_conditions(query))


def restricted(query: Query, attribute: str, ids: Iterable[str]) -> Query:
    """Return the query for those of its records whose attribute is one of the ids (not none)."""
    among = Condition(attribute, Operator.IN, tuple(ids))
    children = (query.filter, among) if query.filter.children else (among,)
    return replace(query, filter=Group(Logic.AND, children))


def conditions(group: Group) -> Iterator[Condition]:
    """Yield every condition of a group on the records of its query, however deep."""
    for child in group.children:
        if isinstance(child, Group):
            yield from conditions(child)
        elif isinstance(child, Condition):
            yield child


def existences(group: Group) -> Iterator[Exists]:
    """Yield what a group asks of the existence of linked records, not of their own filters."""
    for child in group.children:
        if isinstance(child, Group):
            yield from existences(child)
        elif isinstance(child, Exists):
            yield child


def all_links(links: Iterable[Link]) -> Iterator[Link]:
    """Yield links and those nested in them, in the order of joining."""
    for link in links:
        yield link
        yield from all_links(link.links)


def sources(query: Query) -> Iterator[tuple[Query | Link, str]]:
    """Yield what a query selects from, and what its values' names begin with in an answer.

    A link without alias is known by its entity and its place among the links.
    """
    yield query, ""
    for number, link in enumerate(all_links(query.links), 1):
        yield link, f"{link.alias or f'{link.entity}{number}'}."


def shown(chosen: Selection, attribute: Attribute) -> Attribute:
    """Return what a selected value is like: counts and parts of dates are whole numbers."""
    if chosen.aggregate in _COUNTS or chosen.date_grouping:
        return Attribute(name=attribute.name, type=AttributeType.INTEGER)
    return attribute


def all_conditions(query: Query) -> Iterator[Condition]:
    """Yield every condition of a query, of its links, and of links asked for existence."""
    places: list[Query | Link] = [query]
    while places:
        place = places.pop()
        yield from conditions(place.filter)
        places += place.links
        places += [found.link for found in existences(place.filter)]


def _is_volatile(condition: Condition) -> bool:
    rule = RULES[condition.operator]
    if rule.is_relative or rule.needs_user or rule.is_hierarchical:
        return True
    return any(map(_is_macro, condition.values))


def _is_macro(value: object) -> bool:
    text = str(value).strip()
    return text.lower() == LANGUAGE or TODAY.match(text) is not None
