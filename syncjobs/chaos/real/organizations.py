"""Organizations of the database, of whose every write the ledger hears by their change log."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

import orjson
from django.db import transaction
from django.db.models import Max
from psycopg import sql

from connections.connectors.memory.faults import Faults
from organizations.catalog import define
from organizations.models import ChangeLog, TwinFault
from organizations.models import Organization as Row
from organizations.records import Action, RecordValue, Reference, Value
from organizations.schema import Entity, columns
from organizations.store import Store
from organizations.store.history import Entry
from organizations.tables import names as sql_names
from organizations.tables.database import run
from syncjobs.chaos.ledger import By, Ledger, Values, Write
from syncjobs.chaos.protocols import Given, Organization
from syncjobs.chaos.real import backups
from syncjobs.chaos.real.backups import Backup
from syncjobs.chaos.real.entities import NAMES
from syncjobs.chaos.real.users import TwinUser
from syncjobs.engine.values import Side

Records = dict[str, dict[str, dict[str, Value]]]
"""Entity → id → values by column."""

_POISONED, _BY_USER = "chaos_poisoned", "chaos.by_user"


class RealOrganization(Organization):
    """What both sides share: a mirror of the records, which follows the change log.

    `is_telling`: the statements that are sent now are of the mirror.
    """

    def __init__(self, side: Side, organization: Row, ledger: Ledger) -> None:
        """Of an organization whose tables are empty."""
        self.side, self.store, self.ledger = side, Store(organization), ledger
        self.faults = Faults()
        self.refused: dict[str, str] = {}
        self.refused_ever: set[str] = set()
        self.is_telling = False
        self._told = self.version
        self._records: Records = {name: {} for name in NAMES}
        self._given = 0

    # Looking

    @property
    def version(self) -> int:
        """The version of the last write; the organization's own number grows by attempts too."""
        rows = ChangeLog.objects.filter(organization=self.store.organization)
        return rows.aggregate(last=Max("version"))["last"] or 0

    @property
    def entities(self) -> Mapping[str, Entity]:
        """Definitions as they are now, without what is hidden."""
        self.store.catalog.refresh()
        return {name: self.entity(name) for name in NAMES}

    @property
    def tables(self) -> Mapping[str, Collection[str]]:
        """Ids of the records there are, oldest first, by entity."""
        return self._records

    def entity(self, name: str) -> Entity:
        """Return one definition, without what is hidden."""
        return shown(self.store.catalog.entity(name))

    def column_names(self, entity: str) -> tuple[str, ...]:
        """Return the names of an entity's columns."""
        self.store.catalog.refresh()
        return tuple(column.name for column in columns(self.entity(entity)))

    def values(self, entity: str, record_id: str) -> Values:
        """Return a record's values."""
        return self._records[entity][record_id]

    def objection(self, entity: str, values: Values) -> str:
        """Return why a user's values are too long, '' if they are not."""
        for column in columns(self.entity(entity)):
            length = column.attribute.max_length
            if length and len(str(values.get(column.name) or "")) > length:
                return f"'{column.name}' is longer than {length} characters."
        return ""

    # Telling

    def tell(self, by: By, *, meant: Collection[str] | None = None) -> None:
        """Tell the ledger what was written since the last time.

        What was not `meant`, where that is said, the organization wrote by itself.
        """
        self.is_telling = True
        try:
            entries, _ = self.store.entries(NAMES, self._told, limit=10_000)
            last = {entry.record: entry.version for entry in entries}
            for entry in entries:
                self._told = entry.version
                author = by if meant is None or entry.record in meant else By.SYSTEM
                self._take(entry, author, is_last=last[entry.record] == entry.version)
        finally:
            self.is_telling = False

    def refuse(self, record_id: str, reason: str) -> None:
        """Remember that a record was not accepted."""
        self.refused[record_id] = reason
        self.refused_ever.add(record_id)

    def _take(self, entry: Entry, by: By, *, is_last: bool) -> None:
        table = self._records[entry.entity]
        before = table.get(entry.record)
        after = None if entry.action == Action.DELETE else self._after(entry, before, is_last)
        if after is None:
            table.pop(entry.record, None)
        else:
            table[entry.record] = after
        self.refused.pop(entry.record, None)
        self.ledger.add(
            Write(self.side, by, entry.entity, entry.record, entry.version, before, after)
        )

    def _after(
        self, entry: Entry, before: dict[str, Value] | None, is_last: bool
    ) -> dict[str, Value]:
        wanted = self.column_names(entry.entity)
        found = self.store.fetch(entry.entity, wanted, [entry.record]) if is_last else []
        if found:
            return dict(zip(wanted, found[0], strict=False))
        # It was written again, or deleted, before we looked: the log tells what it was.
        told: dict[str, Any] = orjson.loads(entry.values or "{}")
        return {
            **(before or dict.fromkeys(wanted)),
            **{name: new for name, (_, new) in told.items()},
        }

    def _new_id(self) -> str:
        self._given += 1
        return str(uuid5(NAMESPACE_URL, f"{self.side} {self._given}"))

    @contextmanager
    def _by_user(self, meant: Collection[str] | None = None) -> Iterator[None]:
        try:
            yield
        finally:
            self.tell(By.USER, meant=meant)


