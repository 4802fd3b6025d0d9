"""The connector to an organization hosted here: the store itself, without HTTP (decision 5).

A checkpoint is the row version at which a reading began, as text. A resume token is
`<kind>:<checkpoint>:<last id or version>`, with kind `all` or `since`. What the connector writes
carries its origin on the record's log row, which is how the connection knows its own echo.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from django.db import OperationalError, transaction

from connections.connectors.base import (
    Batch,
    BatchResult,
    Connector,
    Edits,
    EntitySummary,
    Failure,
    FailureKind,
    Identity,
    ReadRequest,
    VersionCheck,
)
from connections.connectors.journal import Journal
from connections.errors import (
    CheckpointExpired,
    MetadataChanged,
    Refused,
    Retryable,
    UnknownEntity,
)
from organizations.errors import NotFound, OrganizationError, SchemaConflict
from organizations.models import EntityDefinition, Organization
from organizations.query.nodes import Query
from organizations.records import Page, Rendered, Row
from organizations.schema import Attribute, Entity, columns
from organizations.store import MOST_ROWS, Fault, Staged, Store


class HostedConnector(Connector):
    """Speaks to one organization of this installation, over this thread's database connection."""

    backend = "hosted"
    version_check = VersionCheck.ATOMIC
    is_local = True
    tells_all = True

    def __init__(self, organization: Organization, *, origin: str = "") -> None:
        """`origin` is the id of the connection on whose behalf is written."""
        self.organization, self.origin = organization, origin
        with _translated():
            self.store = Store(organization)

    def identify(self) -> Identity:
        """Say which organization this is; there is no login and so no user."""
        return Identity(
            organization_id=str(self.organization.pk),
            organization_name=str(self.organization),
            user_id="",
            languages=tuple(self.organization.languages),
        )

    def entities(self) -> Iterator[EntitySummary]:
        """List the entities that are not hidden, one definition at a time."""
        self.store.catalog.refresh()
        for entity in self.store.catalog.entities():
            if not (entity.is_hidden or entity.is_view):
                yield EntitySummary(
                    name=entity.name,
                    label=entity.label,
                    is_intersect=entity.is_intersect,
                    is_activity=entity.is_activity,
                    is_custom=entity.is_custom,
                    tracks_changes=entity.tracks_changes,
                )

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        """Yield definitions without what is hidden. Raises UnknownEntity."""
        self.store.catalog.refresh()
        for name in names:
            entity = self._known(name)
            shown = tuple(item for item in entity.attributes if not item.is_hidden)
            yield replace(entity, attributes=shown)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield pages by id, or those changed since a checkpoint by version.

        Raises CheckpointExpired, MetadataChanged, UnknownEntity.
        """
        wanted = self._columns(request.entity, request.attributes)
        if not request.since:
            yield from self._everything(request, wanted)
        elif request.since.isdigit():
            yield from self._changes(request, wanted, int(request.since))
        else:
            raise CheckpointExpired(f"'{request.since[:80]}' is no row version.")

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        """Yield all ids inside the filter, ascending, in batches."""
        with _translated():
            yield from self.store.ids(query or Query(entity=entity.name))

    def matching(self, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
        """Return those of `ids` whose records are inside the filter now."""
        with _translated():
            return self.store.matching(entity, query, ids)

    def buckets(
        self, entity: Entity, attributes: Sequence[Attribute], query: Query | None = None
    ) -> Mapping[int, tuple[int, str]]:
        """Return number and digest of the records in each bucket of ids, by SQL."""
        wanted = self._columns(entity, attributes)
        with _translated():
            return self.store.buckets(entity, wanted, query)

    def hashes(
        self,
        entity: Entity,
        attributes: Sequence[Attribute],
        query: Query | None,
        buckets: Collection[int],
    ) -> Iterator[Sequence[tuple[str, str]]]:
        """Yield id and hash of the records in these buckets, by SQL."""
        wanted = self._columns(entity, attributes)
        with _translated():
            yield from self.store.hashes(entity, wanted, query, buckets)

    def count(self, entity: Entity, query: Query | None = None) -> int:
        """Count records exactly."""
        with _translated():
            return self.store.count_records(entity, query)

    def estimate(self, entity: Entity, query: Query | None = None) -> int | None:
        """Return the exact number; counting costs little here."""
        return self.count(entity, query)

    def highest_version(self, entity: Entity) -> int:
        """Return the highest version among the records there are, 0 if there is none."""
        with _translated():
            return self.store.highest_version(entity)

    def edits(self, names: Collection[str], since: int, *, limit: int = MOST_ROWS) -> Edits:
        """Return what the change log tells of others; the log is kept whole."""
        with _translated():
            return Journal(self.store, self.origin).edits(names, since, limit)

    def version_at(self, moment: datetime) -> int:
        """Return the highest version that was written before that moment."""
        with _translated():
            return self.store.version_before(moment)

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        """Return those of these records that exist."""
        wanted = self._columns(entity, attributes)
        with _translated():
            return _page(entity, wanted, self.store.fetch(entity, wanted, ids))

    def is_empty(self, entity: Entity) -> bool:
        """Return whether the entity has no record at all."""
        return self.highest_version(entity) == 0

    def render(self, entity: Entity, columns: Sequence[str], rows: Sequence[Row]) -> Rendered:
        """Return rows as lines of COPY."""
        return Store.render(entity, columns, rows)

    def stage(self, entity: Entity, batch: Batch) -> Batch:
        """Copy the batch next to its table; inside the transaction that will write it."""
        with _translated():
            staged = self.store.stage(
                entity,
                action=batch.action,
                columns=batch.columns,
                rows=batch.rows,
                expected=batch.expected,
                rendered=batch.rendered,
            )
        return replace(batch, staged=staged)

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Merge a batch in the caller's transaction, or in one of its own."""
        with _translated(), transaction.atomic(savepoint=False):
            ready = batch if batch.staged is not None else self.stage(entity, batch)
            if not isinstance(ready.staged, Staged):
                raise TypeError("The batch was staged by another connector.")
            merged = self.store.merge(ready.staged, origin=self.origin)
        failed = {position: _failure(fault) for position, fault in merged.failed.items()}
        return BatchResult(ids=merged.ids, versions=merged.versions, failed=failed)

    def rehearse(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write the batch in a transaction that is rolled back."""
        with _translated(), transaction.atomic():
            result = self.write(entity, batch)
            transaction.set_rollback(True)
        return result

    def _everything(self, request: ReadRequest, wanted: Sequence[str]) -> Iterator[Page]:
        checkpoint, after = _resumed(request.resume, "all") or (self.store.row_version(), None)
        size = min(request.page_size, MOST_ROWS)
        while True:
            with _translated():
                rows = self.store.page(
                    request.entity, wanted, filter=request.query, after=after, limit=size
                )
            after = str(rows[-1][0]) if rows else after
            if len(rows) < size:
                yield _page(request.entity, wanted, rows, checkpoint=str(checkpoint))
                return
            yield _page(request.entity, wanted, rows, resume=f"all:{checkpoint}:{after}")

    def _changes(self, request: ReadRequest, wanted: Sequence[str], since: int) -> Iterator[Page]:
        self._check_known(request.entity, since)
        until, after = _resumed(request.resume, "since") or (self.store.row_version(), str(since))
        last, size = int(after or since), min(request.page_size, MOST_ROWS)
        while True:
            with _translated():
                rows = self.store.page(
                    request.entity,
                    wanted,
                    filter=request.query,
                    since=last,
                    until=until,
                    limit=size,
                )
            if len(rows) < size:
                break
            last = _version(rows[-1])
            yield _page(request.entity, wanted, rows, resume=f"since:{until}:{last}")
        with _translated():
            deleted = self.store.deleted(request.entity, since=since, until=until)
        again = f"since:{until}:{until}"
        while len(deleted) > size:
            yield _page(request.entity, wanted, rows, deleted=deleted[:size], resume=again)
            rows, deleted = [], deleted[size:]
        yield _page(request.entity, wanted, rows, deleted=deleted, checkpoint=str(until))

    def _check_known(self, entity: Entity, since: int) -> None:
        rows = EntityDefinition.objects.filter(organization=self.organization, name=entity.name)
        known = rows.values_list("tracks_since", flat=True).first()
        if known is None or since < known or since > self.store.row_version():
            raise CheckpointExpired(
                f"Changes of '{entity.name}' since version {since} are not known in "
                f"organization '{self.organization}'."
            )

    def _columns(self, entity: Entity, attributes: Sequence[Attribute]) -> list[str]:
        self.store.catalog.refresh()
        known = columns(self._known(entity.name))
        wanted = {entity.primary_id} | {item.name for item in attributes}
        if missing := wanted - {column.attribute.name for column in known}:
            raise MetadataChanged(
                f"Entity '{entity.name}' has no attribute '{min(missing)}' any more in "
                f"organization '{self.organization}'. Run Update Server."
            )
        return [column.name for column in known if column.attribute.name in wanted]

    def _known(self, name: str) -> Entity:
        try:
            entity = self.store.catalog.entity(name)
        except NotFound as error:
            raise UnknownEntity(name) from error
        if entity.is_hidden:
            raise UnknownEntity(name)
        return entity


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the store's errors into those of connectors."""
    try:
        yield
    except SchemaConflict as error:
        raise MetadataChanged(str(error)) from error
    except NotFound as error:
        raise (
            UnknownEntity(error.name) if error.kind == "entity" else Refused(str(error))
        ) from error
    except OrganizationError as error:
        raise Refused(str(error)) from error
    except OperationalError as error:
        raise Retryable(f"The database did not answer: {error}") from error


def _failure(fault: Fault) -> Failure:
    return Failure(
        kind=FailureKind(fault.kind.value),
        code=fault.code,
        message=fault.message,
        version=fault.version,
    )


def _resumed(resume: str | None, kind: str) -> tuple[int, str] | None:
    if not resume:
        return None
    start, _, rest = resume.partition(":")
    checkpoint, _, last = rest.partition(":")
    if start != kind or not checkpoint.isdigit() or not last:
        raise CheckpointExpired(f"'{resume[:80]}' does not continue this reading.")
    return int(checkpoint), last


def _page(
    entity: Entity,
    wanted: Sequence[str],
    rows: Sequence[Row],
    *,
    deleted: Sequence[str] = (),
    resume: str | None = None,
    checkpoint: str | None = None,
) -> Page:
    return Page(
        entity=entity.name,
        columns=tuple(wanted),
        rows=[row[:-1] for row in rows],
        versions=[_version(row) for row in rows],
        deleted=deleted,
        resume=resume,
        checkpoint=checkpoint,
    )


def _version(row: Row) -> int:
    return int(row[-1] or 0)
