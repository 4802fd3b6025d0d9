"""What to do about a cause: one sentence, and one button that does it.

The meanings of Dataverse's codes are those of the connector; where a cause needs more than another
try, it has a line of its own here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from connections.connectors.dynamics import errors
from connections.models import Connection, Endpoint, SyncedEntity
from organizations.errors import InvalidRequest, NotFound
from organizations.models import Organization
from organizations.store import Store
from syncjobs import handling
from syncjobs.causes import Cause, of_cause
from syncjobs.engine.values import Side
from syncjobs.models import Link, OfflineTransaction, TransactionEvent

_Status = OfflineTransaction.Status
_MISSING = re.compile(
    r"(?P<entity>[a-z_][a-z0-9_]*)'? With Id = (?P<id>[0-9a-f-]{36})", re.IGNORECASE
)
_GENERAL = "Correct what the server's words name, then deliver again."


class Step(StrEnum):
    """What the button does."""

    RETRY = "retry"
    COPY_PARENTS = "copy_parents"
    DECIDE = "decide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What to do about one cause: in words, the step, and what its button says."""

    words: str
    step: Step
    button: str


def recipe(connection: Connection, cause: Cause) -> Recipe:
    """Return what to do about a cause."""
    if cause.is_conflict:
        return Recipe(
            words="Both sides changed these records. Open one to choose field by field, or choose "
            "one side for all.",
            step=Step.DECIDE,
            button=f"Choose for all {cause.count:,}",
        )
    if errors.normal(cause.code) == errors.NOT_FOUND:
        return _of_parents(connection, cause)
    words = _advice(connection, cause)
    return Recipe(words=words, step=Step.RETRY, button=f"Retry {cause.count:,}")


def follow(
    connection: Connection, cause: Cause, step: str, *, side: Side | None = None, actor: str
) -> int:
    """Carry out the recipe of a cause; return how many transactions are delivered again.

    `step` is what was shown: raises InvalidRequest when the cause asks for another by now, or
    (element `side`) when conflicts are to be decided and no side was chosen.
    """
    wanted = recipe(connection, cause).step
    if step != wanted:
        raise InvalidRequest("The cause has changed since the page was shown. Look again.", "step")
    if wanted == Step.DECIDE:
        if side is None:
            raise InvalidRequest("Choose one side: 'server' or 'client'.", "side")
        return handling.decide_all(connection, cause=cause, side=side, actor=actor)
    with transaction.atomic():
        if wanted == Step.COPY_PARENTS:
            _copy(connection, _missing(connection, cause), actor)
        return handling.set_all_pending(connection, cause=cause, actor=actor)


def found(connection: Connection, key: str, entity: str) -> Cause:
    """Return a cause by its key and entity. Raises NotFound when nothing fails for it any more."""
    cause = of_cause(connection, key, entity)
    if cause is None:
        raise NotFound("cause", key)
    return cause


def _advice(connection: Connection, cause: Cause) -> str:
    if connection.server.backend != Endpoint.Backend.DYNAMICS:
        return _GENERAL
    known = errors.CODES.get(errors.normal(cause.code))
    return f"{known.advice} Then deliver again." if known else _GENERAL


def _of_parents(connection: Connection, cause: Cause) -> Recipe:
    missing = _missing(connection, cause)
    copied = [parent for parent in missing if parent.row is not None]
    if not copied:
        return Recipe(
            words="These records refer to records that are neither on the server nor, enabled, on "
            "the client. Clear the lookup or enable the entity, then deliver again.",
            step=Step.RETRY,
            button=f"Retry {cause.count:,}",
        )
    many = f"{len(copied):,} missing parent{'s' * (len(copied) != 1)}"
    rest = len(missing) - len(copied)
    left = f" {rest:,} more are not on the client either; clear those lookups." if rest else ""
    return Recipe(
        words=f"These records refer to {many} that the server does not have. Copy them from the "
        f"client first.{left}",
        step=Step.COPY_PARENTS,
        button=f"Copy the {many}, then retry {cause.count:,}",
    )


@dataclass(frozen=True, slots=True)
class _Parent:
    """A record that the server misses; `row` is its entity if it can be copied there."""

    id: str
    row: SyncedEntity | None
    version: int


def _missing(connection: Connection, cause: Cause) -> list[_Parent]:
    """Return the records that the messages of a cause name, each once."""
    failed = handling.of_connection(connection).filter(status=_Status.ERROR, cause=cause.key)
    named: dict[str, set[str]] = {}
    for message in failed.filter(entity=cause.entity).values_list("message", flat=True).iterator():
        for match in _MISSING.finditer(message):
            named.setdefault(match["entity"].lower(), set()).add(str(UUID(match["id"])))
    organization = connection.client.organization
    parents: list[_Parent] = []
    for name, ids in sorted(named.items()):
        row = connection.entities.filter(name=name, enabled=True).first()
        parents += _looked_up(organization, row, name, sorted(ids))
    return parents


def _looked_up(
    organization: Organization | None, row: SyncedEntity | None, name: str, ids: list[str]
) -> Iterator[_Parent]:
    versions: dict[str, int] = {}
    if organization is not None and row is not None:
        store = Store(organization)
        entity = store.catalog.entity(name)
        rows = store.fetch(entity, [entity.primary_id], ids)
        versions = {str(found[0]): int(found[-1] or 0) for found in rows}
    for one in ids:
        yield _Parent(one, row if one in versions else None, versions.get(one, 0))


def _copy(connection: Connection, parents: Iterable[_Parent], actor: str) -> None:
    """Queue the creation of each parent, unless one waits already."""
    for parent in parents:
        if parent.row is None or _waits(parent.row, parent.id):
            continue
        # What the server no longer has is no longer linked.
        Link.objects.filter(entity=parent.row, client_id=parent.id).delete()
        made = OfflineTransaction.objects.create(
            connection=connection,
            entity=parent.row,
            client_id=parent.id,
            action=OfflineTransaction.Action.CREATE,
            changes=None,
            version=parent.version,
            first_version=parent.version,
            actor=actor,
        )
        TransactionEvent.objects.create(
            transaction=made,
            status=made.status,
            why="Copied, because other changes refer to this record.",
            actor=actor,
        )


def _waits(row: SyncedEntity, client_id: str) -> bool:
    waiting = row.transactions.filter(client_id=client_id, action="create")
    again = waiting.filter(status__in=(_Status.PENDING, _Status.ERROR))
    again.filter(status=_Status.ERROR).update(status=_Status.PENDING, next_attempt=None)
    return again.exists()
