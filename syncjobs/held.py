"""Deletions that wait for a person, as rows: what the guard remembers, and deciding about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from connections.models import Connection
from organizations.tables.database import fetch, run
from syncjobs.engine.airbag import Guard, Holding, Limits, Sample
from syncjobs.engine.values import LinkState
from syncjobs.errors import SyncError
from syncjobs.models import HeldDeletions, Link, Run, RunEntity
from syncjobs.state import DatabaseState

PERMISSION = "syncjobs.change_helddeletions"
"""What a user needs to decide about deletions, whichever door they use."""

WINDOW = timedelta(hours=24)
"""Deletions of this time count together."""

State = HeldDeletions.State
_OPEN = (State.WAITING, State.APPROVED)
_LINK = Link._meta.db_table
_DELETED = LinkState.SERVER_DELETED.value
_STILL_MARKED = f"""
    SELECT link.server_id FROM unnest(%s::uuid[]) AS held (server_id)
    JOIN {_LINK} link ON link.server_id = held.server_id AND link.entity_id = %s
    WHERE link.state <> 0
"""  # noqa: S608 - the table's name is our model's
_STILL_LINKED = f"SELECT count(*) FROM {_LINK} WHERE entity_id = %s AND server_id = ANY(%s::uuid[])"  # noqa: S608
_MARK = f"""
    UPDATE {_LINK} SET state = {_DELETED}
    WHERE entity_id = %s AND server_id = ANY(%s::uuid[]) AND state = 0
"""  # noqa: S608


class CannotDecide(SyncError):
    """These deletions were decided about before, or are not those that were shown."""


class SampleRow(TypedDict):
    """One line of a sample, as it is stored."""

    id: str
    name: str
    why: str


class DatabaseGuard(Guard):
    """What waits for a person on the run's connection; written while the run holds its lease."""

    def __init__(self, run: Run) -> None:
        """`run` as it was claimed."""
        self._run, self._state = run, DatabaseState(run)

    def limits(self) -> Limits:
        """Return the connection's limits."""
        connection = self._run.connection
        return Limits(
            most=connection.delete_limit,
            floor=connection.delete_floor,
            percent=connection.delete_percent,
        )

    def recent(self, entity: int) -> int:
        """Return how many records were deleted in the last 24 hours that nobody approved."""
        since = timezone.now() - WINDOW
        rows = RunEntity.objects.filter(
            Q(run__finished__gte=since) | Q(run__finished=None),
            run__connection=self._run.connection_id,
            run__kind=Run.Kind.SYNC,
            name=self._name(entity),
        ).exclude(run__options__contains={"dry_run": True})
        sums = rows.aggregate(deleted=Sum("deleted", default=0), left=Sum("left", default=0))
        done = HeldDeletions.objects.filter(entity=entity, state=State.DONE, decided__gte=since)
        approved = done.aggregate(count=Sum("count", default=0))["count"]
        return max(0, int(sums["deleted"] + sums["left"] - approved))

    def approved(self, entity: int) -> Collection[str]:
        """Return the server ids whose deletion was approved and not carried out yet."""
        return _ids(HeldDeletions.objects.filter(entity=entity, state=State.APPROVED))

    def declined(self, entity: int) -> Collection[str]:
        """Return the server ids that are kept because a person decided so."""
        return _ids(HeldDeletions.objects.filter(entity=entity, state=State.DECLINED))

    def hold(self, entity: int, holding: Holding | None) -> None:
        """Let these wait, instead of what waited before; forget declined ones that are back."""
        rows = HeldDeletions.objects.filter(entity=entity)
        back = [row for row in rows.filter(state=State.DECLINED) if _forget_back(row)]
        open_row = rows.filter(state__in=_OPEN).first()
        changed = _changed(open_row, holding)
        if not (back or changed):
            return
        with self._state.page():
            self._state.hold()
            for row in back:
                row.save(update_fields=["server_ids", "state"])
            if not changed:
                return
            if open_row is None:
                HeldDeletions.objects.create(entity_id=entity, **self._values(holding))
            else:
                # Somebody may have decided meanwhile: then the next run looks again.
                rows.filter(pk=open_row.pk, state=State.WAITING).update(**self._values(holding))

    def carried_out(self, entity: int) -> None:
        """Close what was approved; its count is from now on how many were deleted."""
        for row in HeldDeletions.objects.filter(entity=entity, state=State.APPROVED):
            still = fetch(_STILL_LINKED, [entity, row.server_ids])[0][0]
            row.count = len(row.server_ids) - int(still)
            row.state = State.DONE if row.count else State.OVER
            with self._state.page():
                self._state.hold()
                row.save(update_fields=["count", "state"])

    def _values(self, holding: Holding | None) -> dict[str, Any]:
        if holding is None:
            return {"state": State.OVER}
        return {
            "run": self._run,
            "reason": holding.reason,
            "server_ids": list(holding.server_ids),
            "count": len(holding.server_ids),
            "linked": holding.linked,
            "sample": [_line(sample) for sample in holding.sample],
        }

    def _name(self, entity: int) -> str:
        names = self._run.connection.entities.filter(pk=entity).values_list("name", flat=True)
        return names.get()


