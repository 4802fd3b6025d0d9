"""`Sync-State`: a client's caller waits until its change has reached the server, or so long.

Only where the connection says "deliver, then answer". The change is committed before anything is
sent, and stays whatever the server says (design 5.1.6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from uuid import UUID

from django.db import connection as database
from django.http import HttpRequest, HttpResponseBase

from connections.models import Connection
from organizations.models import ChangeLog
from syncjobs import deliver, instant
from syncjobs.models import ClientCheckpoint, OfflineTransaction

HEADER = "Sync-State"
_Status = OfflineTransaction.Status


class SyncState(StrEnum):
    """What became of the changes of one request, the worst of them."""

    DELIVERED = "delivered"
    PENDING = "pending"
    ERROR = "error"


class SyncStateMiddleware:
    """Delivers what a request changed before it is answered, where that is wanted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with the header if a hosted client was changed whose callers wait."""
        with instant.noting() as written:
            response = self.get_response(request)
        states = [_deliver(pk, versions) for pk, versions in written.items()]
        if states:
            response.headers[HEADER] = _worst(states).value
        return response


def state_of(connection: Connection, versions: Sequence[int]) -> SyncState:
    """Return what became of the changes with these versions of the client."""
    entities = dict(connection.entities.filter(enabled=True).values_list("name", "pk"))
    log = ChangeLog.objects.filter(
        organization=connection.client.organization, version__in=versions, entity__in=entities
    )
    changed = log.values_list("entity", "record", "version")
    return _worst(_state(entities[name], record, version) for name, record, version in changed)


def _deliver(connection_id: UUID, versions: Sequence[int]) -> SyncState:
    connection = Connection.objects.get(pk=connection_id)
    if database.in_atomic_block:  # never wait for a server inside a transaction
        instant.wake(connection_id)
    else:
        deliver.deliver(connection_id, seconds=connection.reply_seconds)
    state = state_of(connection, versions)
    if state is SyncState.PENDING:
        instant.wake(connection_id)
    return state


def _state(entity: int, record: UUID, version: int) -> SyncState:
    """Return the state of the transaction that took this change in; none: not collected yet."""
    rows = OfflineTransaction.objects.filter(entity=entity, client_id=record)
    # What keeps the server's losing values is nobody's change.
    ours = rows.exclude(side=OfflineTransaction.Side.SERVER)
    taken = ours.filter(version__gte=version, first_version__lte=version)
    states = [_of_row(row) for row in taken]
    if states:
        return _worst(states)
    position = _position(entity)
    return SyncState.DELIVERED if position >= version else SyncState.PENDING


def _position(entity: int) -> int:
    """Return up to which version of the client the changes of an entity were collected."""
    found = ClientCheckpoint.objects.filter(entity=entity)
    return found.values_list("version", flat=True).first() or 0


def _of_row(row: OfflineTransaction) -> SyncState:
    if row.status == _Status.PENDING:
        return SyncState.PENDING
    lost = row.status == _Status.ARCHIVED and bool(row.conflict)
    return SyncState.ERROR if lost or row.status == _Status.ERROR else SyncState.DELIVERED


def _worst(states: Iterator[SyncState] | Sequence[SyncState]) -> SyncState:
    found = set(states)
    order = (SyncState.ERROR, SyncState.PENDING, SyncState.DELIVERED)
    return next((state for state in order if state in found), SyncState.DELIVERED)