class RealClient(RealOrganization):
    """The hosted client; its users write to the store."""

    def create(self, entity: str, values: Given, *, id: str = "", actor: str = "") -> str:
        """Make a record. Raises AlreadyExists."""
        record_id = id or self._new_id()
        with self._by_user(), unhindered():
            self.store.create(entity, self._given_values(entity, values), id=record_id, actor=actor)
        return record_id

    def update(self, entity: str, record_id: str, values: Given, *, actor: str = "") -> int:
        """Change a record."""
        with self._by_user(), unhindered():
            given = self._given_values(entity, values)
            self.store.update(entity, record_id, given, actor=actor)
        return self._told

    def delete(self, entity: str, record_id: str, *, actor: str = "") -> int:
        """Remove a record."""
        with self._by_user():
            self.store.delete(entity, record_id, actor=actor)
        return self._told

    def associate(self, relationship: str, id1: str, id2: str) -> object:
        """Make a pair, with an id that is the same in every play."""
        with self._by_user():
            if not self.store.pair_id(relationship, id1, id2):
                return self.create("accounttag", {"accountid": id1, "tagid": id2}, actor="user")
        return None

    def alter(self, entity: Entity) -> None:
        """Refuse: only Update Server changes a client's definitions."""
        raise NotImplementedError(entity.name)

    def poison(self) -> None:
        """Let the tables refuse the records that are always rejected, from all but users."""
        ids = [sql.Literal(item) for item in sorted(self.faults.always_rejected)]
        for name in NAMES:
            table = sql_names.table(self.store.organization.schema, name)
            key = sql_names.column(self.entity(name).primary_id)
            constraint = sql.Identifier(_POISONED)
            run(sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}").format(table, constraint))
            if ids:
                add = sql.SQL(
                    "ALTER TABLE {} ADD CONSTRAINT {} CHECK ({}::text NOT IN ({}) "
                    "OR current_setting({}, true) = 'yes') NOT VALID"
                )
                listed = sql.SQL(", ").join(ids)
                run(add.format(table, constraint, key, listed, sql.Literal(_BY_USER)))

    def _given_values(self, entity: str, values: Given) -> dict[str, RecordValue]:
        found: dict[str, RecordValue] = {}
        for attribute in self.entity(entity).attributes:
            name = attribute.name
            if name not in values:
                continue
            value = values[name]
            if attribute.is_lookup and value is not None:
                target = str(values.get(f"{name}__type") or attribute.targets[0])
                found[name] = Reference(target, str(value))
            else:
                found[name] = cast(Value, value)
        return found


