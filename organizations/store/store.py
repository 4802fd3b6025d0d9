"""The only reader and writer of an organization's records.

Single writes are checked, versioned and logged one by one; bulk writes are staged and merged.
Both take the organization's schema lock shared and then its row, so versions commit in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from django.db import transaction

from organizations import schema
from organizations.errors import InvalidRequest
from organizations.models import DeletedRecord
from organizations.records import Action, Record, RecordValue, Rendered, Row
from organizations.schema import Entity
from organizations.store import (
    associations,
    merging,
    recycling,
    rendering,
    staging,
)
from organizations.store.layout import layout, record_id_of
from organizations.store.merging import Merged
from organizations.store.reader import Reader
from organizations.store.singles import SingleWriter
from organizations.store.staging import MOST_ROWS, Staged


class Store(Reader):
    """The records of one hosted organization."""

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
            self.change(entity_name, id, values, expected=expected, actor=actor, origin=origin)
            return self.get(entity_name, id)

    def change(
        self,
        entity_name: str,
        id: str,
        values: Mapping[str, RecordValue],
        *,
        expected: int | None = None,
        actor: str = "",
        origin: str = "",
    ) -> None:
        """Change values of a record as `update` does, without reading it back.

        Within a caller's transaction a refusal is one of all of it.
        """
        with transaction.atomic(savepoint=False):
            self._writer(actor, origin).update(entity_name, record_id_of(id), values, expected)

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

    def pair_id(self, relationship_name: str, id1: str, id2: str) -> str:
        """Return the id of the row that holds a pair, '' where there is none."""
        keys = record_id_of(id1), record_id_of(id2)
        return associations.pair_id(self.catalog, relationship_name, *keys)

    # Bulk writes

    def stage(
        self,
        entity: str | Entity,
        *,
        action: Action,
        columns: Sequence[str],
        rows: Sequence[Row],
        expected: Sequence[int],
        rendered: Rendered | None = None,
    ) -> Staged:
        """Copy at most 5,000 rows near their table; takes no lock. Inside a transaction only.

        Rows begin with the primary id; a delete's rows hold nothing else. `expected` is 0 for
        creates, else the version the record must still have. With `rendered`, what `render` made of
        them, no rows are given.
        """
        self.catalog.follow()
        return staging.stage(
            layout(self.catalog, entity),
            action=action,
            columns=columns,
            rows=rows,
            expected=expected,
            rendered=rendered,
        )

    @staticmethod
    def render(entity: Entity, columns: Sequence[str], rows: Sequence[Row]) -> Rendered:
        """Return rows in the form in which they are staged; asks no database."""
        known = {column.name: column for column in schema.columns(entity)}
        body = rendering.render([known[name] for name in columns], rows)
        return Rendered([str(row[0]) for row in rows], body)

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


_ZEROS = [0] * MOST_ROWS
