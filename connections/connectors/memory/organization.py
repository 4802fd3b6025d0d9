"""The organization in memory: tables of rows with versions, and a log of changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from connections.connectors.memory.faults import Faults
from organizations.errors import AlreadyExists, NotFound, VersionMismatch
from organizations.records import Action, Row, Value
from organizations.schema import Entity, ManyToMany, columns
from organizations.values import parse

_NAMESPACE = UUID("7d5e2a54-25f4-4f0c-8f0e-0a9a3f6a7f11")


class Stored(NamedTuple):
    """A row in the order of `schema.columns(entity)`, and its version."""

    row: Row
    version: int


class Logged(NamedTuple):
    """One write of one record. `changes` is None where a connection wrote."""

    entity: str
    id: str
    action: Action
    version: int
    origin: str
    actor: str
    at: datetime
    changes: Mapping[str, tuple[Value, Value]] | None


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class MemoryOrganization:
    """One tenant in memory, with the semantics of a hosted one: versions in order, a change log.

    The log keeps old and new values of what people wrote, not of what a connection wrote.
    `page_size` caps the pages it serves, as servers do. Ids it gives out depend only on its name
    and on their order, so a test repeats exactly.
    """

    name: str
    entities: Mapping[str, Entity]
    page_size: int = 5000
    faults: Faults = field(default_factory=Faults)
    version: int = 0
    log: list[Logged] = field(default_factory=list)
    tables: dict[str, dict[str, Stored]] = field(default_factory=dict)
    known_since: int = 0
    user_id: str = ""
    clock: Callable[[], datetime] = _now
    _given: int = 0

    @classmethod
    def of(
        cls, name: str, entities: Iterable[Entity], *, page_size: int = 5000
    ) -> MemoryOrganization:
        """Make an organization that holds these entities, all empty."""
        known = {entity.name: entity for entity in entities}
        made = cls(name=name, entities=known, page_size=page_size)
        made.tables = {entity: {} for entity in known}
        made.user_id = made.new_id()
        return made

    @property
    def id(self) -> str:
        """The organization's id, a GUID that follows from its name."""
        return str(uuid5(_NAMESPACE, self.name))

    def new_id(self) -> str:
        """Return the next id."""
        self._given += 1
        return str(uuid5(_NAMESPACE, f"{self.name} {self._given}"))

    def entity(self, name: str) -> Entity:
        """Return the definition of an entity; raises NotFound."""
        if name not in self.entities:
            raise NotFound("entity", name)
        return self.entities[name]

    def get(self, entity: str, record_id: str) -> dict[str, Value]:
        """Return a record's values by column name; raises NotFound."""
        return dict(zip(self.column_names(entity), self.stored(entity, record_id).row, strict=True))

    def stored(self, entity: str, record_id: str) -> Stored:
        """Return a record's row and version; raises NotFound."""
        found = self.tables[self.entity(entity).name].get(record_id)
        if found is None:
            raise NotFound("record", record_id, entity)
        return found

    def column_names(self, entity: str) -> tuple[str, ...]:
        """Return the names of the columns of its rows."""
        return tuple(column.name for column in columns(self.entity(entity)))

    def create(
        self,
        entity: str,
        values: Mapping[str, object],
        *,
        id: str = "",
        origin: str = "",
        actor: str = "",
    ) -> str:
        """Add a record with values by column name and return its id; raises AlreadyExists."""
        record_id = id or self.new_id()
        if record_id in self.tables[self.entity(entity).name]:
            raise AlreadyExists(entity, record_id)
        row = self._row(entity, record_id, values, {})
        self._put(entity, row, Action.CREATE, origin, actor)
        return record_id

    def update(
        self,
        entity: str,
        record_id: str,
        values: Mapping[str, object],
        *,
        expected: int | None = None,
        origin: str = "",
        actor: str = "",
    ) -> int:
        """Change some values and return the new version; raises NotFound, VersionMismatch."""
        self._check(entity, record_id, expected)
        row = self._row(entity, record_id, values, self.get(entity, record_id))
        return self._put(entity, row, Action.UPDATE, origin, actor)

    def delete(
        self,
        entity: str,
        record_id: str,
        *,
        expected: int | None = None,
        origin: str = "",
        actor: str = "",
    ) -> int:
        """Remove a record and return the deletion's version; raises NotFound, VersionMismatch."""
        self._check(entity, record_id, expected)
        del self.tables[entity][record_id]
        return self._write_log(entity, record_id, Action.DELETE, origin, actor)

    def associate(self, relationship: str, id1: str, id2: str, *, origin: str = "") -> str:
        """Make a pair, or find it, and return the id of its row."""
        pair = self._relationship(relationship)
        found = self.pair_id(pair.intersect_entity, id1, id2)
        values = {pair.attribute1: id1, pair.attribute2: id2}
        return found or self.create(pair.intersect_entity, values, origin=origin)

    def disassociate(self, relationship: str, id1: str, id2: str, *, origin: str = "") -> None:
        """Remove a pair; raises NotFound."""
        pair = self._relationship(relationship)
        found = self.pair_id(pair.intersect_entity, id1, id2)
        self.delete(pair.intersect_entity, found, origin=origin)

    def pair_id(self, intersect: str, id1: Value, id2: Value) -> str:
        """Return the id of the row that holds this pair, or ''."""
        relationship = self.entity(intersect).intersect
        if relationship is None:
            return ""
        names = self.column_names(intersect)
        first, second = names.index(relationship.attribute1), names.index(relationship.attribute2)
        for record_id, stored in self.tables[intersect].items():
            if stored.row[first] == id1 and stored.row[second] == id2:
                return record_id
        return ""

    def expire_checkpoints(self) -> None:
        """Forget what changed until now: checkpoints older than that are no longer honoured."""
        self.known_since = self.version + 1
        self.version += 1

    def keep(self) -> Callable[[], None]:
        """Return what puts records, log and version back as they are now."""
        tables = {name: dict(table) for name, table in self.tables.items()}
        version, count = self.version, len(self.log)

        def restore() -> None:
            self.tables, self.version = tables, version
            del self.log[count:]

        return restore

    def write_row(self, entity: str, row: Row, action: Action, *, origin: str) -> int:
        """Store a whole row and return its version; the connector's door."""
        return self._put(entity, row, action, origin)

    def _relationship(self, name: str) -> ManyToMany:
        for entity in self.entities.values():
            for relationship in entity.many_to_many:
                if relationship.name == name:
                    return relationship
        raise NotFound("relationship", name)

    def _check(self, entity: str, record_id: str, expected: int | None) -> None:
        actual = self.stored(entity, record_id).version
        if expected is not None and expected != actual:
            raise VersionMismatch(entity, record_id, expected, actual)

    def _row(
        self, entity: str, record_id: str, values: Mapping[str, object], old: Mapping[str, Value]
    ) -> Row:
        definition = self.entity(entity)
        known = columns(definition)
        for name in values.keys() - {column.name for column in known}:
            raise NotFound("attribute", name, entity)
        new: dict[str, Value] = {**old, definition.primary_id: record_id}
        for column in known:
            if column.name in values:
                given = values[column.name]
                is_value = column.name == column.attribute.name
                new[column.name] = parse(column.attribute, given) if is_value else _name(given)
        return tuple(new.get(column.name) for column in known)

    def _put(self, entity: str, row: Row, action: Action, origin: str, actor: str = "") -> int:
        record_id, table = str(row[0]), self.tables[entity]
        changes = None
        if not origin:
            old = table[record_id].row if record_id in table else (None,) * len(row)
            pairs = zip(self.column_names(entity), old, row, strict=True)
            changes = {name: (before, now) for name, before, now in pairs if before != now}
        version = self._write_log(entity, record_id, action, origin, actor, changes)
        table[record_id] = Stored(row, version)
        return version

    def _write_log(
        self,
        entity: str,
        record_id: str,
        action: Action,
        origin: str,
        actor: str,
        changes: Mapping[str, tuple[Value, Value]] | None = None,
    ) -> int:
        self.version += 1
        self.log.append(
            Logged(entity, record_id, action, self.version, origin, actor, self.clock(), changes)
        )
        return self.version


def _name(given: object) -> Value:
    return None if given is None else str(given)
