"""What Resco's plug-ins for Dynamics record at the source: deletions, N:N removals, new owners.

The name of the entity is published (resco.md §4.5), its fields are not: this layout is assumed, and
stands here and in `connections.connectors.dynamics.tracking` only. A row names an entity, a record
and what happened to it. A row that names no record tells what is tracked from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from functools import cached_property

from organizations.catalog import Catalog
from organizations.models import TwinTracking
from organizations.records import RecordValue, Value
from organizations.schema import (
    VERSION,
    Attribute,
    AttributeType,
    Entity,
    Label,
    ManyToMany,
    Option,
    OptionSet,
    Ownership,
)
from organizations.store import Store, reading, versions
from organizations.store.layout import layout
from organizations.store.singles import SingleWriter

ENTITY = "resco_mobiletracking"
LABEL = "Mobile Tracking"
_T = AttributeType


class Operation(IntEnum):
    """What a row tells of."""

    CONFIGURATION = 0
    DELETE = 1
    DISASSOCIATE = 2
    OWNER = 3


def entity() -> Entity:
    """Return the definition of the entity that the rows are records of."""
    key = f"{ENTITY}id"
    return Entity(
        name=ENTITY,
        schema_name=ENTITY,
        set_name="resco_mobiletrackings",
        primary_id=key,
        primary_name="resco_name",
        label=_label(LABEL),
        collection_label=_label(LABEL),
        ownership=Ownership.ORGANIZATION,
        is_custom=True,
        tracks_changes=True,
        attributes=(
            _attribute(key, "Mobile Tracking", _T.UNIQUEIDENTIFIER, is_primary_id=True),
            _attribute("resco_name", "Name", _T.STRING, max_length=200, is_primary_name=True),
            _attribute("resco_entityname", "Entity", _T.STRING, max_length=128),
            _attribute("resco_recordid", "Record", _T.STRING, max_length=36),
            _attribute("resco_operation", "Operation", _T.PICKLIST, option_set=_operations()),
            _attribute("resco_configuration", "Tracked", _T.MEMO, max_length=1_048_576),
            Attribute(
                name=VERSION,
                type=_T.BIGINT,
                label=_label("Version Number"),
                is_creatable=False,
                is_updatable=False,
            ),
        ),
    )


def _attribute(name: str, text: str, kind: AttributeType, **more: object) -> Attribute:
    return Attribute(
        name=name,
        schema_name=name,
        type=kind,
        label=_label(text),
        is_custom=name.startswith("resco_"),
        **more,  # type: ignore[arg-type]
    )


def _operations() -> OptionSet:
    options = tuple(
        Option(value=item.value, label=_label(item.name.capitalize())) for item in Operation
    )
    return OptionSet(name=f"{ENTITY}_resco_operation", options=options)


def _label(text: str) -> Label:
    return Label.of({1033: text})


class TrackedStore(Store):
    """The records of a twin as its services write them: with the plug-ins at work."""

    def _writer(self, actor: str, origin: str) -> SingleWriter:
        return _TrackedWriter(self.catalog, self._tracked, actor=actor, origin=origin)

    @cached_property
    def _tracked(self) -> TwinTracking | None:
        return TwinTracking.objects.filter(organization=self.organization).first()


class _TrackedWriter(SingleWriter):
    """Writes a row of ENTITY in the transaction of each write that is tracked."""

    def __init__(
        self, catalog: Catalog, tracked: TwinTracking | None, *, actor: str, origin: str
    ) -> None:
        super().__init__(catalog, actor=actor, origin=origin)
        self._tracked = tracked

    def update(
        self,
        entity_name: str,
        record_id: str,
        given: Mapping[str, RecordValue],
        expected: int | None,
    ) -> None:
        """Change some values; a new owner is recorded."""
        owner = self._owner_attribute(entity_name, given)
        before = self._value(entity_name, owner, record_id) if owner else None
        super().update(entity_name, record_id, given, expected)
        if owner and self._value(entity_name, owner, record_id) != before:
            self._record(Operation.OWNER, entity_name, record_id)

    def delete(self, entity_name: str, record_id: str, expected: int | None) -> None:
        """Move a record to the recycle bin; it is recorded as a deletion or as a removed pair."""
        super().delete(entity_name, record_id, expected)
        if self._tracked is None:
            return
        intersect = self.catalog.entity(entity_name).intersect
        if is_tracked_pair(intersect, self._tracked):
            self._record(Operation.DISASSOCIATE, entity_name, record_id)
        elif entity_name in self._tracked.deletes:
            self._record(Operation.DELETE, entity_name, record_id)

    def _owner_attribute(self, name: str, given: Mapping[str, RecordValue]) -> str:
        if self._tracked is None or name not in self._tracked.owners:
            return ""
        return next((item for item in given if item == owner_of(self.catalog.entity(name))), "")

    def _value(self, name: str, attribute: str, record_id: str) -> Value:
        # Under the lock, so that nobody else changes the owner between the two looks.
        versions.take(self.catalog, 0)
        rows = reading.by_id(layout(self.catalog, name), [attribute], [record_id])
        return rows[0][0] if rows else None

    def _record(self, operation: Operation, name: str, record_id: str) -> None:
        self.create(
            ENTITY,
            {
                "resco_name": f"{operation.name.lower()} {name} {record_id}",
                "resco_entityname": name,
                "resco_recordid": record_id,
                "resco_operation": operation.value,
            },
            None,
        )


def owner_of(entity: Entity) -> str:
    """Return the name of the attribute that says who owns a record; '' where nobody does."""
    found = (item.name for item in entity.attributes if item.type is AttributeType.OWNER)
    return next(found, "")


def is_tracked_pair(intersect: ManyToMany | None, tracked: TwinTracking) -> bool:
    """Return whether removed pairs of a relationship are recorded."""
    return intersect is not None and intersect.name in tracked.relationships
