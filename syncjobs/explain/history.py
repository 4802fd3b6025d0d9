"""What happened to a record, as rows tell: images, errors of runs, transactions, change logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Func, IntegerField, Q, Value

from connections.models import Endpoint, SyncedEntity
from organizations.models import ChangeLog, DeletedRecord
from organizations.records import Action
from syncjobs import images
from syncjobs.engine.values import Side
from syncjobs.explain.story import Changed, Event
from syncjobs.models import (
    HeldDeletions,
    Image,
    LeftBehind,
    OfflineTransaction,
    Run,
    RunError,
    TransactionEvent,
)

MOST = 100
"""Of more events of one kind, only the newest are told."""

_DONE = {"create": "Created", "update": "Changed", "delete": "Deleted"}
Row = Mapping[str, Any]
Written = list[tuple[str, int]]
"""Action and version of each write that left an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The record whose history is told, and what both sides hold of it now, in their own terms."""

    entity: SyncedEntity
    server_id: str
    client_id: str
    server: Row | None = None
    client: Row | None = None

    @property
    def ids(self) -> set[str]:
        """Its ids, of both sides."""
        return {self.server_id, self.client_id}


def events(subject: Subject) -> list[Event]:
    """Return what happened, the newest first."""
    written: dict[Side, Written] = {Side.SERVER: [], Side.CLIENT: []}
    found = [
        *_writes(subject, Side.SERVER, subject.server_id, subject.server, written),
        *_writes(subject, Side.CLIENT, subject.client_id, subject.client, written),
        *_problems(subject),
        *_transactions(subject),
    ]
    connection = subject.entity.connection
    for side, endpoint, id_ in (
        (Side.CLIENT, connection.client, subject.client_id),
        (Side.SERVER, connection.server, subject.server_id),
    ):
        found += _logged(subject, side, endpoint, id_, written[side])
        found += _in_bin(subject, side, endpoint, id_)
    return sorted(found, key=lambda event: event.at, reverse=True)


def waits(subject: Subject) -> list[str]:
    """Return sentences about what waits for the record."""
    found = []
    if LeftBehind.objects.filter(entity=subject.entity, server_id=subject.server_id).exists():
        found.append("A run could not carry it. The next run reads it again.")
    for one in _transactions_of(subject).filter(status__in=("pending", "error")):
        said = f"{one.get_action_display()} waits for its delivery to the server"
        if one.status == OfflineTransaction.Status.ERROR:
            said = f"{one.get_action_display()} was not accepted by the server"
        at = one.next_attempt
        when = f", next attempt {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
        why = f": {one.message}" if one.message else "."
        found.append(f"{said} (attempts: {one.attempts}{when}){why}")
    held = HeldDeletions.objects.filter(
        entity=subject.entity, state="waiting", server_ids__contains=[subject.server_id]
    )
    found += [f"Its deletion waits for a decision: {one.reason}" for one in held]
    return found


def _writes(
    subject: Subject,
    side: Side,
    id_: str,
    now: Row | None,
    written: dict[Side, list[tuple[str, int]]],
) -> Iterator[Event]:
    """Yield the writes that left an image, the newest first."""
    after, raw = now, UUID(id_).bytes
    for image in _images(subject.entity, side, raw):
        place = images.places(image, {raw})[raw]
        written[side].append((image.action, images.version_at(image, place)))
        before = _before(image, place)
        changes = _differences(before, after) if image.action == Action.UPDATE else ()
        yield Event(
            at=image.at,
            kind="write",
            what=f"{_DONE[image.action]} on the {side.value}{_why(image.run)}.",
            run=str(image.run_id or ""),
            actor=image.run.actor if image.run else "",
            changes=changes,
        )
        after = before if image.action != Action.CREATE else None


def _images(entity: SyncedEntity, side: Side, raw: bytes) -> list[Image]:
    place = Func(
        Value(raw),
        F("ids"),
        function="POSITION",
        template="%(function)s(%(expressions)s)",
        arg_joiner=" IN ",
        output_field=IntegerField(),
    )
    rows = Image.objects.filter(entity=entity, side=side).annotate(place=place).filter(place__gt=0)
    newest = rows.select_related("run").order_by("-pk")[:MOST]
    # An id can also appear across the end of one and the beginning of the next.
    return [image for image in newest if images.places(image, {raw})]


def _before(image: Image, place: int) -> Row | None:
    found = images.read(image)
    if not found.before:
        return None
    return dict(zip(found.columns, found.before[place], strict=True))


def _differences(before: Row | None, after: Row | None) -> tuple[Changed, ...]:
    if before is None or after is None:
        return ()
    return tuple(
        Changed(name=name, old=text(old), new=text(after[name]))
        for name, old in before.items()
        if name in after and after[name] != old
    )


def text(value: object) -> str | None:
    """Return a value as it is shown; None stays None."""
    return None if value is None else str(value)


def _why(run: Run | None) -> str:
    if run is None:
        return ", delivered at once"
    return f" by {run.get_kind_display()} ({run.reason})"


def _problems(subject: Subject) -> Iterator[Event]:
    connection = subject.entity.connection_id
    rows = RunError.objects.filter(run__connection=connection, record__in=subject.ids)
    named = rows.filter(Q(entity=subject.entity.name) | Q(entity=""))
    for error in named.select_related("run").order_by("-pk")[:MOST]:
        yield Event(
            at=error.at,
            kind="problem",
            what=f"{error.code or 'Not carried'}{_why(error.run)}: {error.message}",
            run=str(error.run_id),
            actor=error.run.actor,
        )


def _transactions_of(subject: Subject) -> Any:
    return OfflineTransaction.objects.filter(entity=subject.entity, client_id=subject.client_id)


def _transactions(subject: Subject) -> Iterator[Event]:
    for one in _transactions_of(subject).order_by("-pk")[:MOST]:
        changes = tuple(
            Changed(name=name, old=text(old), new=text(new))
            for name, (old, new) in (one.changes or {}).items()
        )
        yield Event(
            at=one.created,
            kind="transaction",
            what=f"Transaction {one.pk}: {one.get_action_display().lower()} on the client was "
            "collected.",
            actor=one.actor,
            changes=changes,
        )
    rows = TransactionEvent.objects.filter(transaction__in=_transactions_of(subject))
    for event in rows.order_by("-pk")[:MOST]:
        why = f": {event.why}" if event.why else "."
        yield Event(
            at=event.at,
            kind="transaction",
            what=f"Transaction {event.transaction_id}: {event.get_status_display()}{why}",
            run=str(event.run_id or ""),
            actor=event.actor,
        )


def _logged(
    subject: Subject, side: Side, endpoint: Endpoint, id_: str, written: Written
) -> Iterator[Event]:
    """Yield what the log of an organization hosted here tells, but for what has an image."""
    if endpoint.organization_id is None:
        return
    rows = ChangeLog.objects.filter(
        organization=endpoint.organization_id, entity=subject.entity.name, record=id_
    ).exclude(version__in=[version for _, version in written if version])
    # A deletion's image holds no version, so the newest of ours are those with an image.
    deletions = sum(action == Action.DELETE for action, _ in written)
    for one in rows.order_by("-version")[:MOST]:
        is_ours = one.origin == str(subject.entity.connection_id)
        if is_ours and one.action == Action.DELETE and deletions:
            deletions -= 1
            continue
        by = " by this connection" if is_ours else f" by {one.actor}" if one.actor else ""
        changes = tuple(
            Changed(name=name, old=text(old), new=text(new))
            for name, (old, new) in (one.values or {}).items()
        )
        yield Event(
            at=one.at,
            kind="log",
            what=f"{_DONE[one.action]} on the {side.value}{by} (version {one.version}).",
            actor=one.actor,
            changes=changes if one.action == Action.UPDATE else (),
        )


def _in_bin(subject: Subject, side: Side, endpoint: Endpoint, id_: str) -> Iterator[Event]:
    if endpoint.organization_id is None:
        return
    rows = DeletedRecord.objects.filter(
        organization=endpoint.organization_id, entity=subject.entity.name, record=id_
    )
    for one in rows.order_by("-version")[:MOST]:
        what = f"Lies in the recycle bin of the {side.value} since then."
        yield Event(at=one.at, kind="recycle bin", what=what, actor=one.actor)
