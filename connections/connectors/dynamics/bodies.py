"""Bodies of writes: canonical values as the Web API wants them (dataverse.md §4.1, §4.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connections.connectors.dynamics.client import DynamicsClient, with_query
from connections.connectors.dynamics.columns import is_writable
from connections.connectors.dynamics.faults import fault
from connections.connectors.dynamics.states import STATES
from connections.errors import Rejected
from organizations.records import Value
from organizations.schema import (
    Attribute,
    AttributeType,
    ColumnPart,
    DateBehavior,
    Entity,
    OneToMany,
    columns,
)

Values = Mapping[str, Value]


@dataclass(slots=True)
class SetNames:
    """Set names of entities a write refers to, asked for once each."""

    client: DynamicsClient
    _known: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """Return the set name of an entity. Raises Rejected when there is no such entity."""
        if name not in self._known:
            path = f"EntityDefinitions(LogicalName='{name.replace(chr(39), chr(39) * 2)}')"
            reply = self.client.send("GET", with_query(path, select="EntitySetName"))
            if reply.status == 404:
                raise Rejected(f"The server has no entity '{name}' to refer to.", code="target")
            if reply.status != 200:
                raise fault(reply)
            self._known[name] = self.client.json_of(reply)["EntitySetName"]
        return self._known[name]


@dataclass(frozen=True, slots=True)
class Bodies:
    """Makes bodies for records of one entity."""

    entity: Entity
    sets: SetNames

    def body(self, values: Values, *, creating: bool) -> dict[str, Any]:
        """Return the body for these columns, without state and status.

        Attributes the metadata call read-only are left out, since Dataverse ignores them
        silently; empty values are left out of creates.
        """
        body: dict[str, Any] = {}
        for attribute in self._written(values, creating=creating):
            body.update(self._member(attribute, values[attribute.name], values))
        return body

    def names(self, values: Values, *, creating: bool) -> tuple[str, ...]:
        """Return the columns that `body` writes."""
        written = {item.name for item in self._written(values, creating=creating)}
        return tuple(name for name in values if name.removesuffix("__type") in written)

    def _written(self, values: Values, *, creating: bool) -> Iterator[Attribute]:
        for column in columns(self.entity):
            attribute = column.attribute
            if column.part is not ColumnPart.VALUE or column.name not in values:
                continue
            if attribute.is_primary_id or attribute.name in STATES:
                continue
            if attribute.type is AttributeType.PARTYLIST:
                continue
            if attribute.type is AttributeType.OWNER and values[column.name] is None:
                continue
            if creating and values[column.name] is None:
                continue
            if is_writable(attribute, creating=creating):
                yield attribute

    def reference(self, entity: str, record_id: Value) -> str:
        """Return the path of a record."""
        return f"{self.sets.of(entity)}({record_id})"

    def _member(self, attribute: Attribute, value: Value, values: Values) -> dict[str, Any]:
        if attribute.is_lookup:
            return self._lookup(attribute, value, values)
        is_free = attribute.date_behavior is DateBehavior.TIME_ZONE_INDEPENDENT
        if attribute.type is AttributeType.DATETIME and is_free and value is not None:
            return {attribute.name: f"{value}Z"}
        return {attribute.name: value}

    def _lookup(self, attribute: Attribute, value: Value, values: Values) -> dict[str, Any]:
        target = str(values.get(f"{attribute.name}__type") or next(iter(attribute.targets), ""))
        relationship = self._relationship(attribute, target)
        navigation = _navigation(relationship, attribute)
        if value is None:
            return {navigation: None}
        return {f"{navigation}@odata.bind": f"/{self.reference(target, value)}"}

    def _relationship(self, attribute: Attribute, target: str) -> OneToMany | None:
        known = [
            item for item in self.entity.many_to_one if item.referencing_attribute == attribute.name
        ]
        exact = (item for item in known if item.referenced_entity == target)
        return next(exact, known[0] if known else None)


def _navigation(relationship: OneToMany | None, attribute: Attribute) -> str:
    """An owner has one navigation whatever its kind; other names come from the relationship."""
    if attribute.type is AttributeType.OWNER or relationship is None:
        return attribute.name
    return relationship.referencing_navigation or attribute.name
