"""Offline transactions as rows: the engine's queue, and what is waiting for which record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection as database

from connections.models import Connection
from syncjobs import transaction_rows as rows
from syncjobs.engine.plan import Waiting
from syncjobs.engine.protocols import Queue
from syncjobs.engine.transactions import Transaction
from syncjobs.models import ClientCheckpoint, OfflineTransaction, Run, TransactionEvent

PROCESSED_KEPT = timedelta(days=90)
"""How long a delivered transaction is kept, with its history."""

_Status = OfflineTransaction.Status
_BATCH = 1000
_OF_RECORDS = """
    entity_id = %(entity)s AND client_id = ANY(%(ids)s::uuid[])
        AND status IN ('pending', 'error')
"""
_PAIRS = "entity_id = %(entity)s AND action = 'associate' AND status IN ('pending', 'error')"
_DELETIONS = """
    connection_id = %(connection)s AND entity_id = ANY(%(entities)s) AND action = 'delete'
        AND status IN ('pending', 'error')
"""
_DUE = """
    connection_id = %(connection)s AND entity_id = ANY(%(entities)s) AND status = 'pending'
        AND (next_attempt IS NULL OR next_attempt <= %(now)s)
"""


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
        parameters = {"entity": entity, "ids": list(client_ids)}
        found: dict[str, list[Transaction]] = {}
        for item in rows.select(_OF_RECORDS, parameters, lock=database.in_atomic_block):
            found.setdefault(item.client_id, []).append(item)
        return found

    def due(self, entities: Sequence[int], now: datetime) -> Sequence[Transaction]:
        """Return the Pending ones whose time has come, oldest first."""
        parameters = {"connection": self._connection.pk, "entities": list(entities), "now": now}
        return rows.select(_DUE, parameters)

    def deletions(self, entities: Sequence[int]) -> Sequence[Transaction]:
        """Return the waiting deletions of records, oldest first."""
        parameters = {"connection": self._connection.pk, "entities": list(entities)}
        return rows.select(_DELETIONS, parameters)

    def add(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Insert new ones."""
        ids = rows.insert(self._connection.pk, transactions)
        if why:
            statuses = (item.status for item in transactions)
            self._tell(zip(ids, statuses, strict=True), why)

    def save(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Write known ones back, and the history of those whose status changed."""
        ids = [item.id for item in transactions]
        before = dict(OfflineTransaction.objects.filter(pk__in=ids).values_list("pk", "status"))
        rows.update(transactions)
        changed = (item for item in transactions if before.get(item.id, item.status) != item.status)
        self._tell(((item.id, item.status) for item in changed), why)

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


def waiting(entity: int, client_ids: Sequence[str]) -> Mapping[str, Waiting]:
    """Return the newest transaction of each record that was not delivered, by client id."""
    found = OfflineTransaction.objects.filter(entity_id=entity, client_id__in=client_ids)
    found = found.exclude(status=_Status.ARCHIVED, side=OfflineTransaction.Side.SERVER)
    newest = found.order_by("client_id", "-version", "-first_version", "-id")
    return {
        str(row.client_id): Waiting(
            version=row.version,
            is_delete=row.action == OfflineTransaction.Action.DELETE,
            is_set_aside=row.status == _Status.ARCHIVED,
        )
        for row in newest.distinct("client_id")
        if row.status != _Status.PROCESSED
    }


def count_waiting(entity: int) -> int:
    """Return how many changes of the entity's records were not delivered."""
    found = OfflineTransaction.objects.filter(entity_id=entity)
    return found.filter(status__in=(_Status.PENDING, _Status.ERROR)).count()


def waiting_pairs(entity: int) -> Sequence[Transaction]:
    """Return the pairs that were made on the client and not delivered, oldest first."""
    return rows.select(_PAIRS, {"entity": entity})


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
