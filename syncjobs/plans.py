"""Plans of records on rows: what a dry run wrote down, and the run that carries out only that.

A plan can be applied once, for `USABLE` after it was made. A run that applies one names it in
options["plan"]; what it costs stands in the result of the dry run: {digest, pages, requests:
{reading, writing}}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from connections.connectors.base import Connector
from connections.models import Connection
from organizations.errors import InvalidRequest
from organizations.records import Action, Value
from syncjobs.engine.approved import Approved
from syncjobs.engine.planned import Book, PlannedChange, PlannedPage, plan_digest
from syncjobs.engine.values import EntityTask, Side
from syncjobs.models import PlanChange, PlanPage, Run

USABLE = timedelta(hours=24)
"""How long a plan can be applied."""

ELEMENT = "Plan"
_LONGEST = 200
"""Characters of a value that a sample shows."""
_MAKE = "Make a new plan."


class DatabaseBook(Book):
    """Writes a plan down as rows of its dry run."""

    def __init__(self, run: Run) -> None:
        """Begin anew: another worker may have begun before and died."""
        run.plan_pages.all().delete()
        run.plan_changes.all().delete()
        self._run, self._pages = run, 0

    def page(self, page: PlannedPage) -> None:
        """Add a row."""
        PlanPage.objects.create(
            run=self._run,
            position=self._pages,
            entity=page.entity,
            side=page.side.value,
            action=page.action.value,
            count=page.count,
            first=page.first,
            last=page.last,
            digest=page.digest,
            records=dict(page.records),
        )
        self._pages += 1

    def change(self, change: PlannedChange) -> None:
        """Add a row."""
        PlanChange.objects.create(
            run=self._run,
            entity=change.entity,
            kind=change.kind.value,
            action=change.action,
            record=change.record,
            name=change.name[:_LONGEST],
            message=change.message,
            fields=[
                {"name": field.name, "old": _shown(field.old), "new": _shown(field.new)}
                for field in change.fields
            ],
        )


def finish(
    run: Run, server: Connector, client: Connector, tasks: Sequence[EntityTask]
) -> Mapping[str, Any]:
    """Keep with a dry run the digest of its plan, and the requests it will cost; return them.

    `reading` is what the dry run itself took, `writing` is estimated by the connectors.
    """
    ends = {Side.SERVER.value: server, Side.CLIENT.value: client}
    entities = {task.name: task for task in tasks}
    writing, digests = 0, []
    for page in run.plan_pages.iterator():
        digests.append(page.digest)
        task = entities[page.entity]
        entity = task.server if page.side == Side.SERVER else task.client
        writing += ends[page.side].requests_for(entity, Action(page.action), page.count)
    reading = server.requests_sent() + client.requests_sent()
    result = {
        "digest": plan_digest(digests),
        "pages": len(digests),
        "requests": {"reading": reading, "writing": writing},
    }
    Run.objects.filter(pk=run.pk).update(result=result)
    return result


def approved(run: Run) -> Approved | None:
    """Return the plan that the run carries out, None if it carries out what there is."""
    key = run.options.get("plan")
    if not key:
        return None
    rows = PlanPage.objects.filter(run=key)
    made = Approved(map(_page, rows), partial(_note, rows))
    made.came(rows.filter(came=True).values_list("digest", flat=True))
    return made


def find(connection: Connection, key: str | UUID) -> Run:
    """Return the dry run whose plan is to be applied.

    Raises InvalidRequest (element `Plan`) that says why that plan cannot be applied.
    """
    run = _run(connection, key)
    if why := why_not(run):
        raise InvalidRequest(why, element=ELEMENT)
    return run


def why_not(run: Run) -> str:
    """Return why the plan of a run cannot be applied, '' if it can."""
    if run.kind != Run.Kind.SYNC or not run.options.get("dry_run"):
        return f"Run {run.pk} is no dry run of Sync All, so it has no plan."
    if run.is_active:
        return "The dry run is still going on. Its plan can be applied when it has ended."
    if run.state not in (Run.State.SUCCEEDED, Run.State.PARTLY) or "digest" not in run.result:
        return f"The dry run {run.get_state_display().lower()}, so its plan is not whole. {_MAKE}"
    used = _used(run)
    if used is not None:
        return f"The plan was applied already, by run {used.pk} ({_moment(used.created)}). {_MAKE}"
    made = run.finished or run.created
    if timezone.now() - made > USABLE:
        hours = int(USABLE.total_seconds() // 3600)
        return (
            f"The plan was made at {_moment(made)} and could be applied for {hours} hours. {_MAKE}"
        )
    if not run.result["pages"]:
        return "The plan has nothing to do, so there is nothing to apply."
    return ""


def options(plan: Run) -> dict[str, Any]:
    """Return the options of a run that applies a plan: those of its dry run."""
    names, full = plan.options.get("entities", []), bool(plan.options.get("full"))
    return {"entities": names, "dry_run": False, "full": full, "plan": str(plan.pk)}


def _run(connection: Connection, key: str | UUID) -> Run:
    try:
        found = connection.runs.filter(pk=UUID(str(key).strip())).first()
    except ValueError:
        found = None
    if found is None:
        raise InvalidRequest(
            f"'{connection.name}' has no plan '{str(key)[:60]}'. Give the id of a dry run of its "
            "own.",
            element=ELEMENT,
        )
    return found


def _used(plan: Run) -> Run | None:
    """Return the run that took the plan; one that waits still, or was stopped before, took none."""
    began = ~Q(state=Run.State.QUEUED) & ~Q(state=Run.State.CANCELLED, fence=0)
    runs = Run.objects.filter(connection=plan.connection_id, kind=Run.Kind.SYNC)
    return runs.filter(began, options__plan=str(plan.pk)).first()


def _page(row: PlanPage) -> PlannedPage:
    return PlannedPage(
        entity=row.entity,
        side=Side(row.side),
        action=Action(row.action),
        count=row.count,
        first=row.first,
        last=row.last,
        digest=row.digest,
        records=row.records,
    )


def _note(rows: Any, digest: str) -> None:
    rows.filter(digest=digest).update(came=True)


def _moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _shown(value: Value) -> str | int | float | bool | None:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}…"
    return value
