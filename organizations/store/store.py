"""The only reader and writer of an organization's records.

Single writes are checked, versioned and logged one by one; bulk writes are staged and merged.
Both take the organization's schema lock shared and then its row, so versions commit in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction

from organizations.catalog import Catalog
from organizations.errors import InvalidRequest
from organizations.models import DeletedRecord, Organization
from organizations.query import sql as compiler
from organizations.query.context import Context
from organizations.query.nodes import Query
from organizations.records import Action, Change, Record, RecordValue, Row
from organizations.schema import Entity
from organizations.store import (
    answering,
    associations,
    history,
    merging,
    reading,
    recycling,
    staging,
    versions,
)
from organizations.store.answering import Answer
from organizations.store.layout import layout, missing, record_values
from organizations.store.merging import Merged
from organizations.store.singles import SingleWriter, record_id_of
from organizations.store.staging import MOST_ROWS, Staged

RECORD = "record"


class Store:
    """The records of one hosted organization."""

    def __init__(self, organization: Organization) -> None:
        """Work on an organization with its newest metadata."""
        self.organization = organization
        self.catalog = Catalog(organization)

    # Reading

    def query(
        self,
        query: Query,
        *,
        now: datetime | None = None,
        context: Context | None = None,
        total: bool = False,
    ) -> Answer:
        """Return one page of a query's rows; `total` counts all of them too."""
        self.catalog.refresh()
        return answering.answer(self.catalog, query, _context(now, context), total=total)

    def count(
        self, query: Query, *, now: datetime | None = None, context: Context | None = None
    ) -> int:
        """Return the number of a query's rows, paging left aside."""
        self.catalog.refresh()
        return answering.count(self.catalog, query, _context(now, context))

    def ids(
        self, query: Query, *, now: datetime | None = None, size: int = reading.PAGE
    ) -> Iterator[list[str]]:
        """Yield the ids of the records in a query, ascending, `size` at a time."""
        self.catalog.refresh()
        context, after = _context(now, None), None
        while True:
            found = answering.ids(self.catalog, query, context, after=after, limit=size)
            if found:
                yield found
            if len(found) < size:
                return
            after = found[-1]

    def get(
        self, entity_name: str, record_id: str, attributes: Sequence[str] | None = None
    ) -> Record:
        """Return one record with its version. Raises NotFound."""
        self.catalog.refresh()
        place, key = layout(self.catalog, entity_name), record_id_of(record_id)
        wanted = list(place.columns) if attributes is None else place.columns_of(attributes)
        rows = reading.by_id(place, wanted, [key])
        if not rows:
            raise missing(place, key)
        values = record_values([place.columns[name] for name in wanted], rows[0])
        version = rows[0][-1]
        return Record(entity=place.entity.name, id=key, values=values, version=_int(version))

    def page(
        self,
        entity: str | Entity,
        columns: Sequence[str],
        *,
        filter: Query | None = None,
        after: str | None = None,
        since: int | None = None,
        until: int | None = None,
        limit: int = reading.PAGE,
        context: Context | None = None,
    ) -> list[Row]:
        """Return flat canonical rows with the version last, by id, or by version with `since`.

        `columns` are names of `schema.columns`; `filter` gives membership only. Rows begin beyond
        id `after` and version `since` and do not exceed version `until`.
        """
        self.catalog.refresh()
        condition, parameters = self._membership(filter, context)
        span = reading.Span(
            after=after, since=since, until=until, condition=condition, parameters=parameters
        )
        return reading.page(layout(self.catalog, entity), columns, span=span, limit=limit)

    def fetch(self, entity: str | Entity, columns: Sequence[str], ids: Sequence[str]) -> list[Row]:
        """Return those of these records that exist, as `page` does, in any order."""
        self.catalog.refresh()
        return reading.by_id(layout(self.catalog, entity), columns, ids)

    def changes(
        self,
        since: int,
        *,
        entity: str | None = None,
        exclude_origin: str = "",
        limit: int = reading.PAGE,
    ) -> list[Change]:
        """Return changes after version `since` in the order they were committed."""
        key = self.organization.pk
        return history.changes(
            key, since, entity=entity, exclude_origin=exclude_origin, limit=limit
        )

    def deleted(self, entity: str | Entity, *, since: int, until: int) -> Sequence[str]:
        """Return ids of records deleted after `since` and up to `until` that are still gone."""
        place = layout(self.catalog, entity)
        return history.deleted(self.organization.pk, place, since=since, until=until)

    def row_version(self) -> int:
        """Return the last version that was committed."""
        return versions.last(self.catalog)

    # Single writes

    def create(
        self,
        entity_name: str,
        values: Mapping[str, RecordValue],
        *,
        id: str | None = None,
        actor: str = "",
        origin: str = "",
    ) -> Record:
        """Insert a record and return it whole. Raises AlreadyExists, InvalidRequest."""
        with transaction.atomic():
            key = None if id is None else record_id_of(id)
            return self.get(
                entity_name, self._writer(actor, origin).create(entity_name, values, key)
            )

    def update(
        self,
        entity_name: str,
        id: str,
        values: Mapping[str, RecordValue],
        *,
        expected: int | None = None,
        actor: str = "",
        origin: str = "",
    ) -> Record:
        """Change values of a record and return it whole.

        Raises NotFound, VersionMismatch if it is not at version `expected`, InvalidRequest.
        """
        with transaction.atomic():
            key = record_id_of(id)
            self._writer(actor, origin).update(entity_name, key, values, expected)
            return self.get(entity_name, key)

    def upsert(
        self,
        entity_name: str,
        id: str,
        values: Mapping[str, RecordValue],
        *,
        expected: int | None = None,
        actor: str = "",
        origin: str = "",
    ) -> tuple[Record, bool]:
        """Change a record, or make it if it is not there; tell whether it was made."""
        with transaction.atomic():
            key, writer = record_id_of(id), self._writer(actor, origin)
            is_new = expected is None and not writer.exists(entity_name, key)
            if is_new:
                writer.create(entity_name, values, key)
            else:
                writer.update(entity_name, key, values, expected)
            return self.get(entity_name, key), is_new

    def delete(
        self,
        entity_name: str,
        id: str,
        *,
        expected: int | None = None,
        actor: str = "",
        origin: str = "",
    ) -> None:
        """Move a record to the recycle bin. Raises NotFound, VersionMismatch."""
        with transaction.atomic():
            self._writer(actor, origin).delete(entity_name, record_id_of(id), expected)

    def restore(
        self, deleted_record: DeletedRecord, *, actor: str = "", origin: str = ""
    ) -> Record:
        """Bring a record back from the recycle bin. Raises AlreadyExists."""
        with transaction.atomic():
            recycling.restore(self.catalog, deleted_record, actor=actor, origin=origin)
            return self.get(deleted_record.entity, str(deleted_record.record))

    def associate(
        self, relationship_name: str, id1: str, id2: str, *, actor: str = "", origin: str = ""
    ) -> bool:
        """Make a pair of an N:N relationship (its first and second entity's record).

        False if it was there already. Raises NotFound if one of the records is missing.
        """
        with transaction.atomic():
            keys = record_id_of(id1), record_id_of(id2)
            return associations.associate(self._writer(actor, origin), relationship_name, *keys)

    def disassociate(
        self, relationship_name: str, id1: str, id2: str, *, actor: str = "", origin: str = ""
    ) -> bool:
        """Remove a pair of an N:N relationship; False if there was none."""
        with transaction.atomic():
            keys = record_id_of(id1), record_id_of(id2)
            return associations.disassociate(self._writer(actor, origin), relationship_name, *keys)

    # Bulk writes

    def stage(
        self,
        entity: str | Entity,
        *,
        action: Action,
        columns: Sequence[str],
        rows: Sequence[Row],
        expected: Sequence[int],
    ) -> Staged:
        """Copy at most 5,000 rows near their table; takes no lock. Inside a transaction only.

        Rows begin with the primary id; a delete's rows hold nothing else. `expected` is 0 for
        creates, else the version the record must still have.
        """
        self.catalog.refresh()
        place = layout(self.catalog, entity)
        return staging.stage(place, action=action, columns=columns, rows=rows, expected=expected)

    def merge(self, staged: Staged, *, origin: str = "", actor: str = "") -> Merged:
        """Write staged rows in the caller's transaction, under the organization's row lock."""
        return merging.merge(self.catalog, staged, origin=origin, actor=actor)

    def load(
        self, entity: str | Entity, columns: Sequence[str], rows: Iterable[Row], origin: str = ""
    ) -> int:
        """Insert rows, batch by batch, and return how many.

        Raises InvalidRequest at the first row that cannot be taken; batches before stay.
        """
        source, total = iter(rows), 0
        while batch := list(islice(source, MOST_ROWS)):
            with transaction.atomic():
                staged = self.stage(
                    entity, action=Action.CREATE, columns=columns, rows=batch, expected=_ZEROS
                )
                merged = self.merge(staged, origin=origin)
                for position, fault in merged.failed.items():
                    raise InvalidRequest(f"Row {total + position + 1}: {fault.message}", "rows")
            total += len(batch)
        return total

    def _writer(self, actor: str, origin: str) -> SingleWriter:
        return SingleWriter(self.catalog, actor=actor, origin=origin)

    def _membership(
        self, query: Query | None, context: Context | None
    ) -> tuple[str, dict[str, Any]]:
        if query is None:
            return "", {}
        known = answering.tables(self.catalog)
        return compiler.compile_filter(query, known, context=_context(None, context), record=RECORD)


_ZEROS = [0] * MOST_ROWS


def _context(now: datetime | None, context: Context | None) -> Context:
    if context is not None:
        return context
    return Context() if now is None else Context(now=now)


def _int(value: object) -> int | None:
    return value if isinstance(value, int) else None