class RealServer(RealOrganization):
    """The Dynamics twin; its users write by its Web API.

    `is_altered`: its definitions were changed since the client took them over. `_used` is the
    last version of a time that was undone by a restored backup: no version of it is given twice.
    """

    def __init__(self, organization: Row, ledger: Ledger, user: TwinUser) -> None:
        """`user` is logged in."""
        super().__init__(Side.SERVER, organization, ledger)
        self._user, self._used = user, 0
        self.is_altered = False

    def create(self, entity: str, values: Given, *, id: str = "", actor: str = "") -> str:
        """Make a record. Raises AlreadyExists."""
        record_id = id or self._new_id()
        with self._writing():
            self._user.create(self.entity(entity), record_id, values)
        return record_id

    def update(self, entity: str, record_id: str, values: Given, *, actor: str = "") -> int:
        """Change a record."""
        with self._writing():
            self._user.update(self.entity(entity), record_id, values)
        return self._told

    def delete(self, entity: str, record_id: str, *, actor: str = "") -> int:
        """Remove a record, and what the twin removes with it."""
        with self._writing(meant=(record_id,)):
            definition = self.entity(entity)
            if definition.intersect is not None:
                self._user.unlink(definition.intersect, self.values(entity, record_id))
            else:
                self._user.delete(definition, record_id)
        return self._told

    def associate(self, relationship: str, id1: str, id2: str) -> object:
        """Make a pair, with an id that is the same in every play."""
        with self._writing():
            if not self.store.pair_id(relationship, id1, id2):
                values: dict[str, RecordValue] = {"accountid": id1, "tagid": id2}
                self.store.create("accounttag", values, id=self._new_id())
        return None

    def alter(self, entity: Entity) -> None:
        """Give an entity another definition."""
        define(self.store.organization, [entity])
        self.is_altered = True

    def go_on(self) -> None:
        """Before a write: pass over the versions that were given already."""
        if self._used:
            if backups.last(self.store.organization) < self._used:
                backups.move(self.store.organization, self._used)
            self._used = 0

    def restore(self, backup: Backup) -> None:
        """Become what it was; what came since is gone, by nobody's doing."""
        self._used = max(self._used, backups.last(self.store.organization))
        backups.restore(self.store.organization, backup)
        self._told = self.version
        for name in NAMES:
            self._restore_table(name)

    def _restore_table(self, name: str) -> None:
        wanted, now = self.column_names(name), self._records[name]
        rows = self.store.page(name, wanted, limit=10_000)
        kept = {str(row[0]): dict(zip(wanted, row, strict=False)) for row in rows}
        self._records[name] = kept
        # What goes is told first: a pair is there once, whichever row holds it.
        for item in sorted(now.keys() | kept.keys(), key=lambda item: (item in kept, item)):
            before, after = now.get(item), kept.get(item)
            if before != after:
                write = Write(self.side, By.SYSTEM, name, item, self._told, before, after)
                self.ledger.add(write)

    @contextmanager
    def _writing(self, meant: Collection[str] | None = None) -> Iterator[None]:
        self.go_on()
        with self._by_user(meant), self.fair():
            yield

    @contextmanager
    def fair(self) -> Iterator[None]:
        """Let the twin's faults strike nobody meanwhile: users try until they succeed."""
        found = TwinFault.objects.filter(organization=self.store.organization, is_on=True)
        kinds = list(found.values_list("pk", flat=True))
        faults = TwinFault.objects.filter(pk__in=kinds)
        if kinds:
            faults.update(is_on=False)
        try:
            yield
        finally:
            if kinds:
                faults.update(is_on=True)


def shown(entity: Entity) -> Entity:
    """Return a definition without hidden attributes."""
    visible = tuple(item for item in entity.attributes if not item.is_hidden)
    return replace(entity, attributes=visible)


@contextmanager
def unhindered() -> Iterator[None]:
    """Let a user write what is refused from others."""
    with transaction.atomic():
        run("SELECT set_config(%s, 'yes', true)", [_BY_USER])
        yield
