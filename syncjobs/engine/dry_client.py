"""The client of a dry run: it can be read, and answers writes as if they had been carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from connections.connectors.base import Batch, BatchResult, Connector
from connections.connectors.passing import PassingOn
from organizations.records import Action, Rendered, Row
from organizations.schema import Entity
from syncjobs.engine.planned import PlanKind
from syncjobs.engine.planning import SAMPLES, Planning, changes_of, records_of
from syncjobs.engine.values import Side

Left = Callable[[str, Sequence[str]], AbstractSet[str]]
"""Entity and client ids → those that are marked as having left the filter."""

_KINDS = {Action.CREATE: PlanKind.CREATE, Action.UPDATE: PlanKind.UPDATE}


class DryClient(PassingOn):
    """Reads what the real client holds, and shows what would be written to `planning`.

    Where the client can rehearse a batch, its own refusals are predicted too; else every record
    is accepted with the version it had.
    """

    def __init__(self, inner: Connector, planning: Planning, left: Left) -> None:
        """`inner` is only read."""
        super().__init__(inner)
        self._planning, self._left = planning, left

    def render(
        self, entity: Entity, columns: Sequence[str], rows: Sequence[Row]
    ) -> Rendered | None:
        """Render nothing: a plan is made of rows."""
        return None

    def stage(self, entity: Entity, batch: Batch) -> Batch:
        """Stage nothing."""
        return batch

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write nothing."""
        result = self.inner.rehearse(entity, batch)
        if result is None:
            ids = [str(row[0]) for row in batch.rows]
            result = BatchResult(ids=ids, versions=list(batch.expected))
        self._planning.page(entity, Side.CLIENT, batch)
        self._show(entity, batch, result)
        return result

    def _show(self, entity: Entity, batch: Batch, result: BatchResult) -> None:
        name, ids = entity.name, [str(row[0]) for row in batch.rows[:SAMPLES]]
        left: AbstractSet[str] = frozenset()
        room = max(self._planning.room(name, _KINDS.get(batch.action, PlanKind.DELETE)), 0)
        if batch.action is Action.DELETE:
            left = self._left(name, [str(row[0]) for row in batch.rows])
            room += max(self._planning.room(name, PlanKind.LEFT), 0)
        if not room:
            return
        known = batch.action is not Action.CREATE
        columns = batch.columns if batch.action is Action.UPDATE else ()
        found = records_of(self.inner, entity, columns, ids) if known else {}
        before = {item: values for item, (_, values) in found.items()}
        shown = _first(batch, SAMPLES)
        for change in changes_of(entity, shown, result, before, left=left):
            self._planning.change(change)


def _first(batch: Batch, count: int) -> Batch:
    return Batch(
        action=batch.action,
        columns=batch.columns,
        rows=batch.rows[:count],
        expected=batch.expected[:count],
        changed=batch.changed[:count],
    )
