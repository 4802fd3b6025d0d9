"""The connector to an organization in memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from operator import attrgetter, itemgetter

import orjson

from connections.connectors.base import (
    Batch,
    BatchResult,
    Connector,
    Edit,
    Edits,
    EntitySummary,
    Failure,
    FailureKind,
    Identity,
    ReadRequest,
    VersionCheck,
)
from connections.connectors.memory.faults import Fault, all_conflicts
from connections.connectors.memory.filtering import is_inside
from connections.connectors.memory.organization import Logged, MemoryOrganization, Stored
from connections.errors import CheckpointExpired, MetadataChanged, UnknownEntity
from organizations.query.nodes import Query
from organizations.records import Action, Page, Rejection, Row
from organizations.schema import Attribute, Entity, columns

_UNREADABLE = "The record holds a character that XML cannot carry."


class MemoryConnector(Connector):
    """Speaks to one organization in memory; what it writes carries `origin`.

    A checkpoint is the version at which a reading began. A resume token is the JSON array
    [that version, the checkpoint it reads from or null, the last id or version it gave].
    """

    backend = "memory"
    version_check = VersionCheck.ATOMIC

    def __init__(
        self, organization: MemoryOrganization, *, origin: str = "", now: datetime | None = None
    ) -> None:
        """`now` is the time that date filters count from, by default the real one."""
        self.organization, self.origin, self.now = organization, origin, now

    def identify(self) -> Identity:
        """Return the organization's id and name."""
        return Identity(
            organization_id=self.organization.id,
            organization_name=self.organization.name,
            user_id=self.organization.user_id,
            languages=(1033,),
        )

    def entities(self) -> Iterator[EntitySummary]:
        """List the entities."""
        for entity in self.organization.entities.values():
            yield EntitySummary(
                name=entity.name,
                label=entity.label,
                is_intersect=entity.is_intersect,
                is_activity=entity.is_activity,
                is_custom=entity.is_custom,
                tracks_changes=entity.tracks_changes,
            )

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        """Yield definitions. Raises UnknownEntity."""
        for name in names:
            yield self._known(name)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield pages ordered by id, or by version where only changes are read."""
        pages = self._changes(request) if request.since else self._everything(request)
        for page in pages:
            yield from self.organization.faults.serve(page)

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        """Yield the ids inside the filter, a page at a time."""
        found = [record_id for record_id, _ in self._inside(entity.name, query)]
        size = self.organization.page_size
        for start in range(0, len(found), size):
            yield found[start : start + size]

    def matching(self, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
        """Return those of the ids that are inside the filter."""
        wanted = set(ids)
        return {found for found, _ in self._inside(entity.name, query) if found in wanted}

    def count(self, entity: Entity, query: Query | None = None) -> int:
        """Count the records inside the filter."""
        return sum(1 for _ in self._inside(entity.name, query))

    def estimate(self, entity: Entity, query: Query | None = None) -> int | None:
        """Return the exact number."""
        return self.count(entity, query)

    def highest_version(self, entity: Entity) -> int:
        """Return the highest version among the records there are."""
        return max((stored.version for stored in self._table(entity.name).values()), default=0)

    def edits(self, names: Collection[str], since: int, *, limit: int = 5000) -> Edits:
        """Return what others logged. Raises CheckpointExpired."""
        organization = self.organization
        if not organization.known_since <= since <= organization.version:
            raise CheckpointExpired(f"Edits since version {since} are no longer known.")
        log = organization.log
        first = bisect_right(log, since, key=attrgetter("version"))
        others = (
            entry
            for entry in islice(log, first, None)
            if entry.entity in names and (not self.origin or entry.origin != self.origin)
        )
        told = list(islice(others, limit + 1))
        is_last = len(told) <= limit
        until = organization.version if is_last else told[limit - 1].version
        return Edits(items=list(map(_edit, told[:limit])), until=until, is_last=is_last)

    def version_at(self, moment: datetime) -> int:
        """Return the highest version that was logged before that moment."""
        before = (entry.version for entry in reversed(self.organization.log) if entry.at < moment)
        return max(next(before, 0), self.organization.known_since)

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        """Return those of these records that exist."""
        table = self._table(entity.name)
        found = [table[record_id] for record_id in dict.fromkeys(ids) if record_id in table]
        return self._page(entity, tuple(attributes), found, resume=None, checkpoint=None)

    def is_empty(self, entity: Entity) -> bool:
        """Return whether there is no record."""
        return not self._table(entity.name)

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Carry out a batch row by row."""
        self._known(entity.name)
        fault = self.organization.faults.before_write()
        if fault is Fault.CONFLICT:
            return all_conflicts(batch, [self._version(entity, row) for row in batch.rows])
        outcomes = [
            self._write_row(entity, batch, row, expected)
            for row, expected in zip(batch.rows, batch.expected, strict=True)
        ]
        self.organization.faults.after_write(fault)
        return _result(outcomes)

    def rehearse(self, entity: Entity, batch: Batch) -> BatchResult:
        """Carry the batch out row by row and take it back; faults to come stay to come."""
        organization = self.organization
        table, log = dict(self._table(entity.name)), list(organization.log)
        version = organization.version
        outcomes = [
            self._write_row(entity, batch, row, expected)
            for row, expected in zip(batch.rows, batch.expected, strict=True)
        ]
        organization.tables[entity.name], organization.log = table, log
        organization.version = version
        return _result(outcomes)

    # Reading

    def _everything(self, request: ReadRequest) -> Iterator[Page]:
        start, _, after = _position(request.resume, self.organization.version, "")
        size = min(request.page_size, self.organization.page_size)
        while True:
            found = [
                stored
                for record_id, stored in self._inside(request.entity.name, request.query)
                if record_id > str(after)
            ]
            more = len(found) > size
            after = found[min(size, len(found)) - 1].row[0] if found else after
            yield self._page(
                request.entity,
                request.attributes,
                found[:size],
                resume=_token(start, None, after) if more else None,
                checkpoint=None if more else str(start),
            )
            if not more:
                return

    def _changes(self, request: ReadRequest) -> Iterator[Page]:
        since = int(request.since or 0)
        if since < self.organization.known_since:
            raise CheckpointExpired("Changes since the checkpoint are no longer known.")
        start, _, after = _position(request.resume, self.organization.version, since)
        size = min(request.page_size, self.organization.page_size)
        while True:
            found = self._changed(request.entity.name, int(str(after)))
            more = len(found) > size
            after = found[min(size, len(found)) - 1].version if found else after
            yield self._page(
                request.entity,
                request.attributes,
                found[:size],
                deleted=() if more else self._deleted(request.entity.name, since),
                resume=_token(start, since, after) if more else None,
                checkpoint=None if more else str(start),
            )
            if not more:
                return

    def _changed(self, entity: str, since: int) -> list[Stored]:
        changed = [stored for stored in self._table(entity).values() if stored.version > since]
        return sorted(changed, key=itemgetter(1))

    def _deleted(self, entity: str, since: int) -> tuple[str, ...]:
        table = self._table(entity)
        gone = (
            change.id
            for change in self.organization.log
            if change.entity == entity
            and change.version > since
            and change.action is Action.DELETE
            and change.id not in table
        )
        return tuple(dict.fromkeys(gone))

    def _page(
        self,
        entity: Entity,
        attributes: tuple[Attribute, ...],
        found: Sequence[Stored],
        *,
        deleted: Sequence[str] = (),
        resume: str | None,
        checkpoint: str | None,
    ) -> Page:
        names, places = self._places(entity, attributes)
        unreadable = self.organization.faults.unreadable
        readable = [stored for stored in found if stored.row[0] not in unreadable]
        return Page(
            entity=entity.name,
            columns=names,
            rows=[tuple(stored.row[place] for place in places) for stored in readable],
            versions=[stored.version for stored in readable],
            deleted=deleted,
            rejected=[
                Rejection(id=str(stored.row[0]), code="illegal-text", message=_UNREADABLE)
                for stored in found
                if stored.row[0] in unreadable
            ],
            resume=resume,
            checkpoint=checkpoint,
        )

    def _places(
        self, entity: Entity, attributes: tuple[Attribute, ...]
    ) -> tuple[tuple[str, ...], tuple[int, ...]]:
        known = columns(self._known(entity.name))
        missing = {item.name for item in attributes} - {column.attribute.name for column in known}
        if missing:
            raise MetadataChanged(
                f"Entity '{entity.name}' has no attribute '{min(missing)}' any more."
            )
        wanted = {entity.primary_id} | {item.name for item in attributes}
        places = [at for at, column in enumerate(known) if column.attribute.name in wanted]
        return tuple(known[at].name for at in places), tuple(places)

    def _inside(self, entity: str, query: Query | None) -> Iterator[tuple[str, Stored]]:
        for record_id, stored in sorted(self._table(entity).items()):
            now = self.now or datetime.now(UTC)
            if query is None or is_inside(self.organization, query, stored.row, now=now):
                yield record_id, stored

    def _known(self, name: str) -> Entity:
        if name not in self.organization.entities:
            raise UnknownEntity(name)
        return self.organization.entities[name]

    def _table(self, name: str) -> dict[str, Stored]:
        return self.organization.tables[self._known(name).name]

    # Writing

    def _version(self, entity: Entity, row: Row) -> int:
        stored = self._table(entity.name).get(str(row[0]))
        return stored.version if stored else 0

    def _write_row(
        self, entity: Entity, batch: Batch, row: Row, expected: int
    ) -> tuple[str, int, Failure | None]:
        record_id, version = str(row[0]), self._version(entity, row)
        if record_id in self.organization.faults.always_rejected:
            return record_id, version, _failure(FailureKind.REJECTED, "Not accepted.", 0)
        if batch.action is Action.CREATE and entity.is_intersect:
            values = dict(zip(batch.columns, row, strict=True))
            if pair_id := self._pair_id(entity, values):
                return pair_id, self.organization.stored(entity.name, pair_id).version, None
        if version != expected:
            return record_id, version, _failure(FailureKind.CONFLICT, "Changed.", version)
        return record_id, self._store(entity, batch, row), None

    def _pair_id(self, entity: Entity, values: Mapping[str, object]) -> str:
        pair = entity.intersect
        if pair is None:
            return ""
        first, second = values[pair.attribute1], values[pair.attribute2]
        return self.organization.pair_id(entity.name, str(first), str(second))

    def _store(self, entity: Entity, batch: Batch, row: Row) -> int:
        record_id, name = str(row[0]), entity.name
        if batch.action is Action.DELETE:
            return self.organization.delete(name, record_id, origin=self.origin)
        old: dict[str, object] = {}
        if batch.action is Action.UPDATE:
            old = dict(self.organization.get(name, record_id))
        values = {**old, **dict(zip(batch.columns, row, strict=True))}
        whole = tuple(values.get(column) for column in self.organization.column_names(name))
        return self.organization.write_row(name, whole, batch.action, origin=self.origin)  # type: ignore[arg-type]


def _edit(entry: Logged) -> Edit:
    return Edit(
        entity=entry.entity,
        id=entry.id,
        action=entry.action,
        version=entry.version,
        actor=entry.actor,
        at=entry.at,
        changes=entry.changes,
    )


def _result(outcomes: Sequence[tuple[str, int, Failure | None]]) -> BatchResult:
    return BatchResult(
        ids=[outcome[0] for outcome in outcomes],
        versions=[outcome[1] for outcome in outcomes],
        failed={
            position: failure
            for position, (_, _, failure) in enumerate(outcomes)
            if failure is not None
        },
    )


def _failure(kind: FailureKind, message: str, version: int) -> Failure:
    return Failure(kind=kind, code=kind.value, message=message, version=version)


def _token(start: int, since: int | None, after: object) -> str:
    return orjson.dumps([start, since, after]).decode()


def _position(resume: str | None, start: int, after: object) -> tuple[int, int | None, object]:
    if not resume:
        return start, None, after
    try:
        start, since, after = orjson.loads(resume)
    except ValueError as error:
        raise CheckpointExpired(f"'{resume[:80]}' does not continue this reading.") from error
    return start, since, after
