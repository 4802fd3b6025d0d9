"""Offline transactions as rows: the engine's queue, and what is waiting for which record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection as database
from django.db.models import Q
from django.utils import timezone

from connections.models import Connection
from syncjobs import transaction_values as values
from syncjobs.causes import cause_of
from syncjobs.engine.plan import Waiting
from syncjobs.engine.protocols import Queue
from syncjobs.engine.transactions import Action, Status, Transaction
from syncjobs.engine.values import Side
from syncjobs.models import ClientCheckpoint, OfflineTransaction, Run, TransactionEvent

PROCESSED_KEPT = timedelta(days=90)
"""How long a delivered transaction is kept, with its history."""

_Status = OfflineTransaction.Status
_WAITING = (_Status.PENDING, _Status.ERROR)
_DONE = (Status.PROCESSED, Status.ARCHIVED)
_ORDER = ("first_version", "id")
_BATCH = 1000
_WRITTEN = (
    "action",
    "changes",
    "version",
    "first_version",
    "based_on",
    "actor",
    "at",
    "status",
    "attempts",
    "next_attempt",
    "code",
    "message",
    "cause",
    "conflict",
    "choices",
    "finished",
)


class DatabaseQueue(Queue):
    """The transactions of one connection; `run` and `actor` are named in their history."""

    def __init__(self, connection: Connection, *, run: Run | None = None, actor: str = "") -> None:
        """Work for one connection."""
        self._connection, self._run, self._actor = connection, run, actor

    @property
    def connected(self) -> datetime:
        """When the connection was made."""
        return self._connection.created

    def collected(self, entities: Sequence[int], *, hold: bool = False) -> Mapping[int, int]:
        """Return up to where changes were collected; `hold` locks the connection's row."""
        if hold:
            rows = Connection.objects.select_for_update(no_key=True)
            rows.filter(pk=self._connection.pk).values_list("pk").get()
        found = ClientCheckpoint.objects.filter(entity__in=entities)
        return dict(found.values_list("entity_id", "version"))

    def save_collected(self, entities: Sequence[int], version: int) -> None:
        """Insert or replace these entities' positions."""
        ClientCheckpoint.objects.bulk_create(
            [ClientCheckpoint(entity_id=key, version=version) for key in entities],
            update_conflicts=True,
            unique_fields=["entity"],
            update_fields=["version"],
        )

    def of_records(
        self, entity: int, client_ids: Sequence[str]
    ) -> Mapping[str, Sequence[Transaction]]:
        """Return what waits for these records; inside a page its rows are locked."""
        rows = OfflineTransaction.objects.filter(
            entity=entity, client_id__in=client_ids, status__in=_WAITING
        ).order_by(*_ORDER)
        if database.in_atomic_block:
            rows = rows.select_for_update(no_key=True)
        found: dict[str, list[Transaction]] = {}
        for row in rows:
            found.setdefault(str(row.client_id), []).append(transaction_of(row))
        return found

    def due(self, entities: Sequence[int], now: datetime) -> Sequence[Transaction]:
        """Return the Pending ones whose time has come, oldest first."""
        rows = OfflineTransaction.objects.filter(
            Q(next_attempt=None) | Q(next_attempt__lte=now),
            connection=self._connection,
            entity__in=entities,
            status=_Status.PENDING,
        )
        return [transaction_of(row) for row in rows.order_by(*_ORDER).iterator()]

    def add(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Insert new ones."""
        rows = [self._row(item) for item in transactions]
        OfflineTransaction.objects.bulk_create(rows, batch_size=_BATCH)
        if why:
            self._tell(((row.pk, row.status) for row in rows), why)

    def save(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Write known ones back, and the history of those whose status changed."""
        ids = [item.id for item in transactions]
        before = dict(OfflineTransaction.objects.filter(pk__in=ids).values_list("pk", "status"))
        known = [item for item in transactions if item.id in before]
        OfflineTransaction.objects.bulk_create(
            [self._row(item) for item in known],
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=_WRITTEN,
        )
        changed = [(item.id, item.status) for item in known if item.status != before[item.id]]
        self._tell(changed, why)

    def _tell(self, changed: Iterable[tuple[int, str]], why: str) -> None:
        TransactionEvent.objects.bulk_create(
            [
                TransactionEvent(
                    transaction_id=pk, status=status, why=why, actor=self._actor, run=self._run
                )
                for pk, status in changed
            ],
            batch_size=_BATCH,
        )

    def _row(self, item: Transaction) -> OfflineTransaction:
        return OfflineTransaction(
            pk=item.id or None,
            connection=self._connection,
            entity_id=item.entity,
            client_id=item.client_id,
            action=item.action,
            changes=values.dump_changes(item.changes),
            version=item.version,
            first_version=item.first_version,
            based_on=item.based_on,
            actor=item.actor,
            at=item.at,
            status=item.status,
            attempts=item.attempts,
            next_attempt=item.next_attempt,
            code=item.code[:60],
            message=item.message,
            cause=cause_of(item.code, item.message) if item.status is Status.ERROR else "",
            conflict=values.dump_conflict(item.conflict),
            choices=dict(item.choices),
            finished=timezone.now() if item.status in _DONE else None,
        )


def transaction_of(row: OfflineTransaction) -> Transaction:
    """Return a row as the engine's value."""
    return Transaction(
        id=row.pk,
        entity=row.entity_id,
        client_id=str(row.client_id),
        action=Action(row.action),
        changes=values.load_changes(row.changes),
        version=row.version,
        first_version=row.first_version,
        based_on=row.based_on,
        actor=row.actor,
        at=row.at,
        status=Status(row.status),
        attempts=row.attempts,
        next_attempt=row.next_attempt,
        code=row.code,
        message=row.message,
        conflict=values.load_conflict(row.conflict),
        choices={name: Side(side) for name, side in row.choices.items()},
    )


def waiting(entity: int, client_ids: Sequence[str]) -> Mapping[str, Waiting]:
    """Return the newest transaction of each record that was not delivered, by client id."""
    rows = OfflineTransaction.objects.filter(entity_id=entity, client_id__in=client_ids)
    newest = rows.order_by("client_id", "-first_version", "-id").distinct("client_id")
    return {
        str(row.client_id): Waiting(
            version=row.version,
            is_delete=row.action == OfflineTransaction.Action.DELETE,
            is_set_aside=row.status == _Status.ARCHIVED,
        )
        for row in newest
        if row.status != _Status.PROCESSED
    }


def forget_delivered(now: datetime) -> int:
    """Remove delivered transactions whose time is over, with their history; return how many."""
    old = OfflineTransaction.objects.filter(
        status=_Status.PROCESSED, finished__lt=now - PROCESSED_KEPT
    )
    removed = 0
    while batch := list(old.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        OfflineTransaction.objects.filter(pk__in=batch).delete()
        removed += len(batch)
    return removed
