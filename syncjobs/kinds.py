"""What a run of each kind does: Connect, Update Server, Sync All.

Each takes the claimed run and returns how it ended; what stops it is raised. They may be called
again for the same run by another worker, after this one died at any point.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum

from connections import registry
from connections.connect import service
from connections.errors import Refused
from connections.metadata.plan import MetadataPlan, plan_from_json, plan_to_json
from connections.models import Connection
from syncjobs import entity_tasks, lease
from syncjobs.engine.sync import sync
from syncjobs.engine.values import Counts, EntityTask
from syncjobs.models import Run, RunEntity
from syncjobs.reporter import DatabaseReporter
from syncjobs.state import DatabaseState

_SECONDS_BETWEEN_MESSAGES = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, and the sentence its page shows."""

    state: Run.State
    message: str = ""


def connect(run: Run) -> Outcome:
    """Take over the server's metadata and make the connection ready."""
    plan = service.carry_out(run.connection, progress=MetadataProgress(run))
    return Outcome(Run.State.SUCCEEDED, _plan_text(plan))


def update_server(run: Run) -> Outcome:
    """Take over the server's metadata; only the plan in options["plan"], if there is one.

    With options["preview"] nothing is taken over; the plan is kept with the run.
    """
    if run.options.get("preview"):
        plan = service.preview(run.connection, progress=MetadataProgress(run))
        Run.objects.filter(pk=run.pk).update(result=plan_to_json(plan))
        return Outcome(Run.State.SUCCEEDED, f"Preview: {_plan_text(plan)}")
    document = run.options.get("plan")
    approved = plan_from_json(document) if document else None
    plan = service.carry_out(run.connection, approved=approved, progress=MetadataProgress(run))
    return Outcome(Run.State.SUCCEEDED, _plan_text(plan))


def sync_all(run: Run) -> Outcome:
    """Carry the records of all enabled entities, or of those in options["entities"].

    1. Note the entities on the run, so that its page shows what is to come.
    2. Build the tasks; what cannot be built is an entity that failed.
    3. Let the engine carry them.
    4. Judge the run by what stands on its entities, whichever worker wrote it.
    """
    connection = run.connection
    if connection.state != Connection.State.READY:
        raise Refused(_not_ready(connection))
    rows = entity_tasks.chosen(connection, run.options.get("entities", ()))
    if not rows:
        raise Refused("No entity is enabled. Choose entities, then start again.")
    _note_entities(run, [row.name for row in rows])
    origin = str(connection.pk)
    reporter = DatabaseReporter(run)
    with (
        registry.connector(connection.server, origin=origin) as server,
        registry.connector(connection.client, origin=origin) as client,
    ):
        tasks = []
        for built in entity_tasks.build(rows, client):
            if isinstance(built, EntityTask):
                tasks.append(built)
            else:
                reporter.entity_finished(built.name, Counts(), failed=built.reason)
        for part, full in _parts(run, tasks):
            sync(
                server,
                client,
                part,
                DatabaseState(run),
                reporter,
                full=full,
                dry_run=bool(run.options.get("dry_run")),
            )
    return judge(run)


KINDS: Mapping[str, Callable[[Run], Outcome]] = {
    Run.Kind.CONNECT: connect,
    Run.Kind.UPDATE_SERVER: update_server,
    Run.Kind.SYNC: sync_all,
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
    """Return how a sync ended: partly if an entity failed or a record was rejected."""
    sums = run.entities.aggregate(
        entities=Count("pk"),
        failed=Count("pk", filter=Q(state=RunEntity.State.FAILED)),
        **{name: Sum(name) for name in _COUNTED},
    )
    counted = ", ".join(f"{sums[name] or 0:,} {name}" for name in _COUNTED)
    if not sums["failed"]:
        state = Run.State.PARTLY if sums["rejected"] else Run.State.SUCCEEDED
        return Outcome(state, f"{sums['entities']:,} entities: {counted}.")
    state = Run.State.FAILED if sums["failed"] == sums["entities"] else Run.State.PARTLY
    return Outcome(
        state,
        f"{sums['failed']:,} of {sums['entities']:,} entities failed: {_reasons(run)} ({counted})",
    )


_COUNTED = ("read", "created", "updated", "deleted", "unchanged", "rejected")


def _reasons(run: Run) -> str:
    failed = run.entities.filter(state=RunEntity.State.FAILED)
    return " ".join(f"{name}: {text}" for name, text in failed.values_list("name", "message")[:5])


def _not_ready(connection: Connection) -> str:
    why = f" {connection.problem}" if connection.problem else ""
    return f"'{connection.name}' is not set up.{why} Connect it again, then start the sync."


def _note_entities(run: Run, names: Sequence[str]) -> None:
    RunEntity.objects.bulk_create(
        [RunEntity(run=run, name=name, position=at) for at, name in enumerate(names)],
        ignore_conflicts=True,
    )


def _parts(run: Run, tasks: Sequence[EntityTask]) -> list[tuple[list[EntityTask], bool]]:
    """Split the tasks into those to go on with and those to begin, with `full` for each part.

    Another worker may have done some of this run before it died: its finished entities are left
    out, and a full reading it began goes on instead of beginning again. A dry run saves no
    position, so it begins again.
    """
    full = bool(run.options.get("full"))
    if run.options.get("dry_run"):
        return [(list(tasks), full)]
    states: dict[str, Any] = dict(run.entities.values_list("name", "state"))
    left = [task for task in tasks if states.get(task.name) != RunEntity.State.DONE]
    if not full:
        return [(left, False)]
    begun = [task for task in left if _is_begun(run, task, states)]
    return [(begun, False), ([task for task in left if task not in begun], True)]


def _is_begun(run: Run, task: EntityTask, states: Mapping[str, Any]) -> bool:
    position = DatabaseState(run).position(task.key)
    is_running = states.get(task.name) == RunEntity.State.RUNNING
    return is_running and position.full and bool(position.resume)


def _plan_text(plan: MetadataPlan) -> str:
    if plan.is_empty:
        return f"Metadata are equal: {plan.unchanged:,} entities compared."
    return ", ".join(f"{count:,} × {what}" for what, count in plan.counts().items())
