"""The linked records that a filter needs to be explained, fetched from the server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from connections.connectors.base import Connector, ReadRequest
from organizations.query.analysis import all_conditions, existences
from organizations.query.nodes import Condition, Exists, Group, Link, Operator, Query
from organizations.query.operators import RULES
from organizations.records import Value
from organizations.schema import Entity

MOST = 200
"""Of more records linked by one link, the rest is not looked at."""

Values = Mapping[str, Value]


@dataclass(slots=True)
class Gathered:
    """Linked records as the matcher asks for them; `cut` names entities of which some are left."""

    server: Connector
    schema: Callable[[str], Entity]
    cut: set[str] = field(default_factory=set)
    _records: dict[str, dict[str, Values]] = field(default_factory=lambda: defaultdict(dict))

    def entity(self, name: str) -> Entity:
        """Return the metadata of an entity; raises NotFound."""
        return self.schema(name)

    def records(self, entity: str) -> Iterable[Values]:
        """Return what was fetched of an entity."""
        return self._records[entity].values()

    def gather(self, query: Query, values: Values) -> None:
        """Fetch what the links of the query lead to from this record. Raises connector errors."""
        used = {condition.attribute for condition in all_conditions(query)}
        used |= {condition.value_of for condition in all_conditions(query)}
        self._follow(query.links, query.filter, [values], {"": [values]}, used)

    def _follow(
        self,
        links: Iterable[Link],
        group: Group,
        here: list[Values],
        known: dict[str, list[Values]],
        used: set[str],
    ) -> None:
        """Fetch link by link; `known` are the records by alias, for what hangs on an alias."""
        for link in links:
            found = self._fetch(link, here, used)
            known = {**known, link.alias or link.entity: found}
            self._follow(link.links, link.filter, found, known, used)
        for exists in existences(group):
            self._follow_existence(exists, here, known, used)

    def _follow_existence(
        self,
        exists: Exists,
        here: list[Values],
        known: dict[str, list[Values]],
        used: set[str],
    ) -> None:
        start = known.get(exists.alias, here) if exists.alias else here
        found = self._fetch(exists.link, start, used)
        self._follow(exists.link.links, exists.link.filter, found, {"": found}, used)

    def _fetch(self, link: Link, start: list[Values], used: set[str]) -> list[Values]:
        wanted = {values.get(link.to_attribute) for values in start} - {None}
        if not wanted:
            return []
        entity = self.schema(link.entity)
        joins = {one.to_attribute for one in link.links} | {link.from_attribute}
        joins |= {one.link.to_attribute for one in existences(link.filter)}
        named = {entity.primary_id, *joins, *used}
        attributes = tuple(item for item in entity.attributes if item.name in named)
        values = tuple(value for value in wanted if value is not None)
        condition = Condition(link.from_attribute, Operator.IN, values)  # type: ignore[arg-type]
        query = Query(entity=link.entity, filter=Group(children=(condition,)))
        request = ReadRequest(entity=entity, attributes=attributes, query=query, page_size=MOST)
        found: list[Values] = []
        for page in self.server.read(request):
            found += [dict(zip(page.columns, row, strict=True)) for row in page.rows]
            if len(found) >= MOST:
                self.cut.add(link.entity)
                break
        self._records[link.entity] |= {str(one[entity.primary_id]): one for one in found[:MOST]}
        return found[:MOST]


def only_the_server(condition: Condition) -> str:
    """Say why a condition cannot be decided here; empty where it can."""
    rule = RULES[condition.operator]
    if rule.needs_user:
        return "only the server can tell, because it means the user that signs in"
    if rule.is_hierarchical:
        return "only the server can tell, because it goes through a whole hierarchy"
    return ""
