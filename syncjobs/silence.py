"""What does not happen as it should, seen from the rows of runs, jobs and transactions.

Nothing here needs the broken part to report itself: each look asks the database what there is and
compares it with what there should be.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Min, Q, Window
from django.db.models.functions import RowNumber

from connections.models import Connection, SyncedEntity
from organizations.errors import InvalidRequest
from syncjobs import schedule
from syncjobs.models import (
    Alert,
    HeldDeletions,
    OfflineTransaction,
    QueueLength,
    Run,
    RunEntity,
    SyncJob,
)

LATE = timedelta(minutes=10)
"""How late a job may start."""
IN_A_ROW = 3
"""So many runs in a row make a failure an alert."""
INSTANT_WAIT = timedelta(hours=1)
OFFLINE_WAIT = timedelta(days=1)
"""How long a change may wait at most; offline, three times the job's interval if that is longer."""
LONGEST_WINDOW = timedelta(days=7)
MORE = 20
"""A queue grows that has at least so many changes more than when the window began."""
FEWEST_SAMPLES = 4

_Kind = Alert.Kind
_State = Run.State
_ENDED = (_State.SUCCEEDED, _State.PARTLY, _State.FAILED)


@dataclass(frozen=True, slots=True)
class Silent:
    """One thing that is wrong now; `connection` is an id."""

    connection: UUID
    kind: Alert.Kind
    subject: str
    message: str


def silent(at: datetime) -> Iterator[Silent]:
    """Yield everything that is wrong at that moment, of connections that are set up."""
    ready = Connection.objects.filter(state=Connection.State.READY)
    connections = {row.pk: row for row in ready.prefetch_related("jobs")}
    yield from _jobs(connections, at)
    yield from _runs(connections)
    yield from _queues(connections, at)
    yield from _held(connections)


def patience(connection: Connection, at: datetime) -> timedelta:
    """Return how long a change of the connection's client may wait."""
    if connection.write_mode == Connection.WriteMode.INSTANT:
        return INSTANT_WAIT
    intervals = [
        schedule.interval(job, at)
        for job in connection.jobs.all()
        if job.is_active and job.step == SyncJob.Step.SYNC and _makes_sense(job)
    ]
    return max(OFFLINE_WAIT, 3 * min(intervals)) if intervals else OFFLINE_WAIT


def _makes_sense(job: SyncJob) -> bool:
    try:
        schedule.check(job)
    except InvalidRequest:
        return False
    return True


def _jobs(connections: Mapping[UUID, Connection], at: datetime) -> Iterator[Silent]:
    waiting = Run.objects.filter(
        connection__in=connections, state=_State.QUEUED, job__isnull=False, created__lt=at - LATE
    )
    for run in waiting.select_related("job"):
        yield Silent(run.connection_id, _Kind.JOB_MISSED, str(run.job_id), _queued(run))
    for job in SyncJob.objects.filter(
        connection__in=connections, is_active=True, next_due__lt=at - LATE
    ):
        told = (
            f"'{job.name}' should have started at {job.next_due:%Y-%m-%d %H:%M} UTC, and nothing "
            "started it. The worker of the queue 'clock', or the beat, did not run then."
        )
        yield Silent(job.connection_id, _Kind.JOB_MISSED, str(job.pk), told)


def _queued(run: Run) -> str:
    since = f"'{run.job}' waits since {run.created:%Y-%m-%d %H:%M} UTC"
    ahead = Run.objects.filter(
        connection=run.connection_id, state__in=(_State.RUNNING, _State.CANCELLING)
    ).first()
    if ahead is None:
        return f"{since}: no worker took it. Look whether a worker of the queue 'runs' is there."
    return f"{since} behind {ahead.get_kind_display()}, which is not at its end yet."


