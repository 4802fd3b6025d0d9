"""Merging staged rows into their table, with versions and change log, in the caller's transaction.

A merge takes the organization's row, a block of versions (position n of the batch gets `base` +
n), writes what still is at the expected version and logs it. Only when fewer rows were written
than staged are the others looked for, so a page without conflicts costs two statements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, transaction
from psycopg import sql

from organizations.catalog import Catalog
from organizations.errors import SchemaConflict
from organizations.notifications import announce
from organizations.records import Action
from organizations.schema import VERSION
from organizations.store import parties, statements, versions
from organizations.store.faults import Fault, conflict, is_of_row
from organizations.store.layout import layout
from organizations.store.staging import Staged, halve
from organizations.tables import names
from organizations.tables.database import fetch, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """How a merge ended; `ids` and `versions` run parallel to the batch's rows.

    An id differs from the one given where the pair of an intersect was there already. Versions
    of positions in `failed` mean nothing.
    """

    ids: Sequence[str]
    versions: Sequence[int]
    failed: Mapping[int, Fault]


def merge(catalog: Catalog, staged: Staged, *, origin: str = "", actor: str = "") -> Merged:
    """Write what was staged. Raises SchemaConflict if the entity was changed since staging."""
    before = catalog.version
    base = versions.take(catalog, max(staged.size, 1))
    entity = staged.layout.entity
    if catalog.version != before and layout(catalog, entity).entity != entity:
        raise SchemaConflict(
            f"The metadata of entity '{entity.name}' changed while records were on their way. "
            "Start again."
        )
    work = _Merge(catalog, staged, base, origin=origin, actor=actor)
    if not work.create_at_once():
        halve(staged, work.carry_out, 0, staged.size)
    if work.written:
        announce(catalog.organization, origin=origin, versions=range(base, base + staged.size))
    return work.result()


class _Merge:
    def __init__(
        self, catalog: Catalog, staged: Staged, base: int, *, origin: str, actor: str
    ) -> None:
        self.catalog, self.staged, self.base, self.written = catalog, staged, base, 0
        self.values = {
            "first": staged.first,
            "size": staged.size,
            "shift": base - staged.first,
            "organization": catalog.organization.pk,
            "entity": staged.layout.entity.name,
            "action": staged.action.value,
            "origin": origin,
            "actor": actor,
        }

    def create_at_once(self) -> bool:
        """Create and log all records in one statement.

        False if this is no such batch, or a row is in the way: then nothing was done.
        """
        staged = self.staged
        if staged.action is not Action.CREATE or staged.layout.entity.is_intersect:
            return False
        try:
            with transaction.atomic():
                values = self._between(0, staged.size)
                self.written = run(self._sql(statements.CREATE_LOGGED), values)
                self._rewrite_parties(0, staged.size)
        except DatabaseError as error:
            if not is_of_row(error):
                raise
            self.written = 0
            return False
        return True

    def carry_out(self, low: int, high: int) -> None:
        """Write and log positions low..high-1."""
        values = self._between(low, high)
        if self.staged.action is Action.DELETE:
            self.written += self._delete(values, low, high)
            return
        is_new = self.staged.action is Action.CREATE
        statement = statements.CREATE_MISSING if is_new else statements.UPDATE
        written = run(self._sql(statement), values)
        faulty = sum(low <= position < high for position in self.staged.failed)
        is_whole = written == high - low - faulty
        run(self._sql(statements.LOG if is_whole else statements.LOG_WRITTEN), values)
        self._rewrite_parties(low, high)
        self.written += written

    def result(self) -> Merged:
        """Tell what became of each position."""
        ids, failed = self.staged.ids, self.staged.failed
        numbers: Sequence[int] = range(self.base, self.base + self.staged.size)
        if self.written + len(failed) < self.staged.size:
            return self._explained(list(ids), list(numbers))
        return Merged(ids=ids, versions=numbers, failed=failed)

    def _explained(self, ids: list[str], numbers: list[int]) -> Merged:
        failed = dict(self.staged.failed)
        for position, record_id, version, is_pair in self._unwritten():
            if position in failed:
                continue
            if is_pair:
                ids[position], numbers[position] = record_id, version or 0
            else:
                entity = self.staged.layout.entity.name
                failed[position] = conflict(entity, ids[position], version)
        return Merged(ids=ids, versions=numbers, failed=failed)

    def _unwritten(self) -> list[tuple[int, str, int | None, bool]]:
        pair = self.staged.layout.entity.intersect
        is_pair: sql.Composable = sql.SQL("false")
        if pair and self.staged.action is Action.CREATE:
            first, second = names.column(pair.attribute1), names.column(pair.attribute2)
            is_pair = sql.SQL("(t.{0} = s.{0} AND t.{1} = s.{1})").format(first, second)
        return fetch(self._sql(statements.UNWRITTEN, pair=is_pair), self.values)

    def _between(self, low: int, high: int) -> dict[str, object]:
        first = self.staged.first
        return self.values | {"low": first + low, "high": first + high}

    def _delete(self, values: Mapping[str, object], low: int, high: int) -> int:
        written = run(self._sql(statements.DELETE), values)
        parties.remove_orphans(self.catalog, self.staged.layout, self.staged.ids[low:high])
        return written

    def _rewrite_parties(self, low: int, high: int) -> None:
        if set(self.staged.layout.party_lists) & set(self.staged.columns):
            parties.rewrite(self.catalog, self.staged.layout, self.staged.ids[low:high])

    def _sql(self, template: sql.SQL, **more: sql.Composable) -> sql.Composed:
        staged = self.staged
        columns = [names.column(name) for name in staged.columns]
        assignments = [sql.SQL("{0} = s.{0}, ").format(column) for column in columns[1:]]
        return template.format(
            table=staged.layout.table,
            stage=staged.stage.table,
            key=staged.layout.key,
            version=names.column(VERSION),
            columns=sql.SQL(", ").join(columns),
            assignments=sql.SQL("").join(assignments),
            **more,
        )