def waiting(connection: Connection) -> QuerySet[HeldDeletions]:
    """Return what waits for a decision, entity by entity."""
    rows = HeldDeletions.objects.filter(entity__connection=connection, state=State.WAITING)
    return rows.select_related("entity", "run").order_by("entity__name")


def approve(connection: Connection, pk: int, *, by: str, count: int | None = None) -> HeldDeletions:
    """Let the next run delete exactly these, as far as they are still to be deleted.

    `count` is how many were shown. Raises CannotDecide.
    """
    return _decide(connection, pk, State.APPROVED, by=by, count=count)


def decline(connection: Connection, pk: int, *, by: str, count: int | None = None) -> HeldDeletions:
    """Keep the client records; nobody asks again until the server changes something."""
    return _decide(connection, pk, State.DECLINED, by=by, count=count)


def _decide(
    connection: Connection, pk: int, state: str, *, by: str, count: int | None
) -> HeldDeletions:
    with transaction.atomic():
        row = waiting(connection).select_for_update(of=("self",)).filter(pk=pk).first()
        if row is None:
            raise CannotDecide("These deletions do not wait any more. Look at the page again.")
        if count is not None and row.count != count:
            raise CannotDecide(
                f"By now {row.count:,} deletions wait instead of {count:,}. Look at them again."
            )
        row.state, row.decided, row.decided_by = state, timezone.now(), by
        row.save(update_fields=["state", "decided", "decided_by"])
        # Of an empty answer nothing was marked: it was not believed until now.
        run(_MARK, [row.entity_id, row.server_ids])
    return row


def _changed(row: HeldDeletions | None, holding: Holding | None) -> bool:
    if row is None or holding is None:
        return row is not None or holding is not None
    ids = [str(item) for item in row.server_ids]
    return ids != list(holding.server_ids) or row.reason != holding.reason


def _forget_back(row: HeldDeletions) -> bool:
    """Take out what is no longer marked; return whether there was any."""
    found = fetch(_STILL_MARKED, [row.server_ids, row.entity_id])
    still: set[UUID] = {item for (item,) in found}
    if len(still) == len(row.server_ids):
        return False
    row.server_ids = [item for item in row.server_ids if item in still]
    row.state = State.DECLINED if row.server_ids else State.OVER
    return True


def _ids(rows: QuerySet[HeldDeletions]) -> Collection[str]:
    lists: Sequence[Sequence[UUID]] = list(rows.values_list("server_ids", flat=True))
    return {str(item) for ids in lists for item in ids}


def _line(sample: Sample) -> SampleRow:
    why = "left the filter" if sample.why == LinkState.LEFT_FILTER else "deleted on the server"
    if sample.why == LinkState.CURRENT:
        why = "not named by the server"
    return SampleRow(id=sample.id, name=sample.name, why=why)
