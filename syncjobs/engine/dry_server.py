"""The server of a dry run: it answers as if the client's changes had been delivered.

What would be written is kept, and what is read afterwards is as it would be then: a delivered
record comes back in the next reading, as an echo. Versions that the server would give are made
up, above all it has, and so is the time at which it would note the write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from connections.connectors.base import (
    Batch,
    BatchResult,
    Connector,
    Failure,
    FailureKind,
    ReadRequest,
)
from connections.connectors.passing import PassingOn
from organizations.query.nodes import Condition, Group, Operator, Query
from organizations.records import Action, Page, Row, Value
from organizations.schema import Attribute, Entity
from organizations.values import parse
from syncjobs.engine.dry_membership import Moved, has_links, inside
from syncjobs.engine.planned import PlanKind
from syncjobs.engine.planning import Planning, Values, changes_of, records_of
from syncjobs.engine.values import Side

_ABOVE = 1 << 40
"""How far above: the newest records may have been deleted, and no version may be one of theirs."""
_MODIFIED = "modifiedon"
_CHANGED = "The record would have been changed meanwhile."
_GONE = "The record would not be there."
_THERE = "A record with this id is there."


@dataclass(slots=True)
class _Written:
    """What would be written to one entity: records as they would be, versions, deleted ids.

    `highest` is the version given last, `newest_gone` the highest of those that were deleted.
    """

    rows: dict[str, dict[str, Value]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    highest: int = 0
    newest_gone: int = 0

    @property
    def ids(self) -> set[str]:
        return self.gone | self.rows.keys()


class DryServer(PassingOn):
    """Reads what the real server holds, and keeps what would be written in memory.

    Memory grows with the number of changes that are delivered in one run.
    """

    def __init__(self, inner: Connector, planning: Planning) -> None:
        """`inner` is only read."""
        super().__init__(inner)
        self._planning = planning
        self._entities: dict[str, _Written] = {}
        self._found: dict[Query, Mapping[str, tuple[int, Values]]] = {}

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write nothing; a record that is not at the version it was based on is a conflict."""
        ours = self._entities.setdefault(entity.name, _Written())
        self._found.clear()
        ids = [str(row[0]) for row in batch.rows]
        before = self._known(entity, ids)
        rehearsed = self.inner.rehearse(entity, batch)
        refused = {} if rehearsed is None else _rejections(rehearsed)
        found, versions, failed = list(ids), [0] * len(ids), dict[int, Failure]()
        for place, row in enumerate(batch.rows):
            there = self._pair(entity, batch, row)
            failure = refused.get(place)
            if failure is None and not there:
                failure = _failure(batch, place, before.get(ids[place]))
            if failure is not None:
                failed[place] = failure
            elif there:
                found[place] = there
            else:
                versions[place] = self._keep(entity, ours, batch.action, row, batch.columns)
                if batch.action is Action.DELETE:
                    ours.newest_gone = max(ours.newest_gone, before[ids[place]][0])
        result = BatchResult(ids=found, versions=versions, failed=failed)
        self._show(entity, batch, result, {item: known[1] for item, known in before.items()})
        return result

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the real pages as they would be then; what would be new comes last."""
        ours = self._with_moved(request.entity, request.query)
        if ours is None:
            yield from self.inner.read(request)
            return
        seen: set[str] = set()
        for page in self.inner.read(request):
            changed = self._changed(request, ours, page, seen)
            yield changed if page.checkpoint is None else self._last(request, ours, changed, seen)

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        """Return records as they would be."""
        page = self.inner.fetch(entity, attributes, ids)
        ours = self._entities.get(entity.name)
        if ours is None:
            return page
        place = page.columns.index(entity.primary_id)
        kept = [at for at, row in enumerate(page.rows) if str(row[place]) not in ours.ids]
        rows = [page.rows[at] for at in kept]
        versions = [page.versions[at] for at in kept]
        for item in dict.fromkeys(ids):
            if item in ours.rows:
                rows.append(_row(ours.rows[item], page.columns))
                versions.append(ours.versions[item])
        return replace(page, rows=rows, versions=versions)

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        """Yield the ids there would be."""
        ours = self._with_moved(entity, query)
        if ours is None:
            yield from self.inner.ids(entity, query)
            return
        real: set[str] = set()
        for page in self.inner.ids(entity, query):
            real.update(item for item in page if item in ours.ids)
            yield [item for item in page if item not in ours.ids]
        yield sorted(self._inside(entity, query, ours, ours.rows, real))

    def matching(self, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
        """Return those that would be inside the filter."""
        real = self.inner.matching(entity, query, ids)
        ours = self._with_moved(entity, query)
        if ours is None:
            return real
        asked = [item for item in ids if item in ours.rows]
        return (real - ours.ids) | self._inside(entity, query, ours, asked, real)

    def count(self, entity: Entity, query: Query | None = None) -> int:
        """Count the ids there would be."""
        if self._with_moved(entity, query) is None:
            return self.inner.count(entity, query)
        return sum(map(len, self.ids(entity, query)))

    def highest_version(self, entity: Entity) -> int:
        """Return the highest version there would be."""
        highest = self.inner.highest_version(entity)
        ours = self._entities.get(entity.name)
        if ours is None:
            return highest
        if highest <= ours.newest_gone:
            highest = self._newest_left(entity)
        return max(highest, *ours.versions.values(), 0)

    def is_empty(self, entity: Entity) -> bool:
        """Return whether there would be no record."""
        ours = self._entities.get(entity.name)
        if ours is None:
            return self.inner.is_empty(entity)
        return not any(map(len, self.ids(entity)))

    def _newest_left(self, entity: Entity) -> int:
        """Return the highest version of the first page of ids; 0 if nothing would be left.

        Whether a server went back in time is seen by its records (`starting`), and a version that
        is too low makes them be looked at.
        """
        ids = next((page for page in self.ids(entity) if page), ())
        primary = entity.attribute(entity.primary_id)
        page = self.fetch(entity, (primary,) if primary else (), ids)
        return max(page.versions, default=0)

    # Writing

    def _known(self, entity: Entity, ids: Sequence[str]) -> dict[str, tuple[int, Values]]:
        names = [item.name for item in entity.attributes]
        return records_of(self, entity, names, ids)

    def _pair(self, entity: Entity, batch: Batch, row: Row) -> str:
        """Return the id of the row that holds this pair already, '' if there is none."""
        pair = entity.intersect
        if pair is None or batch.action is not Action.CREATE:
            return ""
        values = dict(zip(batch.columns, row, strict=True))
        wanted = [(name, values.get(name)) for name in (pair.attribute1, pair.attribute2)]
        for item, kept in self._entities[entity.name].rows.items():
            if all(kept.get(name) == value for name, value in wanted):
                return item
        children = tuple(Condition(name, Operator.EQ, (str(value),)) for name, value in wanted)
        query = Query(entity=entity.name, filter=Group(children=children))
        found = (item for page in self.inner.ids(entity, query) for item in page)
        gone = self._entities[entity.name].gone
        return next((item for item in found if item not in gone), "")

    def _keep(
        self, entity: Entity, ours: _Written, action: Action, row: Row, names: Sequence[str]
    ) -> int:
        record = str(row[0])
        if not ours.highest:
            ours.highest = self.inner.highest_version(entity) + _ABOVE
        ours.highest += 1
        if action is Action.DELETE:
            ours.rows.pop(record, None)
            ours.gone.add(record)
            return ours.highest
        if record not in ours.rows:
            there = self._known(entity, [record]).get(record)
            ours.rows[record] = {} if there is None else dict(there[1])
            if there is None:
                ours.created.add(record)
        ours.rows[record].update(zip(names, row, strict=True))
        self._stamp(entity, ours.rows[record])
        ours.gone.discard(record)
        ours.versions[record] = ours.highest
        return ours.highest

    def _stamp(self, entity: Entity, values: dict[str, Value]) -> None:
        """Change what the server changes with every write."""
        stamped = entity.attribute(_MODIFIED)
        if self.stamps and stamped is not None and stamped.is_stored:
            values[_MODIFIED] = parse(stamped, datetime.now(UTC))

    def _show(
        self, entity: Entity, batch: Batch, result: BatchResult, before: Mapping[str, Values]
    ) -> None:
        self._planning.page(entity, Side.SERVER, batch)
        if self._planning.room(entity.name, PlanKind.PUSH) > 0:
            for change in changes_of(entity, batch, result, before, is_push=True):
                self._planning.change(change)

    # Reading

    def _changed(self, request: ReadRequest, ours: _Written, page: Page, seen: set[str]) -> Page:
        place = page.columns.index(request.entity.primary_id)
        ids = [str(row[place]) for row in page.rows]
        known = [item for item in ids if item in ours.rows]
        kept = self._inside(request.entity, request.query, ours, known, set(known))
        seen |= kept
        rows, versions = [], []
        for item, row, version in zip(ids, page.rows, page.versions, strict=True):
            if item in kept:
                rows.append(_row(ours.rows[item], page.columns))
                versions.append(ours.versions[item])
            elif item not in ours.ids:
                rows.append(row)
                versions.append(version)
        deleted = [item for item in page.deleted if item not in ours.rows]
        return replace(page, rows=rows, versions=versions, deleted=deleted)

    def _last(self, request: ReadRequest, ours: _Written, page: Page, seen: set[str]) -> Page:
        left = [item for item in ours.rows if item not in seen]
        kept = self._inside(request.entity, request.query, ours, left, set())
        new = [item for item in left if item in kept]
        gone = ours.gone - set(page.deleted) if request.since else set()
        return replace(
            page,
            rows=[*page.rows, *(_row(ours.rows[item], page.columns) for item in new)],
            versions=[*page.versions, *(ours.versions[item] for item in new)],
            deleted=[*page.deleted, *sorted(gone)],
        )

    def _with_moved(self, entity: Entity, query: Query | None) -> _Written | None:
        """Return what would be written, and what may enter or leave the filter because of it.

        Those are records whose links lead to what would be written; they stay as they are.
        """
        ours = self._entities.get(entity.name)
        if query is None or not self._entities or not has_links(query):
            return ours
        moved, ours = self._moved(entity, query), ours or _Written()
        others = {item: record for item, record in moved.items() if item not in ours.ids}
        return replace(
            ours,
            rows={**ours.rows, **{item: dict(values) for item, (_, values) in others.items()}},
            versions={**ours.versions, **{item: version for item, (version, _) in others.items()}},
        )

    def _moved(self, entity: Entity, query: Query) -> Mapping[str, tuple[int, Values]]:
        if query not in self._found:
            moved = Moved(self.inner, self, self._written)
            names = [item.name for item in entity.attributes]
            ids = sorted(moved.of(entity, query))
            self._found[query] = records_of(self.inner, entity, names, ids)
        return self._found[query]

    def _written(self, entity: str) -> AbstractSet[str]:
        ours = self._entities.get(entity)
        return ours.ids if ours is not None else frozenset()

    def _inside(
        self,
        entity: Entity,
        query: Query | None,
        ours: _Written,
        ids: Iterable[str],
        real: AbstractSet[str],
    ) -> set[str]:
        """Return those of our records that would be inside; `real` are those that are now."""
        rows = {item: ours.rows[item] for item in ids}
        if query is None or not rows:
            return set(rows)
        found = inside(self, entity, query, rows)
        if found is None:
            return {item for item in rows if item in real or item in ours.created}
        return found


def _failure(batch: Batch, place: int, known: tuple[int, Values] | None) -> Failure | None:
    """Return why a row conflicts with what is there, None if it does not."""
    version = 0 if known is None else known[0]
    if batch.action is Action.CREATE:
        return None if known is None else _conflict(_THERE, version)
    if known is None:
        return _conflict(_GONE, 0)
    return None if version == batch.expected[place] else _conflict(_CHANGED, version)


def _conflict(message: str, version: int) -> Failure:
    return Failure(
        kind=FailureKind.CONFLICT, code=FailureKind.CONFLICT.value, message=message, version=version
    )


def _rejections(result: BatchResult) -> dict[int, Failure]:
    return {
        place: failure
        for place, failure in result.failed.items()
        if failure.kind is FailureKind.REJECTED
    }


def _row(values: Values, names: Sequence[str]) -> Row:
    return tuple(values.get(name) for name in names)
