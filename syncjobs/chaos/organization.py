"""An organization in memory that writes down who wrote what, and has rules of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from connections.connectors.memory import MemoryOrganization
from connections.connectors.memory.organization import Stored
from organizations.records import Action, Row, Value
from organizations.schema import AttributeType, Entity, columns
from syncjobs.chaos.ledger import By, Ledger, Values, Write
from syncjobs.chaos.schema import MODIFIED, PAIR
from syncjobs.engine.values import Side

CONNECTION = "5f1e7d0c-0000-4000-8000-000000000001"
"""Origin of all that the engine writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """All records of an organization, the columns they were stored in, and the last version."""

    columns: Mapping[str, Sequence[str]]
    tables: Mapping[str, Mapping[str, Stored]]
    version: int


@dataclass
class WatchedOrganization(MemoryOrganization):
    """Tells `ledger` of every write, and stamps records with the time of its clock.

    A `strict` one refuses references to records that it does not have, and a deletion clears what
    refers to the record and takes its pairs along, as Dataverse does. `refused` keeps why a
    record was not accepted, or not shown, by id, until it is; `refused_ever` are all of them.
    `used` are versions of times that were undone by a restored backup; none is given twice.
    """

    side: Side = Side.SERVER
    ledger: Ledger = field(default_factory=Ledger)
    strict: bool = False
    refused: dict[str, str] = field(default_factory=dict)
    refused_ever: set[str] = field(default_factory=set)
    used: set[int] = field(default_factory=set)
    by: By = By.USER
    _names: dict[str, tuple[Entity, tuple[str, ...]]] = field(default_factory=dict)

    def column_names(self, entity: str) -> tuple[str, ...]:
        """Return the names of the columns of its rows, which are found once for a definition."""
        definition = self.entity(entity)
        if entity not in self._names or self._names[entity][0] is not definition:
            self._names[entity] = (definition, super().column_names(entity))
        return self._names[entity][1]

    def objection(self, entity: str, values: Values) -> str:
        """Return why these values would not be accepted, '' if they would."""
        for column in columns(self.entity(entity)):
            value, attribute = values.get(column.name), column.attribute
            if attribute.max_length and len(str(value or "")) > attribute.max_length:
                return f"'{column.name}' is longer than {attribute.max_length} characters."
        if not self.strict:
            return ""
        for name, target, record_id in references(self.entity(entity), values):
            if record_id not in self.tables.get(target, {}):
                return f"'{name}' refers to {target} {record_id}, which does not exist."
        return ""

    def alter(self, entity: Entity) -> None:
        """Give an entity another definition; values of attributes that stay are kept."""
        old = self.column_names(entity.name)
        self.entities = {**self.entities, entity.name: entity}
        self.tables[entity.name] = self._fitted(entity.name, self.tables[entity.name], old)

    def _fitted(
        self, entity: str, records: Mapping[str, Stored], columns: Sequence[str]
    ) -> dict[str, Stored]:
        """Return records that were stored in other columns in those that the entity has now."""
        found = {}
        for record_id, stored in records.items():
            values = dict(zip(columns, stored.row, strict=True))
            row = tuple(values.get(name) for name in self.column_names(entity))
            found[record_id] = Stored(row, stored.version)
        return found

    def backup(self) -> Backup:
        """Return a copy of all records."""
        return Backup(
            columns={name: tuple(self.column_names(name)) for name in self.tables},
            tables={name: dict(table) for name, table in self.tables.items()},
            version=self.version,
        )

    def restore(self, backup: Backup) -> None:
        """Become what it was, version and all, but for definitions; what came since is gone."""
        version = backup.version
        self.used.update(range(version + 1, self.version + 1))
        for name in self.tables:
            self._restore_table(name, backup.tables[name], backup.columns[name])
        self.version, self.known_since = version, min(self.known_since, version)
        self.log = [change for change in self.log if change.version <= version]

    def _restore_table(
        self, entity: str, then: Mapping[str, Stored], columns: Sequence[str]
    ) -> None:
        now, kept = self.tables[entity], self._fitted(entity, then, columns)
        self.tables[entity] = kept
        # What goes is told first: a pair is there once, whichever row holds it.
        for record_id in sorted(now.keys() | kept.keys(), key=lambda item: (item in kept, item)):
            before, after = now.get(record_id), kept.get(record_id)
            if before != after:
                self._tell(entity, record_id, before, after, By.SYSTEM)

    def delete(
        self,
        entity: str,
        record_id: str,
        *,
        expected: int | None = None,
        origin: str = "",
        actor: str = "",
    ) -> int:
        """Remove a record; a strict organization also removes what hung on it."""
        before = self.tables[entity].get(record_id)
        version = super().delete(entity, record_id, expected=expected, origin=origin, actor=actor)
        self._tell(entity, record_id, before, None, self._author(origin))
        self.refused.pop(record_id, None)
        self.faults.unreadable.discard(record_id)  # what nobody could read is gone with it
        if self.strict:
            self._let_go(entity, record_id)
        return version

    def _let_go(self, gone: str, record_id: str) -> None:
        author, self.by = self.by, By.SYSTEM
        for name, definition in self.entities.items():
            for item, stored in list(self.tables[name].items()):
                values = dict(zip(self.column_names(name), stored.row, strict=True))
                found = [
                    column
                    for column, target, value in references(definition, values)
                    if target == gone and value == record_id
                ]
                if found and name == PAIR:
                    self.delete(name, item)
                elif found:
                    empty = {f"{column}{end}": None for column in found for end in ("", "__type")}
                    known = {name: value for name, value in empty.items() if name in values}
                    self._put(name, self._merged(name, values, known), Action.UPDATE, "")
        self.by = author

    def _merged(self, entity: str, values: Values, changed: Values) -> Row:
        return tuple({**values, **changed}.get(name) for name in self.column_names(entity))

    def _put(self, entity: str, row: Row, action: Action, origin: str, actor: str = "") -> int:
        before = self.tables[entity].get(str(row[0]))
        if self.side is Side.SERVER or origin != CONNECTION:
            row = self._stamped(entity, row)
        version = super()._put(entity, row, action, origin, actor)
        self._tell(entity, str(row[0]), before, Stored(row, version), self._author(origin))
        self.refused.pop(str(row[0]), None)
        return version

    def _stamped(self, entity: str, row: Row) -> Row:
        names = self.column_names(entity)
        if MODIFIED not in names:
            return row
        moment = self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        return tuple(moment if name == MODIFIED else row[at] for at, name in enumerate(names))

    def _write_log(
        self,
        entity: str,
        record_id: str,
        action: Action,
        origin: str,
        actor: str,
        changes: Mapping[str, tuple[Value, Value]] | None = None,
    ) -> int:
        while self.version + 1 in self.used:
            self.version += 1
        return super()._write_log(entity, record_id, action, origin, actor, changes)

    def _author(self, origin: str) -> By:
        return By.ENGINE if origin == CONNECTION else self.by

    def _tell(
        self, entity: str, record_id: str, before: Stored | None, after: Stored | None, by: By
    ) -> None:
        self.ledger.add(
            Write(
                side=self.side,
                by=by,
                entity=entity,
                id=record_id,
                version=after.version if after else self.version,
                before=self._named(entity, before),
                after=self._named(entity, after),
            )
        )

    def _named(self, entity: str, stored: Stored | None) -> dict[str, Value] | None:
        if stored is None:
            return None
        return dict(zip(self.column_names(entity), stored.row, strict=True))


def references(entity: Entity, values: Values) -> list[tuple[str, str, str]]:
    """Return (attribute, target entity, id) of all that a record refers to."""
    found = []
    pair = entity.intersect
    for attribute in entity.attributes:
        value = values.get(attribute.name)
        if value is None:
            continue
        if pair is not None and attribute.name in (pair.attribute1, pair.attribute2):
            target = pair.entity1 if attribute.name == pair.attribute1 else pair.entity2
            found.append((attribute.name, target, str(value)))
        elif attribute.is_lookup and attribute.type is not AttributeType.PARTYLIST:
            target = cast(str, values.get(f"{attribute.name}__type") or attribute.targets[0])
            found.append((attribute.name, target, str(value)))
    return found
