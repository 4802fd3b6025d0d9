"""The recycle bin of a connection's client: searching, restoring, and how long it is kept.

What the connection itself deleted comes back with the same id, and apart from the server: its link
says that the server has it no more, and nobody deletes it again, until somebody chooses to *keep*
it on the client only or to *follow* the server again. What a user of the client deleted comes back
as if that user had made it again, so that it is delivered like any other change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Cast
from django.utils import timezone

from connections.connectors.hosted import HostedConnector
from connections.models import Connection, SyncedEntity
from organizations.errors import OrganizationError
from organizations.models import DeletedRecord, Organization
from organizations.store import Store
from syncjobs import entity_tasks
from syncjobs.engine.layout import Layout
from syncjobs.engine.values import EntityTask, LinkState
from syncjobs.models import HeldDeletions, LeftBehind, Link

State = HeldDeletions.State
RESTORED = "Restored from the recycle bin."
KEPT = "Restored from the recycle bin, and kept on the client only."


@dataclass(slots=True)
class Restored:
    """How many records came back, and why others did not: one sentence each."""

    count: int = 0
    failed: list[str] = field(default_factory=list)


def deleted_records(
    connection: Connection, *, entity: str = "", search: str = ""
) -> QuerySet[DeletedRecord]:
    """Return what is in the bin, the last first; none where the client is not hosted here.

    `search`: a part of any value, or a whole id.
    """
    organization = connection.client.organization
    if organization is None:
        return DeletedRecord.objects.none()
    found = organization.recycle_bin.order_by("-pk")
    if entity:
        found = found.filter(entity=entity)
    if search:
        wanted = Q(text__icontains=search)
        found = found.annotate(text=Cast("document", models.TextField())).filter(wanted)
    return found


def name_of(row: DeletedRecord, primary_names: Mapping[str, str]) -> str:
    """Return what the record was called; its id where it had no name."""
    return str(row.document.get(primary_names.get(row.entity, "")) or row.record)


def primary_names(organization: Organization, entities: Iterable[str]) -> Mapping[str, str]:
    """Return entity → the attribute that names its records."""
    catalog, found = Store(organization).catalog, {}
    for name in set(entities):
        try:
            found[name] = catalog.entity(name).primary_name or ""
        except OrganizationError:  # no longer defined
            found[name] = ""
    return found


def restore(connection: Connection, rows: Sequence[DeletedRecord], *, actor: str) -> Restored:
    """Bring records back with their ids; one that cannot be costs only itself."""
    done = Restored()
    entities = {row.name: row for row in connection.entities.filter(enabled=True)}
    ours = str(connection.pk)
    for row in sorted(rows, key=lambda row: row.pk):
        is_ours = row.origin == ours and row.entity in entities
        try:
            with transaction.atomic():
                _store(connection).restore(row, actor=actor, origin=ours if is_ours else "")
                if is_ours:
                    _detach(connection, entities[row.entity], row)
        except OrganizationError as error:
            done.failed.append(f"{row.entity} {row.record}: {error}")
            continue
        done.count += 1
    return done


def undecided(connection: Connection) -> QuerySet[HeldDeletions]:
    """Return, by entity, what was restored and not decided about."""
    rows = HeldDeletions.objects.filter(
        entity__connection=connection, state=State.DECLINED, decided=None
    )
    return rows.select_related("entity").order_by("entity__name")


def keep(connection: Connection, entity: str, ids: Iterable[UUID], *, by: str) -> int:
    """Keep restored records on the client only, for good; return how many."""
    with transaction.atomic():
        taken = _take(connection, entity, ids)
        if taken is not None:
            row, chosen, sample = taken
            HeldDeletions.objects.create(
                entity=row.entity,
                state=State.DECLINED,
                reason=KEPT,
                server_ids=chosen,
                count=len(chosen),
                linked=0,
                sample=sample,
                decided=timezone.now(),
                decided_by=by,
            )
    return len(taken[1]) if taken is not None else 0


def follow(connection: Connection, entity: str, ids: Iterable[UUID]) -> int:
    """Let the server rule restored records again: the next run brings or deletes them."""
    with transaction.atomic():
        taken = _take(connection, entity, ids)
        if taken is not None:
            row, chosen, _ = taken
            LeftBehind.objects.bulk_create(
                [LeftBehind(entity=row.entity, server_id=item) for item in chosen],
                ignore_conflicts=True,
            )
    return len(taken[1]) if taken is not None else 0


def retain(at: datetime) -> int:
    """Empty the bins of clients of what is older than the connection says; return how much."""
    removed = 0
    for connection in Connection.objects.exclude(client__organization=None):
        until = at - timedelta(days=connection.recycle_days)
        old = DeletedRecord.objects.filter(
            organization=connection.client.organization_id, at__lt=until
        )
        removed += old.delete()[0]
    return removed


def _store(connection: Connection) -> Store:
    organization = connection.client.organization
    if organization is None:
        raise ValueError("Only a client that is hosted here has a recycle bin.")
    return Store(organization)


def _detach(connection: Connection, entity: SyncedEntity, row: DeletedRecord) -> None:
    """Link a restored record as deleted on the server, and keep it until somebody chooses."""
    store = _store(connection)
    connector = HostedConnector(store.organization)
    for task in entity_tasks.build([entity], connector):
        if isinstance(task, EntityTask):
            layout = Layout(task)
            page = connector.fetch(task.client, layout.client_attributes, [str(row.record)])
            Link.objects.filter(entity=entity, server_id=row.record).delete()
            Link.objects.create(
                entity=entity,
                server_id=row.record,
                client_id=row.record,
                client_version=page.versions[0],
                digest=layout.digests(layout.align(page))[0],
                state=LinkState.SERVER_DELETED,
            )
            names = primary_names(store.organization, [entity.name])
            _ask(entity, row.record, name_of(row, names))


def _ask(entity: SyncedEntity, record: UUID, name: str) -> None:
    rows = HeldDeletions.objects.select_for_update().filter(
        entity=entity, state=State.DECLINED, decided=None
    )
    row = rows.first() or HeldDeletions(
        entity=entity, state=State.DECLINED, reason=RESTORED, server_ids=[], count=0, linked=0
    )
    row.server_ids = [*row.server_ids, record]
    row.count = len(row.server_ids)
    row.sample = [*row.sample, {"id": str(record), "name": name, "why": "restored"}]
    row.save()


def _take(
    connection: Connection, entity: str, ids: Iterable[UUID]
) -> tuple[HeldDeletions, list[UUID], list[dict[str, str]]] | None:
    """Take records out of those that wait for a choice; None: none of them does."""
    rows = undecided(connection).select_for_update(of=("self",)).filter(entity__name=entity)
    row, wanted = rows.first(), set(ids)
    if row is None:
        return None
    chosen = [item for item in row.server_ids if item in wanted]
    texts = {str(item) for item in chosen}
    sample = [line for line in row.sample if line["id"] in texts]
    row.server_ids = [item for item in row.server_ids if item not in wanted]
    row.sample = [line for line in row.sample if line["id"] not in texts]
    row.count = len(row.server_ids)
    if not row.server_ids:
        row.state = State.OVER
    row.save()
    return (row, chosen, sample) if chosen else None
