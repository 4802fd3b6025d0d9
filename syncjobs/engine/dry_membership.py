"""Which records that are not written yet would be inside a filter.

The matcher decides, with those linked records that the server has now. What only the server can
tell (its user, a hierarchy) is taken to stay as it is; a new record is taken to be inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from connections.connectors.base import Connector, ReadRequest
from organizations.query.analysis import all_conditions, existences, needs_user
from organizations.query.context import Context
from organizations.query.matcher import Linked, matches
from organizations.query.nodes import Condition, Group, Link, Operator, Query
from organizations.query.operators import RULES
from organizations.records import Value
from organizations.schema import Entity

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
    context = Context()
    return {
        item
        for item, values in rows.items()
        if matches(query, values, entity, context=context, linked=linked)
    }


class _LinkedRecords(Linked):
    """Those records of the server that the links of a query can lead to from some records."""

    def __init__(self, server: Connector, entity: Entity) -> None:
        self._server = server
        self._entities = {entity.name: entity}
        self._records: dict[str, dict[str, Values]] = {}

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
        for start in range(0, len(wanted), _VALUES_PER_QUERY):
            values = tuple(wanted[start : start + _VALUES_PER_QUERY])
            condition = Condition(link.from_attribute, Operator.IN, values)
            query = Query(entity=entity.name, filter=Group(children=(condition,)))
            request = ReadRequest(entity=entity, attributes=attributes, query=query)
            for page in self._server.read(request):
                yield from (dict(zip(page.columns, row, strict=True)) for row in page.rows)


def _links_of(place: Query | Link) -> Iterator[Link]:
    return chain(place.links, (found.link for found in existences(place.filter)))
