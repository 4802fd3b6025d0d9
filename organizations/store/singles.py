"""Writing one record: checked, versioned, logged with its old and new values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import uuid4

import orjson
from django.db import DataError
from psycopg import sql

from organizations.catalog import Catalog
from organizations.errors import AlreadyExists, InvalidRequest, VersionMismatch
from organizations.notifications import announce
from organizations.records import Action, RecordValue, Value
from organizations.schema import VERSION
from organizations.store import checking, parties, reading, versions
from organizations.store.checking import Flat
from organizations.store.layout import Layout, layout, missing
from organizations.tables import names
from organizations.tables.database import run

_LOG = sql.SQL(
    "INSERT INTO organizations_changelog "
    "(organization_id, version, entity, record, action, origin, actor, values, at) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, now())"
)
_INSERT = sql.SQL("INSERT INTO {} ({}, {}) VALUES ({}, %s) ON CONFLICT DO NOTHING")
_UPDATE = sql.SQL("UPDATE {} SET {}{} = %s WHERE {} = %s")
_DELETE = sql.SQL(
    "WITH gone AS (DELETE FROM {table} t WHERE {key} = %(id)s "
    "RETURNING to_jsonb(t) AS document) "
    "INSERT INTO organizations_deletedrecord "
    "(organization_id, entity, record, version, origin, actor, document, at) "
    "SELECT %(organization)s, %(entity)s, %(id)s, %(version)s, %(origin)s, %(actor)s, document, "
    "now() FROM gone"
)


class SingleWriter:
    """One transaction's writes of single records; makes its own version for each."""

    def __init__(self, catalog: Catalog, *, actor: str = "", origin: str = "") -> None:
        """Write as `actor` (a user's name), on behalf of `origin` (a connection's id)."""
        self.catalog, self.actor, self.origin = catalog, actor, origin

    def create(
        self, entity_name: str, given: Mapping[str, RecordValue], record_id: str | None
    ) -> str:
        """Insert a record and return its id. Raises AlreadyExists, InvalidRequest."""
        version = versions.take(self.catalog)
        place = _writable(self.catalog, entity_name)
        flat = _identified(place, checking.flatten(place.entity, given), record_id)
        flat = checking.complete(place.entity, flat)
        self._insert(place, flat, version)
        return str(flat[place.entity.primary_id])

    def update(
        self,
        entity_name: str,
        record_id: str,
        given: Mapping[str, RecordValue],
        expected: int | None,
    ) -> None:
        """Change some values. Raises NotFound, VersionMismatch, InvalidRequest."""
        version = versions.take(self.catalog)
        place = _writable(self.catalog, entity_name)
        before = self._before(place, record_id, expected)
        flat = checking.flatten(place.entity, given)
        if flat.pop(place.entity.primary_id, record_id) != record_id:
            raise InvalidRequest("The id of a record cannot be changed.", place.entity.primary_id)
        flat = checking.complete(place.entity, flat, before)
        assignments = [sql.SQL("{} = %s, ").format(names.column(name)) for name in flat]
        statement = _UPDATE.format(
            place.table, sql.SQL("").join(assignments), names.column(VERSION), place.key
        )
        _write(statement, [*flat.values(), version, record_id], flat)
        self._log(place, record_id, Action.UPDATE, version, _difference(before, flat))
        self._finish(place, record_id, flat, version)

    def delete(self, entity_name: str, record_id: str, expected: int | None) -> None:
        """Move a record to the recycle bin. Raises NotFound, VersionMismatch."""
        version = versions.take(self.catalog)
        place = _writable(self.catalog, entity_name)
        self._before(place, record_id, expected)
        parameters = {
            "organization": self.catalog.organization.pk,
            "entity": place.entity.name,
            "id": record_id,
            "version": version,
            "origin": self.origin,
            "actor": self.actor,
        }
        run(_DELETE.format(table=place.table, key=place.key), parameters)
        self._log(place, record_id, Action.DELETE, version, None)
        parties.remove_orphans(self.catalog, place, [record_id])
        written = range(version, version + 1)
        announce(self.catalog.organization, origin=self.origin, versions=written)

    def exists(self, entity_name: str, record_id: str) -> bool:
        """Return whether the record is there, once the organization is ours."""
        versions.take(self.catalog, 0)
        place = layout(self.catalog, entity_name)
        return bool(reading.by_id(place, [place.entity.primary_id], [record_id]))

    def _insert(self, place: Layout, flat: Flat, version: int) -> None:
        record_id = str(flat[place.entity.primary_id])
        statement = _INSERT.format(
            place.table,
            sql.SQL(", ").join(map(names.column, flat)),
            names.column(VERSION),
            sql.SQL(", ").join(sql.Placeholder() * len(flat)),
        )
        if not _write(statement, [*flat.values(), version], flat):
            raise AlreadyExists(place.entity.name, record_id)
        self._log(place, record_id, Action.CREATE, version, _difference({}, flat))
        self._finish(place, record_id, flat, version)

    def _before(self, place: Layout, record_id: str, expected: int | None) -> Flat:
        rows = reading.by_id(place, list(place.columns), [record_id])
        if not rows:
            raise missing(place, record_id)
        *row, version = rows[0]
        if expected is not None and version != expected:
            raise VersionMismatch(place.entity.name, record_id, expected, int(version or 0))
        return dict(zip(place.columns, row, strict=True))

    def _log(
        self, place: Layout, record_id: str, action: Action, version: int, difference: bytes | None
    ) -> None:
        organization, entity = self.catalog.organization.pk, place.entity.name
        values = None if self.origin or difference is None else difference.decode()
        whole = [organization, version, entity, record_id, action.value]
        run(_LOG, [*whole, self.origin, self.actor, values])

    def _finish(self, place: Layout, record_id: str, flat: Flat, version: int) -> None:
        if set(place.party_lists) & flat.keys():
            parties.rewrite(self.catalog, place, [record_id])
        written = range(version, version + 1)
        announce(self.catalog.organization, origin=self.origin, versions=written)


def _write(statement: sql.Composable, parameters: Sequence[object], flat: Flat) -> int:
    """Carry out a statement; a value that no column can hold is the caller's mistake."""
    try:
        return run(statement, parameters)
    except (DataError, UnicodeEncodeError) as error:
        told = f"{', '.join(flat)}: {str(error).splitlines()[0]}"
        raise InvalidRequest(
            f"A value cannot be stored, of one of {told}.", next(iter(flat), "")
        ) from error


def _writable(catalog: Catalog, entity_name: str) -> Layout:
    if entity_name == parties.ENTITY:
        raise InvalidRequest(
            "Activity parties belong to their activity: write its party list instead.", entity_name
        )
    place = layout(catalog, entity_name)
    if place.entity.is_view:
        raise InvalidRequest(f"Entity '{entity_name}' can only be read.", entity_name)
    return place


def _identified(place: Layout, flat: Flat, record_id: str | None) -> Flat:
    key = place.entity.primary_id
    given = flat.get(key)
    if record_id is not None and given is not None and given != record_id:
        raise InvalidRequest(f"Two different ids were given for one {place.entity.name}.", key)
    return {key: record_id or given or str(uuid4())} | {k: v for k, v in flat.items() if k != key}


def _difference(before: Mapping[str, Value], flat: Flat) -> bytes:
    pairs = {name: [before.get(name), value] for name, value in flat.items()}
    changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return orjson.dumps(changed, default=str)
