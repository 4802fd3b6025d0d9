"""Writes: in bulk where the table allows it, else together in ``$batch`` (dataverse.md §4).

What bulk could not take is written record by record (`record_writing`), so that one bad record
costs only itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from connections.connectors.base import Batch, BatchResult, Failure, FailureKind
from connections.connectors.dynamics.batch_rounds import Done, Outcome, Rounds, Steps
from connections.connectors.dynamics.bodies import Bodies, SetNames
from connections.connectors.dynamics.bulk import Bulk, BulkActions
from connections.connectors.dynamics.client import DynamicsClient
from connections.connectors.dynamics.marks import Marks
from connections.connectors.dynamics.pairs import Pairs
from connections.connectors.dynamics.record_writing import RecordWriter, Wanted
from connections.errors import Conflict, Rejected
from organizations.records import Action
from organizations.schema import Entity


@dataclass(slots=True)
class Writer:
    """Writes records of one entity."""

    client: DynamicsClient
    entity: Entity
    sets: SetNames
    actions: BulkActions
    marks: Marks = field(default_factory=Marks)

    def write(self, batch: Batch) -> BatchResult:
        """Carry out a batch. Raises Retryable or Refused when the rest cannot be written."""
        rows = list(_rows(batch))
        bodies = Bodies(self.entity, self.sets)
        if (relationship := self.entity.intersect) is not None:
            pairs = Pairs(self.client.root, self.entity, relationship, bodies, self.marks)
            writes = [pairs.write(batch.action, row.values, row.id, row.expected) for row in rows]
        else:
            writes = self._records(batch.action, rows, bodies)
        return _result(rows, Rounds(self.client, writes).run())

    def _records(self, action: Action, rows: list[Wanted], bodies: Bodies) -> list[Steps[Done]]:
        writer = RecordWriter(self.entity, bodies, self.marks)
        bulk = Bulk(self.client, writer, self.actions)
        match action:
            case Action.CREATE:
                return bulk.create(rows)
            case Action.UPDATE:
                return bulk.update(rows)
            case Action.DELETE:
                return [writer.delete(row) for row in rows]


def _rows(batch: Batch) -> Iterator[Wanted]:
    changed = batch.changed or (None,) * len(batch.rows)
    for row, expected, columns in zip(batch.rows, batch.expected, changed, strict=True):
        values = dict(zip(batch.columns, row, strict=True))
        yield Wanted(str(row[0]), values, expected, columns)


def _result(rows: list[Wanted], outcomes: list[Outcome]) -> BatchResult:
    ids: list[str] = []
    versions: list[int] = []
    failed: dict[int, Failure] = {}
    for at, (row, outcome) in enumerate(zip(rows, outcomes, strict=True)):
        record_id, version = outcome if isinstance(outcome, tuple) else (row.id, 0)
        if isinstance(outcome, Conflict):
            version = outcome.actual or 0
            failed[at] = _failure(FailureKind.CONFLICT, "conflict", str(outcome), version)
        elif isinstance(outcome, Rejected):
            failed[at] = _failure(FailureKind.REJECTED, outcome.code, str(outcome), 0)
        ids.append(record_id)
        versions.append(version)
    return BatchResult(ids=ids, versions=versions, failed=failed)


def _failure(kind: FailureKind, code: str, message: str, version: int) -> Failure:
    return Failure(kind=kind, code=code, message=message, version=version)
