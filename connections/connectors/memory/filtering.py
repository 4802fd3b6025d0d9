"""Whether a record in memory is inside a filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from connections.connectors.memory.organization import MemoryOrganization
from organizations.query.context import Context
from organizations.query.matcher import matches
from organizations.query.nodes import Query
from organizations.records import Row, Value
from organizations.schema import Entity


def is_inside(organization: MemoryOrganization, query: Query, row: Row, *, now: datetime) -> bool:
    """Return whether the record is inside the filter at that time."""
    names = organization.column_names(query.entity)
    return matches(
        query,
        dict(zip(names, row, strict=True)),
        organization.entity(query.entity),
        context=Context(now=now),
        linked=_Linked(organization),
    )


class _Linked:
    """The organization as the matcher asks for linked records."""

    def __init__(self, organization: MemoryOrganization) -> None:
        self._organization = organization

    def entity(self, name: str) -> Entity:
        return self._organization.entity(name)

    def records(self, entity: str) -> Iterable[Mapping[str, Value]]:
        names = self._organization.column_names(entity)
        for stored in self._organization.tables[entity].values():
            yield dict(zip(names, stored.row, strict=True))
