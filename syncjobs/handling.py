"""What a person does with offline transactions: deliver again, set aside, decide a conflict.

Each step is written into the transaction's history. Nothing is delivered here: `delivery` and the
next run do that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from connections.models import Connection
from organizations.errors import InvalidRequest
from syncjobs.causes import Cause
from syncjobs.engine.values import Side
from syncjobs.lane import lane
from syncjobs.models import OfflineTransaction, TransactionEvent

PERMISSION = "syncjobs.change_offlinetransaction"
"""What a user needs to change transactions by hand, whichever door they use."""

PATIENCE = 5.0
"""Seconds that setting aside waits for a delivery under way."""

_Status = OfflineTransaction.Status
_AGAIN = (_Status.ERROR, _Status.ARCHIVED)
_WAITING = (_Status.PENDING, _Status.ERROR)


def of_connection(connection: Connection) -> QuerySet[OfflineTransaction]:
    """Return the connection's transactions, with what lists show."""
    return OfflineTransaction.objects.filter(connection=connection).select_related("entity")


def matching(
    rows: QuerySet[OfflineTransaction], *, status: str = "", search: str = "", cause: str = ""
) -> QuerySet[OfflineTransaction]:
    """Return those of one status, with that text in them, of one cause; empty: of all."""
    if status:
        rows = rows.filter(status=status)
    if cause:
        rows = rows.filter(cause=cause)
    return rows.filter(_holds(search)) if search else rows


def set_pending(connection: Connection, ids: Iterable[int], *, actor: str) -> int:
    """Schedule these for a new delivery; return how many.

    Those in Error, those set aside, and those that wait for their next attempt. What was
    delivered stays as it is.
    """
    waits = Q(status=_Status.PENDING, next_attempt__isnull=False)
    found = of_connection(connection).filter(pk__in=list(ids))
    return _again(found.filter(Q(status__in=_AGAIN) | waits), "Set to Pending.", actor)


def set_all_pending(connection: Connection, *, cause: Cause | None = None, actor: str) -> int:
    """Schedule all transactions in Error for a new delivery, or those of one cause."""
    return _again(_failed(connection, cause), "Set all to Pending.", actor)


def set_archived(connection: Connection, ids: Iterable[int], *, actor: str) -> int:
    """Set these aside, so that they are never delivered; return how many.

    Waits for a delivery under way, because what is on its way cannot be set aside any more.
    Raises LaneBusy if that takes longer than `PATIENCE`; then nothing was changed.
    """
    with lane(connection.pk, wait=PATIENCE), transaction.atomic():
        rows = of_connection(connection).filter(pk__in=list(ids), status__in=_WAITING)
        locked = [row.pk for row in rows.select_for_update(of=("self",))]
        changed = OfflineTransaction.objects.filter(pk__in=locked)
        count = changed.update(status=_Status.ARCHIVED, finished=timezone.now(), next_attempt=None)
        _write(locked, _Status.ARCHIVED, "Set to Archived.", actor)
    return count


def decide(
    row: OfflineTransaction, choices: Mapping[str, str], *, seen: tuple[int, int], actor: str
) -> None:
    """Choose server or client for each column of a conflict, and deliver it again.

    `seen` are the client's and the server's version that the person looked at. Raises
    InvalidRequest if there is no conflict, if it is another by now, or if a choice is missing.
    """
    with transaction.atomic():
        row = OfflineTransaction.objects.select_for_update().get(pk=row.pk)
        columns = _asked(row, seen)
        _check(columns, choices)
        row.choices = {name: choices[name] for name in columns}
        row.status, row.next_attempt = _Status.PENDING, None
        row.save(update_fields=["choices", "status", "next_attempt"])
        told = ", ".join(f"{name}: {side}" for name, side in row.choices.items())
        _write([row.pk], _Status.PENDING, f"Decided. {told}.", actor)


def decide_all(connection: Connection, *, cause: Cause, side: Side, actor: str) -> int:
    """Choose one side for every column of all conflicts of one cause; return how many."""
    count = 0
    for row in _failed(connection, cause).exclude(conflict=None).iterator():
        choices = dict.fromkeys(columns_of(row), side.value)
        decide(row, choices, seen=versions_of(row), actor=actor)
        count += 1
    return count


def columns_of(row: OfflineTransaction) -> list[str]:
    """Return the columns a conflict is about, by name; empty without one."""
    conflict = row.conflict or {}
    return sorted({*conflict.get("server", {}), *conflict.get("client", {})})


def versions_of(row: OfflineTransaction) -> tuple[int, int]:
    """Return the client's and the server's version that a conflict shows."""
    return row.version, int((row.conflict or {}).get("server_version", 0))


def _asked(row: OfflineTransaction, seen: tuple[int, int]) -> list[str]:
    if row.status != _Status.ERROR or not row.conflict:
        raise InvalidRequest(
            "This transaction has no conflict to decide any more. Look at its history.", "choices"
        )
    if versions_of(row) != seen:
        raise InvalidRequest(
            "The record was changed again since the page was shown. Look at the new values, then "
            "choose.",
            "seen",
        )
    return columns_of(row)


def _failed(connection: Connection, cause: Cause | None) -> QuerySet[OfflineTransaction]:
    """Return what is in Error; of a cause, of its entity only: others may have the same key."""
    rows = of_connection(connection).filter(status=_Status.ERROR)
    return rows if cause is None else rows.filter(cause=cause.key, entity=cause.entity)


def _holds(search: str) -> Q:
    try:
        return Q(client_id=UUID(search))
    except ValueError:
        texts = ("entity__name", "entity__label", "actor", "code", "message", "text")
        wanted = Q()
        for name in texts[:-1]:
            wanted |= Q(**{f"{name}__icontains": search})
        held = OfflineTransaction.objects.annotate(text=Cast("changes", TextField()))
        return wanted | Q(pk__in=held.filter(text__icontains=search).values("pk"))


def _check(columns: Sequence[str], choices: Mapping[str, str]) -> None:
    for name in sorted(choices.keys() - set(columns)):
        raise InvalidRequest(
            f"This conflict is not about '{name}'. Choose for: {', '.join(columns)}.", "choices"
        )
    for name in columns:
        if choices.get(name) not in (Side.SERVER, Side.CLIENT):
            raise InvalidRequest(
                f"Choose 'server' or 'client' for '{name}'; it is '{choices.get(name, '')}'.",
                "choices",
            )


def _again(rows: QuerySet[OfflineTransaction], why: str, actor: str) -> int:
    with transaction.atomic():
        locked = [row.pk for row in rows.select_for_update(of=("self",))]
        changed = OfflineTransaction.objects.filter(pk__in=locked)
        changed.update(status=_Status.PENDING, next_attempt=None, finished=None)
        _write(locked, _Status.PENDING, why, actor)
    return len(locked)


def _write(ids: Iterable[int], status: str, why: str, actor: str) -> None:
    TransactionEvent.objects.bulk_create(
        TransactionEvent(transaction_id=pk, status=status, why=why, actor=actor) for pk in ids
    )
