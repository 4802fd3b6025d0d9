"""What a run of each kind does: Connect, Update Server, Sync All.

Each takes the claimed run and returns how it ended; what stops it is raised. They may be called
again for the same run by another worker, after this one died at any point.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

from django.db.models import Count, Q, Sum

from connections import registry
from connections.connect import service
from connections.connectors.base import Connector
from connections.errors import Refused
from connections.metadata import import_file
from connections.metadata.plan import MetadataPlan, plan_from_json, plan_to_json
from connections.models import Connection, SyncedEntity
from connections.naming.choosing import names_of, server_of, told
from syncjobs import (
    checking,
    client_hooks,
    entity_tasks,
    filter_changes,
    instant,
    lane,
    lease,
    originals,
    plans,
    undo,
    verifying,
)
from syncjobs.engine.sync import sync
from syncjobs.held import DatabaseGuard
from syncjobs.models import Checkpoint, Run, RunEntity
from syncjobs.reporter import DatabaseReporter
from syncjobs.state import DatabaseState
from syncjobs.transactions import DatabaseQueue

_SECONDS_BETWEEN_MESSAGES = 1.0
_LANE_PATIENCE = 15 * 60.0
"""Seconds that a run waits for a delivery under way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, and the sentence its page shows.

    `code` is set where something stopped the run: then it stands among the run's errors too.
    """

    state: Run.State
    message: str = ""
    code: str = ""


def connect(run: Run) -> Outcome:
    """Take over the server's metadata and make the connection ready."""
    plan = service.carry_out(run.connection, progress=MetadataProgress(run))
    outcome = _taken_over(run, plan)
    names = told(names_of(run.connection))
    return replace(outcome, message=f"{outcome.message} {names}".rstrip())


def update_server(run: Run) -> Outcome:
    """Take over the server's metadata; only the plan in options["plan"], if there is one.

    With options["preview"] nothing is taken over; the plan is kept with the run. With
    options["full"] everything is read, whatever the server says has changed.
    """
    full = bool(run.options.get("full"))
    if run.options.get("preview"):
        plan = service.preview(run.connection, full=full, progress=MetadataProgress(run))
        Run.objects.filter(pk=run.pk).update(result=plan_to_json(plan))
        return Outcome(Run.State.SUCCEEDED, f"Preview: {_plan_text(plan)}")
    document = run.options.get("plan")
    approved = plan_from_json(document) if document else None
    plan = service.carry_out(
        run.connection, approved=approved, full=full, progress=MetadataProgress(run)
    )
    return _taken_over(run, plan)


def _taken_over(run: Run, plan: MetadataPlan) -> Outcome:
    """Show the client its transactions and log, or let it call us when it changes.

    The message says what is in the way of that. Where a person has to bring metadata to the
    client, the plan stays with the run.
    """
    problem = originals.define(run.connection.client.organization) or _hooked(run.connection)
    if plan.by_hand:
        outcome = _by_hand(run, plan)
        return replace(outcome, message=f"{outcome.message} {problem}".rstrip())
    return Outcome(Run.State.SUCCEEDED, f"{_plan_text(plan)} {problem}".rstrip())


def _hooked(connection: Connection) -> str:
    if connection.client.organization_id is not None:
        return ""
    with registry.connector(connection.client, origin=str(connection.pk)) as client:
        return client_hooks.ensure(connection, client)


def _by_hand(run: Run, plan: MetadataPlan) -> Outcome:
    if plan.is_empty:
        told = f"The client has all that is needed of {plan.unchanged:,} entities."
        return Outcome(Run.State.SUCCEEDED, told)
    Run.objects.filter(pk=run.pk).update(result=plan_to_json(plan))
    return Outcome(
        Run.State.PARTLY,
        f"Missing on the client, which takes no metadata from outside: {_plan_text(plan)}. "
        f"Download the import file. {import_file.WHERE}",
    )


def sync_all(run: Run) -> Outcome:
    """Carry the records of all enabled entities, or of those in options["entities"].

    With options["dry_run"] a plan is made, with options["plan"] only that plan is carried out.
    Deliver Now carries only the client's changes to the server.

    1. Build the tasks; what cannot be built is an entity that failed.
    2. Let the engine carry them.
    3. Judge the run by what stands on its entities, whichever worker wrote it.
    """
    rows = _chosen(run)
    left, origin = _left(run, rows), str(run.connection_id)
    with (
        server_of(run.connection, origin=origin) as server,
        registry.connector(run.connection.client, origin=origin) as client,
    ):
        _carry(run, left, server, client)
        if not run.options.get("dry_run"):
            client_hooks.ensure(run.connection, client)
    return judge(run)


