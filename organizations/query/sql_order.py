"""Order and paging in SQL: sort keys that make every order total, and continuing after a row.

Nulls come first ascending and last descending. Text sorts without letter case by code point,
whatever the locale of the database. A lookup sorts by id, an option by its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from organizations.query import cookies
from organizations.query.literals import Comparable, literal
from organizations.query.nodes import Order
from organizations.query.scope import Source
from organizations.query.sql_filters import Aliases
from organizations.query.sql_terms import (
    FALSE,
    Build,
    Term,
    all_of,
    any_of,
    primary_id,
    sql_type,
)
from organizations.schema import VERSION, Attribute


@dataclass(frozen=True, slots=True)
class SortKey:
    """One sort key in SQL; `is_nullable` is False where the column never is."""

    term: Term
    source: Source
    attribute: Attribute
    is_descending: bool
    is_nullable: bool

    @property
    def key(self) -> cookies.Key:
        """The key as cookies know it."""
        return cookies.Key(self.attribute, self.source.alias)


def orders(build: Build) -> Iterator[tuple[Source, Order]]:
    """Yield the orders of a query: its own, then those of the links as they are joined."""
    for order in build.query.order:
        yield build.scope.find(order.alias, "order"), order
    for source in build.scope.sources[1:]:
        for order in source.link.order if source.link else ():
            yield source, order


def sort_keys(build: Build, joined: set[int], names: Aliases) -> list[SortKey]:
    """Return the keys of the query's order, made total by the ids of all joined records."""
    wanted = [
        (source, source.attribute(order.attribute, "order"), order.descending)
        for source, order in orders(build)
    ]
    places = [source for source in build.scope.sources if source.number in joined | {0}]
    wanted += [(place, primary_id(place), False) for place in places if _multiplies(place)]
    keys: dict[tuple[int, str], SortKey] = {}
    for source, attribute, descending in wanted:
        place = (source.number, attribute.name)
        keys.setdefault(place, _key(build, source, attribute, descending, names))
    return list(keys.values())


def _multiplies(source: Source) -> bool:
    return source.link is None or source.link.from_attribute != source.entity.primary_id


def _key(
    build: Build, source: Source, attribute: Attribute, descending: bool, names: Aliases
) -> SortKey:
    never_null = source.is_required and attribute.name in (source.entity.primary_id, VERSION)
    term = build.comparable(source, attribute, names[source.number])
    return SortKey(term, source, attribute, descending, not never_null)


def order_by(keys: list[SortKey]) -> Term:
    """Return the ORDER BY list. A key that is never null is left plain, so an index serves it."""
    return sql.SQL(", ").join(
        direction(key.term, key.is_descending, key.is_nullable) for key in keys
    )


def direction(term: Term, is_descending: bool, is_nullable: bool = True) -> Term:
    """Return one member of an ORDER BY list."""
    way = " DESC" if is_descending else ""
    nulls = (" NULLS LAST" if is_descending else " NULLS FIRST") if is_nullable else ""
    return sql.SQL("{}{}").format(term, sql.SQL(way + nulls))


def after(build: Build, keys: list[SortKey]) -> Term:
    """Return the condition for rows beyond the query's cookie."""
    texts = cookies.read(build.query.cookie, [key.key for key in keys])
    values = [
        None if text is None else literal(key.attribute, text, build.context)
        for key, text in zip(keys, texts, strict=True)
    ]
    pairs = list(zip(keys, values, strict=True))
    steps: list[Term] = []
    for index, (key, value) in enumerate(pairs):
        equal = [_equal(build, *pair) for pair in pairs[:index]]
        steps.append(all_of([*equal, _beyond(build, key, value)]))
    first, value = pairs[0]
    return all_of([_not_before(build, first, value), any_of(steps)])


def _bound(build: Build, key: SortKey, value: Comparable) -> Term:
    return build.bind(value, sql_type(key.attribute))


def _equal(build: Build, key: SortKey, value: Comparable | None) -> Term:
    if value is None:
        return sql.SQL("{} IS NULL").format(key.term)
    return sql.SQL("{} = {}").format(key.term, _bound(build, key, value))


def _beyond(build: Build, key: SortKey, value: Comparable | None) -> Term:
    if value is None:
        return FALSE if key.is_descending else sql.SQL("{} IS NOT NULL").format(key.term)
    sign = sql.SQL("<" if key.is_descending else ">")
    term = sql.SQL("{} {} {}").format(key.term, sign, _bound(build, key, value))
    if key.is_descending and key.is_nullable:
        return any_of([term, sql.SQL("{} IS NULL").format(key.term)])
    return term


def _not_before(build: Build, key: SortKey, value: Comparable | None) -> Term:
    """Return a plain range on the first key, implied by the rest, for the index to use."""
    if value is None or (key.is_descending and key.is_nullable):
        return sql.SQL("TRUE")
    sign = sql.SQL("<=" if key.is_descending else ">=")
    return sql.SQL("{} {} {}").format(key.term, sign, _bound(build, key, value))