def _runs(connections: Mapping[UUID, Connection]) -> Iterator[Silent]:
    place = Window(
        RowNumber(), partition_by=[F("connection"), F("kind")], order_by=F("created").desc()
    )
    ended = Run.objects.filter(connection__in=connections, state__in=_ENDED)
    for trial in ("dry_run", "preview"):
        ended = ended.exclude(options__contains={trial: True})
    last = ended.annotate(place=place).filter(place__lte=IN_A_ROW).order_by("-created")
    of_kind = defaultdict[tuple[UUID, str], list[Run]](list)
    for run in last:
        of_kind[run.connection_id, run.kind].append(run)
    for (connection, kind), runs in of_kind.items():
        if len(runs) < IN_A_ROW:
            continue
        if all(run.state == _State.FAILED for run in runs):
            name = runs[0].get_kind_display()
            told = f"{name} failed {IN_A_ROW} times in a row. The last time: {runs[0].message}"
            yield Silent(connection, _Kind.FAILING, kind, told)
        elif kind == Run.Kind.SYNC:
            yield from _entities(connection, runs)


def _entities(connection: UUID, runs: Iterable[Run]) -> Iterator[Silent]:
    """Yield the entities that none of the runs could carry to its end."""
    failed = RunEntity.objects.filter(run__in=list(runs), state=RunEntity.State.FAILED)
    times = Counter(failed.values_list("name", flat=True))
    enabled = SyncedEntity.objects.filter(connection=connection, enabled=True)
    for name in enabled.filter(name__in=times).values_list("name", flat=True):
        if times[name] < IN_A_ROW:
            continue
        last = failed.filter(name=name).order_by("-run__created").values_list("message", flat=True)
        told = f"'{name}' was not carried {IN_A_ROW} times in a row. The last time: {last[0]}"
        yield Silent(connection, _Kind.ENTITY_STUCK, name, told)


def _queues(connections: Mapping[UUID, Connection], at: datetime) -> Iterator[Silent]:
    pending = OfflineTransaction.objects.filter(
        connection__in=connections, status=OfflineTransaction.Status.PENDING
    )
    found = pending.order_by().values("connection").annotate(n=Count("pk"), oldest=Min("created"))
    for row in found:
        connection = connections[row["connection"]]
        limit = patience(connection, at)
        if at - row["oldest"] > limit:
            told = (
                f"The oldest of {row['n']:,} waiting changes waits since "
                f"{row['oldest']:%Y-%m-%d %H:%M} UTC. {_advice(connection)}"
            )
            yield Silent(connection.pk, _Kind.QUEUE_OLD, "", told)
        yield from _growth(connection, at, window=min(limit, LONGEST_WINDOW))


def _advice(connection: Connection) -> str:
    if connection.write_mode == Connection.WriteMode.OFFLINE and not any(
        job.is_active for job in connection.jobs.all()
    ):
        return "No job of the connection is active: press Sync All, or activate a job."
    return "Look at Offline Transactions, and at the last runs."


def _growth(connection: Connection, at: datetime, *, window: timedelta) -> Iterator[Silent]:
    samples = list(
        QueueLength.objects.filter(connection=connection, at__gte=at - window, at__lte=at)
    )
    counts = [sample.count for sample in samples]
    if len(counts) < FEWEST_SAMPLES or at - samples[0].at < 0.9 * window:
        return
    if counts == sorted(counts) and counts[-1] - counts[0] >= MORE:
        told = (
            f"{counts[-1]:,} changes wait, {counts[0]:,} did at {samples[0].at:%Y-%m-%d %H:%M} "
            "UTC, and it was never one less in between."
        )
        yield Silent(connection.pk, _Kind.QUEUE_GROWS, "", told)


def _held(connections: Mapping[UUID, Connection]) -> Iterator[Silent]:
    held = HeldDeletions.objects.filter(
        Q(entity__connection__in=connections), state=HeldDeletions.State.WAITING
    )
    for row in held.select_related("entity"):
        told = f"{row.count:,} deletions of '{row.entity.name}' wait for a decision: {row.reason}"
        yield Silent(row.entity.connection_id, _Kind.HELD, row.entity.name, told)
