"""The sources of a query: its entity and the linked ones, with aliases and attributes resolved.

Links are joined one after another, as Dataverse does (assumed for nesting): a linked record
required below an optional link makes that link required too. A link without alias is known by
its entity's name in conditions, and its columns are called `<entity><n>.<attribute>`, n being
its place among the links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from organizations.errors import InvalidRequest
from organizations.query.context import Context
from organizations.query.nodes import Condition, Exists, Group, Link, LinkType, Query
from organizations.query.operators import kind_of
from organizations.query.predicates import Predicate, predicate
from organizations.schema import VERSION, Attribute, AttributeType, Entity

MAX_DEPTH = 5
MAX_LINKS = 15

Schema = Callable[[str], Entity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An entity that takes part in a query; `link` is None for the query's own entity.

    `number` counts sources from 0 in the order of joining. `is_required` tells that a row
    without a record of it is left out.
    """

    number: int
    entity: Entity
    alias: str
    link: Link | None = None
    parent: Source | None = None
    is_required: bool = True

    def attribute(self, name: str, element: str) -> Attribute:
        """Return an attribute that has a column; InvalidRequest names it and `element`."""
        found = self.known(name, element)
        if not (found.is_stored or found.name == VERSION):
            raise InvalidRequest(
                f"Attribute '{name}' of entity '{self.entity.name}' is not kept here, so it "
                f"cannot be used in {element}.",
                element,
            )
        return found

    def known(self, name: str, element: str) -> Attribute:
        """Return an attribute, kept or not; InvalidRequest names it and `element`."""
        found = self.entity.attribute(name)
        if found is not None and not found.is_hidden:
            return found
        if name == VERSION:
            return Attribute(name=VERSION, type=AttributeType.BIGINT)
        raise InvalidRequest(
            f"Entity '{self.entity.name}' has no attribute '{name}' (named in {element}).", element
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """All sources of a query in the order of joining; the first is the query's own entity."""

    sources: tuple[Source, ...]

    @property
    def root(self) -> Source:
        """The source of the query's own entity."""
        return self.sources[0]

    def find(self, alias: str, element: str) -> Source:
        """Return the source with that alias (or entity name); '' is the query's own entity."""
        if not alias:
            return self.root
        named = [source for source in self.sources if source.alias == alias]
        found = named or [
            source
            for source in self.sources
            if source.entity.name == alias and not (source.link and source.link.alias)
        ]
        if len(found) != 1:
            problem = "is not unique" if found else "is not an alias of a link-entity"
            raise InvalidRequest(f"'{alias}', named in {element}, {problem}.", element)
        return found[0]

    def children(self, parent: Source) -> Iterator[Source]:
        """Yield the sources linked directly to a source."""
        return (source for source in self.sources if source.parent is parent)


def scope(query: Query, schema: Schema) -> Scope:
    """Resolve the entities of a query; raises what `schema` raises, and InvalidRequest."""
    root = Source(number=0, entity=schema(query.entity), alias="")
    sources = [root]
    for link in query.links:
        _add(link, root, 1, sources, schema)
    aliases = [source.alias for source in sources]
    for alias in aliases:
        if aliases.count(alias) > 1:
            raise InvalidRequest(
                f"Two link-entity elements have the alias '{alias}'.", "link-entity"
            )
    return Scope(tuple(sources))


def _add(link: Link, parent: Source, depth: int, sources: list[Source], schema: Schema) -> None:
    if depth > MAX_DEPTH:
        raise InvalidRequest(
            f"link-entity '{link.entity}' is nested more than {MAX_DEPTH} deep.", "link-entity"
        )
    if len(sources) > MAX_LINKS:
        raise InvalidRequest(f"A query has at most {MAX_LINKS} link-entity.", "link-entity")
    number = len(sources)
    source = Source(
        number=number,
        entity=schema(link.entity),
        alias=link.alias or f"{link.entity}{number}",
        link=link,
        parent=parent,
        is_required=_is_required(link),
    )
    sources.append(source)
    join_attributes(source)
    for child in link.links:
        _add(child, source, depth + 1, sources, schema)


def _is_required(link: Link) -> bool:
    return link.type is LinkType.INNER or any(_is_required(child) for child in link.links)


def join_attributes(source: Source) -> tuple[Attribute, Attribute]:
    """Return the attributes that must be equal: of the linked record and of its parent."""
    if source.link is None or source.parent is None:
        raise ValueError("The query's own entity is not joined.")
    return _joined_by(source.link, source, source.parent)


def _joined_by(link: Link, source: Source, parent: Source) -> tuple[Attribute, Attribute]:
    own = source.attribute(link.from_attribute, "link-entity")
    theirs = parent.attribute(link.to_attribute, "link-entity")
    if kind_of(own) != kind_of(theirs):
        raise InvalidRequest(
            f"link-entity '{source.entity.name}' joins '{own.name}' ({own.type}) with "
            f"'{theirs.name}' ({theirs.type}), which can never be equal.",
            "link-entity",
        )
    return own, theirs


def within(exists: Exists) -> Query:
    """Return the query for all records that an existence is asked of, whatever they hang on."""
    link = exists.link
    return Query(entity=link.entity, filter=link.filter, links=link.links)


def start_of(exists: Exists, place: Source, scope: Scope) -> Source:
    """Return the source whose record the records of an existence hang on."""
    source = scope.find(exists.alias, "filter") if exists.alias else place
    source.attribute(exists.link.to_attribute, "link-entity")
    return source


def hanging(exists: Exists, start: Source, inner: Scope) -> tuple[Attribute, Attribute]:
    """Return the attributes that must be equal: of the records asked for, and of their start."""
    return _joined_by(exists.link, inner.root, start)


@dataclass(frozen=True, slots=True)
class Bound:
    """A condition reduced to its predicate and the source whose record it is about."""

    source: Source
    predicate: Predicate


def bind(condition: Condition, place: Source, scope: Scope, context: Context) -> Bound:
    """Reduce a condition that stands in the filter of `place`."""
    source = scope.find(condition.alias, "condition") if condition.alias else place
    if place.link is not None and source is not place:
        raise InvalidRequest(
            f"The condition on '{condition.alias}.{condition.attribute}' stands in the filter of "
            f"link-entity '{place.entity.name}'. Move it to the filter of the entity.",
            "condition",
        )
    attribute = source.attribute(condition.attribute, "condition")
    other = source.attribute(condition.value_of, "condition") if condition.value_of else None
    return Bound(source, predicate(condition, attribute, other, context, source.entity))


def filter_of(source: Source, query: Query) -> Group:
    """Return the filter that stands in a source."""
    return query.filter if source.link is None else source.link.filter
