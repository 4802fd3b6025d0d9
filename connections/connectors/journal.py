"""What others wrote to a hosted organization, from its change log (design decision 4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import orjson

from connections.connectors.base import Edit, Edits
from connections.errors import CheckpointExpired
from organizations.errors import NotFound
from organizations.records import Action, Value
from organizations.schema import Column, ColumnPart, columns
from organizations.store import Store
from organizations.store.history import Entry
from organizations.values import InvalidValue, parse

Changes = Mapping[str, tuple[Value, Value]]


class Journal:
    """The change log of one organization without what one origin wrote."""

    def __init__(self, store: Store, origin: str) -> None:
        """`origin` is the id of the connection whose own writes are left out."""
        self._store, self._origin = store, origin
        self._columns: dict[str, dict[str, Column]] = {}

    def edits(self, names: Collection[str], since: int, limit: int) -> Edits:
        """Return at most `limit` edits after `since`. Raises CheckpointExpired."""
        entries, last = self._store.entries(
            names, since, exclude_origin=self._origin, limit=limit + 1
        )
        if since > last:
            raise CheckpointExpired(
                f"The client was read up to version {since}, but its last version is {last}: it "
                "is an older copy of itself. If that is meant, run a full synchronization."
            )
        told, is_last = entries[:limit], len(entries) <= limit
        if told:
            self._store.catalog.refresh()
        until = last if is_last else told[-1].version
        return Edits(items=[self._edit(entry) for entry in told], until=until, is_last=is_last)

    def _edit(self, entry: Entry) -> Edit:
        return Edit(
            entity=entry.entity,
            id=entry.record,
            action=Action(entry.action),
            version=entry.version,
            actor=entry.actor,
            at=entry.at,
            changes=None if entry.values is None else self._changes(entry.entity, entry.values),
        )

    def _changes(self, entity: str, text: str) -> Changes | None:
        """Return the canonical values before and after, without columns that are gone.

        None where a value no longer fits its attribute, because the attribute's type changed.
        """
        known = self._known(entity)
        pairs: dict[str, list[object]] = orjson.loads(text)
        try:
            return {
                name: (_value(known[name], old), _value(known[name], new))
                for name, (old, new) in pairs.items()
                if name in known
            }
        except InvalidValue:
            return None

    def _known(self, entity: str) -> dict[str, Column]:
        if entity not in self._columns:
            try:
                found = columns(self._store.catalog.entity(entity))
            except NotFound:
                found = ()
            self._columns[entity] = {column.name: column for column in found}
        return self._columns[entity]


def _value(column: Column, value: object) -> Value:
    if column.part is ColumnPart.TARGET:
        return None if value is None else str(value)
    return parse(column.attribute, value)
