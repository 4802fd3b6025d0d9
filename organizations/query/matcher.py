"""The in-memory back end: does one record belong to a query? The oracle of the other back ends.

Records are mappings of attribute to canonical value (`organizations.values`); an attribute that
is missing is null. Linked records are asked of a `Linked`. A record belongs to a query if at
least one of its joined rows passes the filter.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from organizations.query.analysis import conditions, existences
from organizations.query.context import Context
from organizations.query.literals import Comparable, comparable
from organizations.query.nodes import Exists, Group, Logic, Member, Operator, Query
from organizations.query.operators import RULES
from organizations.query.predicates import (
    Compare,
    CompareColumns,
    Contains,
    Hierarchy,
    IsNull,
    Like,
    OneOf,
    Predicate,
    Test,
    Within,
)
from organizations.query.scope import (
    Scope,
    Source,
    bind,
    filter_of,
    hanging,
    join_attributes,
    scope,
    start_of,
    within,
)
from organizations.records import RecordValue
from organizations.schema import Attribute, Entity

Values = Mapping[str, RecordValue]
Row = dict[str, Values | None]
"""The records of one joined row by alias ('' = the query's own); None = no linked record."""


class Linked(Protocol):
    """Where linked records and their metadata come from."""

    def entity(self, name: str) -> Entity:
        """Return the metadata of an entity; raises NotFound."""

    def records(self, entity: str) -> Iterable[Values]:
        """Return the records of an entity that may be linked; more than needed does no harm."""


class _NothingLinked:
    def __init__(self, entity: Entity) -> None:
        self._entity = entity

    def entity(self, name: str) -> Entity:
        return self._entity

    def records(self, entity: str) -> Iterable[Values]:
        return ()


def matches(
    query: Query,
    values: Values,
    entity: Entity,
    *,
    context: Context,
    linked: Linked | None = None,
) -> bool:
    """Return whether the record of `entity` belongs to the query.

    Without `linked` a query with links raises ValueError: it cannot be decided from one record.
    """
    asks = bool(query.links) or any(True for _ in existences(query.filter))
    asks = asks or any(RULES[one.operator].is_hierarchical for one in conditions(query.filter))
    if asks and linked is None:
        raise ValueError("A query with links cannot be decided without the linked records.")
    rows = joined(query, values, linked or _NothingLinked(entity), context=context)
    return any(True for _ in rows)


def joined(query: Query, values: Values, linked: Linked, *, context: Context) -> Iterator[Row]:
    """Yield the joined rows of one record that pass the filter."""
    sources = scope(query, linked.entity)
    for row in _joined(sources.sources, {"": values}, query, sources, linked, context):
        if _passes(query.filter, sources.root, row, World(sources, linked, context)):
            yield row


def _joined(
    remaining: tuple[Source, ...],
    row: Row,
    query: Query,
    sources: Scope,
    linked: Linked,
    context: Context,
) -> Iterator[Row]:
    if not remaining:
        yield row
        return
    for extended in _extended(remaining[0], row, query, sources, linked, context):
        yield from _joined(remaining[1:], extended, query, sources, linked, context)


def _extended(
    source: Source, row: Row, query: Query, sources: Scope, linked: Linked, context: Context
) -> Iterator[Row]:
    if source.parent is None:
        yield row
        return
    own, theirs = join_attributes(source)
    wanted = value_of(row[source.parent.alias], theirs)
    is_alone = True
    for record in linked.records(source.entity.name) if wanted is not None else ():
        extended = {**row, source.alias: record}
        if comparable(own, record.get(own.name)) == wanted and _passes(
            filter_of(source, query), source, extended, World(sources, linked, context)
        ):
            is_alone = False
            yield extended
    if is_alone and not source.is_required:
        yield {**row, source.alias: None}


def value_of(record: Values | None, attribute: Attribute) -> Comparable | None:
    """Return an attribute's value in comparable form; None where there is no record."""
    return None if record is None else comparable(attribute, record.get(attribute.name))


@dataclass(frozen=True, slots=True)
class World:
    """What a filter is judged in."""

    sources: Scope
    linked: Linked
    context: Context


def _passes(group: Group, place: Source, row: Row, world: World) -> bool:
    if not group.children:
        return True
    verdicts = (verdict(child, place, row, world) for child in group.children)
    found = all(verdicts) if group.logic is Logic.AND else any(verdicts)
    return found is not group.is_negative


def verdict(child: Member, place: Source, row: Row, world: World) -> bool:
    """Return whether one member of the filter of `place` is true of a joined row."""
    if isinstance(child, Group):
        return _passes(child, place, row, world)
    if isinstance(child, Exists):
        return _exists(child, place, row, world) is not child.is_negative
    bound = bind(child, place, world.sources, world.context)
    predicate, record = bound.predicate, row[bound.source.alias]
    if isinstance(predicate.test, Hierarchy):
        key = value_of(record, predicate.attribute)
        found = key is not None and key in _related(predicate.test, bound.source.entity, world)
        return found is not predicate.is_negative
    return holds(predicate, record)


def _related(test: Hierarchy, entity: Entity, world: World) -> set[Comparable]:
    """Return the ids above or below, by walking all records until nothing new comes."""
    pairs = [
        (record.get(entity.primary_id), value_of(record, test.parent))
        for record in world.linked.records(entity.name)
    ]
    steps = [(own, parent) if test.is_below else (parent, own) for own, parent in pairs]
    found: set[Any] = set()
    front: set[Any] = {test.id}
    while front:
        front = {far for far, near in steps if near in front and far is not None} - found
        found |= front
    return found | ({test.id} if test.with_itself else set())


def _exists(exists: Exists, place: Source, row: Row, world: World) -> bool:
    start = start_of(exists, place, world.sources)
    query = within(exists)
    own, theirs = hanging(exists, start, scope(query, world.linked.entity))
    wanted = value_of(row[start.alias], theirs)
    if wanted is None:
        return False
    return any(
        comparable(own, record.get(own.name)) == wanted
        and any(True for _ in joined(query, record, world.linked, context=world.context))
        for record in world.linked.records(query.entity)
    )


def holds(predicate: Predicate, record: Values | None) -> bool:
    """Return whether a predicate is true of a record (None = no record)."""
    value = value_of(record, predicate.attribute)
    if isinstance(predicate.test, CompareColumns):
        other = value_of(record, predicate.test.other)
        found = _compares(predicate.test.operator, value, other)
    else:
        found = _TESTS[type(predicate.test)](predicate.test, value)
    return found is not predicate.is_negative


_COMPARISONS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: operator.eq,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
}


def _compares(name: Operator, value: Comparable | None, other: Comparable | None) -> bool:
    if value is None or other is None:
        return False
    return _COMPARISONS[name](value, other)


def _within(test: Within, value: Any) -> bool:
    if value is None or (test.low is not None and value < test.low):
        return False
    if test.high is None:
        return True
    return bool(value <= test.high if test.is_closed else value < test.high)


def _contains(test: Contains, value: Any) -> bool:
    return value is not None and not set(test.values).isdisjoint(str(value).split(","))


_TESTS: dict[type[Test], Callable[[Any, Any], bool]] = {
    IsNull: lambda test, value: value is None,
    Compare: lambda test, value: _compares(test.operator, value, test.value),
    OneOf: lambda test, value: value is not None and value in test.values,
    Within: _within,
    Like: lambda test, value: value is not None and test.pattern.matches(value),
    Contains: _contains,
}
