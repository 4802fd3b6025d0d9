"""Which records that are not written yet would be inside a filter.

The matcher decides, with those linked records that the server has now. What only the server can
tell (its user, a hierarchy) is taken to stay as it is; a new record is taken to be inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain

from connections.connectors.base import Connector, ReadRequest
from organizations.query.analysis import all_conditions, existences, needs_user
from organizations.query.context import Context
from organizations.query.matcher import Linked, matches
from organizations.query.nodes import Condition, Group, Link, Operator, Query
from organizations.query.operators import RULES
from organizations.records import Value
from organizations.schema import Entity
from syncjobs.engine.planning import records_of

_VALUES_PER_QUERY = 300
Values = Mapping[str, Value]


def inside(
    server: Connector, entity: Entity, query: Query, rows: Mapping[str, Values]
) -> set[str] | None:
    """Return the ids of those records that would be inside, None where only the server can tell."""
    if needs_user(query) or any(
        RULES[one.operator].is_hierarchical for one in all_conditions(query)
    ):
        return None
    linked = _LinkedRecords(server, entity)
    linked.gather(_links_of(query), list(rows.values()))
    if linked.is_hidden:
        return None
    context = Context()
    return {
        item
        for item, values in rows.items()
        if matches(query, values, entity, context=context, linked=linked)
    }


def has_links(query: Query) -> bool:
    """Return whether membership depends on other records."""
    return next(_links_of(query), None) is not None


class _LinkedRecords(Linked):
    """Those records of the server that the links of a query can lead to from some records.

    `is_hidden`: some of them cannot be read, though the server knows them.
    """

    def __init__(self, server: Connector, entity: Entity) -> None:
        self._server = server
        self._entities = {entity.name: entity}
        self._records: dict[str, dict[str, Values]] = {}
        self.is_hidden = False

    def entity(self, name: str) -> Entity:
        """Ask the server once."""
        if name not in self._entities:
            self._entities[name] = next(iter(self._server.describe([name])))
        return self._entities[name]

    def records(self, entity: str) -> Iterable[Values]:
        """Return what was gathered."""
        return self._records.get(entity, {}).values()

    def gather(self, links: Iterable[Link], parents: Sequence[Values]) -> None:
        """Read the records that links lead to, and those that theirs lead to."""
        for link in links:
            wanted = {str(row[link.to_attribute]) for row in parents if row.get(link.to_attribute)}
            found = list(self._with(link, sorted(wanted)))
            known = self._records.setdefault(link.entity, {})
            primary = self.entity(link.entity).primary_id
            known.update((str(values[primary]), values) for values in found)
            self.gather(_links_of(link), found)

    def _with(self, link: Link, wanted: Sequence[str]) -> Iterator[Values]:
        entity = self.entity(link.entity)
        attributes = tuple(item for item in entity.attributes if item.is_stored)
        for chunk in _chunks(wanted):
            condition = Condition(link.from_attribute, Operator.IN, tuple(chunk))
            query = Query(entity=entity.name, filter=Group(children=(condition,)))
            request = ReadRequest(entity=entity, attributes=attributes, query=query)
            for page in self._server.read(request):
                self.is_hidden |= bool(page.rejected)
                yield from (dict(zip(page.columns, row, strict=True)) for row in page.rows)


class Moved:
    """Finds records whose links lead to what would be written: their membership may change."""

    def __init__(
        self, before: Connector, after: Connector, written: Callable[[str], AbstractSet[str]]
    ) -> None:
        """`before` is the server as it is, `after` as it would be; `written` are ids by entity."""
        self._before, self._after, self._written = before, after, written
        self._entities: dict[str, Entity] = {}

    def of(self, entity: Entity, place: Query | Link) -> set[str]:
        """Return the ids of such records of `entity`, which stands in that place of a query."""
        found: set[str] = set()
        for link in _links_of(place):
            linked = self._entity(link.entity)
            ids = sorted(self._written(link.entity) | self.of(linked, link))
            values = self._values(linked, link.from_attribute, ids)
            found |= self._leading(entity, link.to_attribute, sorted(values))
        return found

    def _values(self, entity: Entity, attribute: str, ids: Sequence[str]) -> set[str]:
        """Return what the attribute of these records holds, before and after."""
        records = (
            records_of(side, entity, [attribute], chunk)
            for side in (self._before, self._after)
            for chunk in _chunks(ids)
        )
        found = (values.get(attribute) for page in records for _, values in page.values())
        return {str(value) for value in found if value is not None}

    def _leading(self, entity: Entity, attribute: str, values: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for chunk in _chunks(values):
            condition = Condition(attribute, Operator.IN, tuple(chunk))
            query = Query(entity=entity.name, filter=Group(children=(condition,)))
            found.update(item for page in self._before.ids(entity, query) for item in page)
        return found

    def _entity(self, name: str) -> Entity:
        if name not in self._entities:
            self._entities[name] = next(iter(self._before.describe([name])))
        return self._entities[name]


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _VALUES_PER_QUERY):
        yield items[start : start + _VALUES_PER_QUERY]


def _links_of(place: Query | Link) -> Iterator[Link]:
    return chain(place.links, (found.link for found in existences(place.filter)))