def _chosen(run: Run) -> list[SyncedEntity]:
    connection = run.connection
    if connection.state != Connection.State.READY:
        raise Refused(_not_ready(connection))
    rows = entity_tasks.chosen(connection, run.options.get("entities", ()))
    if not rows:
        raise Refused("No entity is enabled. Choose entities, then start again.")
    _forget_disabled(connection)
    return rows


def _carry(run: Run, rows: Sequence[SyncedEntity], server: Connector, client: Connector) -> None:
    is_dry = bool(run.options.get("dry_run"))
    reporter = DatabaseReporter(run, settle=server.settle)
    tasks = entity_tasks.told(rows, client, reporter, "NotCarried")
    sync(
        server,
        client,
        tasks,
        DatabaseState(run),
        reporter,
        queue=DatabaseQueue(run.connection, run=run),
        guard=DatabaseGuard(run),
        full=bool(run.options.get("full")),
        dry_run=is_dry,
        book=plans.DatabaseBook(run) if is_dry else None,
        approved=plans.approved(run),
        lane=nullcontext if is_dry else partial(_lane, run, reporter),
        only_deliver=run.kind == Run.Kind.DELIVER,
    )
    if is_dry:
        plans.finish(run, server, client, tasks)


@contextmanager
def _lane(run: Run, reporter: DatabaseReporter) -> Iterator[None]:
    """Have the connection's delivery lane; what was written meanwhile is delivered afterwards."""
    with lane.lane(run.connection_id, wait=_LANE_PATIENCE, between=reporter.checkpoint):
        yield
    if instant.delivering().filter(pk=run.connection_id).exists():
        instant.wake(run.connection_id)


def verify(run: Run) -> Outcome:
    """Compare both sides, all enabled entities or those in options["entities"]; writes no record.

    options: quick, budget (requests). Another worker's part is done again: what both sides hold
    now is what counts.
    """
    if run.connection.state != Connection.State.READY:
        raise Refused(_not_ready(run.connection))
    run.entities.all().delete()
    run.errors.all().delete()
    proofs = verifying.carry_out(run, DatabaseReporter(run))
    found = proofs.found
    equal = sum(verified.equal for verified in found)
    differing = [verified for verified in found if verified.differences]
    failed = run.entities.filter(state=RunEntity.State.FAILED).count()
    told = f"{equal:,} records are equal on both sides"
    if differing:
        count = sum(verified.differences for verified in differing)
        told += f"; {count:,} differences in {len(differing):,} of {len(found):,} entities"
    if failed:
        told += f"; {failed:,} entities could not be compared: {_reasons(run)}"
    if proofs.stopped:
        told += f"; not finished, {len(found):,} of {proofs.of:,} entities: {proofs.stopped}"
    state = Run.State.PARTLY if differing or failed or proofs.stopped else Run.State.SUCCEEDED
    return Outcome(state, f"{told.rstrip('.')}.")


def readiness(run: Run) -> Outcome:
    """Ask the server whether it is ready, and keep the report; writes no record."""
    report = checking.carry_out(run.connection, MetadataProgress(run))
    return Outcome(Run.State.SUCCEEDED, report.summary)


def undo_run(run: Run) -> Outcome:
    """Take back the run in options["run"], by the plan with options["digest"], or preview it."""
    if run.connection.state != Connection.State.READY:
        raise Refused(_not_ready(run.connection))
    if run.options.get("preview"):
        run.entities.all().delete()
        return Outcome(Run.State.SUCCEEDED, f"Preview: {undo.summary(undo.carry_out(run))}")
    with _lane(run, DatabaseReporter(run)):
        undo.carry_out(run)
    sums = run.entities.aggregate(**{name: Sum(name, default=0) for name in _TAKEN_BACK})
    told = ", ".join(f"{sums[name]:,} {word}" for name, word in _TAKEN_BACK.items())
    state = Run.State.PARTLY if sums["conflicts"] else Run.State.SUCCEEDED
    return Outcome(state, f"{told}.")


_TAKEN_BACK = {
    "created": "brought back",
    "updated": "changed back",
    "deleted": "deleted",
    "unchanged": "as before already",
    "conflicts": "skipped",
}


def preview_filter(run: Run) -> Outcome:
    """Show what the filter in options["filter"] would change for options["entity"]."""
    if run.connection.state != Connection.State.READY:
        raise Refused(_not_ready(run.connection))
    return Outcome(Run.State.SUCCEEDED, filter_changes.carry_out(run))


KINDS: Mapping[str, Callable[[Run], Outcome]] = {
    Run.Kind.CONNECT: connect,
    Run.Kind.UPDATE_SERVER: update_server,
    Run.Kind.SYNC: sync_all,
    Run.Kind.VERIFY: verify,
    Run.Kind.READINESS: readiness,
    Run.Kind.FILTER: preview_filter,
    Run.Kind.DELIVER: sync_all,
    Run.Kind.UNDO: undo_run,
}


class MetadataProgress:
    """Shows how far the reading of metadata is, about once a second, and stops it when asked."""

    def __init__(self, run: Run) -> None:
        """Remember whose message to write."""
        self._run, self._next = run, 0.0

    def __call__(self, entity: str, done: int, total: int) -> None:
        """Say which entity is read now; raises Cancelled or LostLease."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SECONDS_BETWEEN_MESSAGES
            lease.check(self._run, f"Metadata: {done:,} of {total:,} entities, at '{entity}'.")


def judge(run: Run) -> Outcome:
    """Return how a sync ended: partly if an entity failed, a record was rejected, or some wait."""
    sums = run.entities.aggregate(
        entities=Count("pk"),
        failed=Count("pk", filter=Q(state=RunEntity.State.FAILED)),
        **{name: Sum(name) for name in (*_COUNTED, *_DELIVERED, "left", "held")},
    )
    told = _DELIVERED if run.kind == Run.Kind.DELIVER else _COUNTED
    more = [name for name in _DELIVERED if name not in told and sums[name]]
    counted = ", ".join(f"{sums[name] or 0:,} {name}" for name in (*told, *more))
    if sums["left"]:
        counted += f", {sums['left']:,} deleted because they left the filter"
    if sums["held"]:
        counted += f"; {sums['held']:,} deletions wait for your decision"
    if not sums["failed"]:
        is_partly = sums["rejected"] or sums["held"]
        state = Run.State.PARTLY if is_partly else Run.State.SUCCEEDED
        return Outcome(state, f"{sums['entities']:,} entities: {counted}.")
    state = Run.State.FAILED if sums["failed"] == sums["entities"] else Run.State.PARTLY
    return Outcome(
        state,
        f"{sums['failed']:,} of {sums['entities']:,} entities failed: {_reasons(run)} ({counted})",
    )


_DELIVERED = ("pushed", "rejected", "conflicts")
_COUNTED = ("read", "created", "updated", "deleted", "unchanged", "rejected")


def _reasons(run: Run) -> str:
    failed = run.entities.filter(state=RunEntity.State.FAILED)
    return " ".join(f"{name}: {text}" for name, text in failed.values_list("name", "message")[:5])


def _not_ready(connection: Connection) -> str:
    why = f" {connection.problem}" if connection.problem else ""
    return f"'{connection.name}' is not set up.{why} Connect it again, then start the sync."


def _left(run: Run, rows: Sequence[SyncedEntity]) -> list[SyncedEntity]:
    """Return what is left to carry after another worker did some of this run and died.

    A dry run saves no position, so it begins again, and so do its counts.
    """
    if run.options.get("dry_run"):
        run.entities.all().delete()
        run.errors.all().delete()
    done = set(run.entities.filter(state=RunEntity.State.DONE).values_list("name", flat=True))
    return [row for row in rows if row.name not in done]


def _forget_disabled(connection: Connection) -> None:
    """Drop the checkpoints of disabled entities: enabling again is a full reading (5.1.10)."""
    Checkpoint.objects.filter(entity__connection=connection, entity__enabled=False).delete()


def _plan_text(plan: MetadataPlan) -> str:
    if plan.is_empty:
        return f"Metadata are equal: {plan.unchanged:,} entities compared."
    return ", ".join(f"{count:,} × {what}" for what, count in plan.counts().items())
