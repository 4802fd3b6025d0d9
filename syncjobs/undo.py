"""Undo as a run: a preview that is kept as a plan, and the undo that takes only that plan.

A run of kind Undo holds in its options the run that is taken back, and either `preview` or the
digest of the plan that was approved. It writes images of its own, so it can be taken back too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from connections import registry
from connections.errors import Refused
from connections.naming.choosing import server_of
from organizations.errors import InvalidRequest
from syncjobs import dispatch, entity_tasks
from syncjobs.engine.undoing import Plan, Undo
from syncjobs.engine.values import EntityTask
from syncjobs.models import Image, Run
from syncjobs.reporter import DatabaseReporter
from syncjobs.state import DatabaseState
from syncjobs.undo_past import DatabasePast

_KINDS = (Run.Kind.SYNC, Run.Kind.DELIVER, Run.Kind.UNDO)


def reason_against(run: Run) -> str:
    """Return why the run cannot be taken back; empty if it can."""
    if run.kind not in _KINDS:
        return f"A run of {run.get_kind_display()} writes no records that could be taken back."
    if run.is_active:
        return "The run has not ended. Wait for it, or cancel it."
    if run.options.get("dry_run") or run.options.get("preview"):
        return "The run wrote nothing, because it only looked."
    if not Image.objects.filter(run=run).exists():
        return (
            "Nothing is known that could be taken back: the run wrote no record, or it is longer "
            f"ago than the {run.connection.image_days} days for which that is kept."
        )
    return ""


def start_preview(
    run: Run, *, reason: str, user: User | None = None, actor: str = "", inline: bool = False
) -> Run:
    """Start working out what taking the run back would do. Raises InvalidRequest (`run`)."""
    return _start(run, {"preview": True}, reason=reason, user=user, actor=actor, inline=inline)


def start(
    run: Run,
    digest: str,
    *,
    reason: str,
    user: User | None = None,
    actor: str = "",
    inline: bool = False,
) -> Run:
    """Start taking the run back by the plan with that digest. Raises InvalidRequest."""
    plan = latest_plan(run)
    if plan is None or plan.result["undo"]["digest"] != digest:
        raise InvalidRequest(
            f"There is no plan '{digest[:40]}' for taking back this run. Preview it first, and "
            "give the digest that the preview names.",
            "digest",
        )
    return _start(run, {"digest": digest}, reason=reason, user=user, actor=actor, inline=inline)


def latest_plan(run: Run) -> Run | None:
    """Return the newest preview of taking the run back that was finished."""
    previews = Run.objects.filter(
        connection=run.connection_id,
        kind=Run.Kind.UNDO,
        state=Run.State.SUCCEEDED,
        options__run=str(run.pk),
        options__preview=True,
    )
    return previews.order_by("-created").first()


def _start(run: Run, options: Mapping[str, Any], *, inline: bool, **who: Any) -> Run:
    if problem := reason_against(run):
        raise InvalidRequest(problem, "run")
    asked = {"run": str(run.pk), **options}
    return dispatch.start(run.connection, Run.Kind.UNDO, options=asked, inline=inline, **who)


def carry_out(run: Run) -> Plan:
    """Preview, or take back what the plan says. Raises Refused if the plan is no longer true.

    A run that another worker began goes on below the last image that was taken back.
    """
    undone = Run.objects.filter(pk=UUID(run.options["run"])).first()
    if undone is None:
        raise Refused("The run that was to be taken back is no longer kept.")
    with _undo(run, undone) as undo:
        if run.options.get("preview"):
            plan = undo.preview()
            Run.objects.filter(pk=run.pk).update(result={"undo": document(plan)})
            return plan
        if "below" not in run.result:
            _check(undo.preview(), str(run.options["digest"]))
        return undo.carry_out(run.result.get("below"))


def _check(plan: Plan, digest: str) -> None:
    if plan.digest != digest:
        raise Refused(
            f"Something has changed since the preview: the plan is {plan.digest} now, not "
            f"{digest}. Nothing was taken back. Preview it again."
        )


@contextmanager
def _undo(run: Run, undone: Run) -> Iterator[Undo]:
    connection, origin = run.connection, str(run.connection_id)
    with (
        server_of(connection, origin=origin) as server,
        registry.connector(connection.client, origin=origin) as client,
    ):
        rows = connection.entities.filter(enabled=True)
        tasks = [t for t in entity_tasks.build(rows, client) if isinstance(t, EntityTask)]
        reporter = DatabaseReporter(run, settle=server.settle)
        past = DatabasePast(run, undone, client)
        yield Undo(server, client, tasks, DatabaseState(run), reporter, past)


def document(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON: what would be done, what is skipped and what would break."""
    return {
        "digest": plan.digest,
        "counts": [
            {"side": side, "entity": entity, "action": action, "count": count}
            for (side, entity, action), count in plan.counts.items()
            if count
        ],
        "samples": [_listed(item, "action") for item in plan.samples],
        "skipped": [_listed(item, "reason") for item in plan.skipped],
        "skips": plan.skips,
        "already": plan.already,
        "breaks": plan.breaks,
    }


def _listed(item: tuple[str, str, str, str], name: str) -> dict[str, str]:
    side, entity, record, what = item
    return {"side": side, "entity": entity, "record": record, name: what}


def summary(plan: Plan) -> str:
    """Return what would be done in one sentence."""
    told = [
        f"{count:,} {entity} {_DONE[action]} on the {side}"
        for (side, entity, action), count in plan.counts.items()
        if count
    ]
    told += [f"{plan.already:,} as before already"] if plan.already else []
    told += [f"{plan.skips:,} skipped"] if plan.skips else []
    return f"{', '.join(told) or 'nothing to take back'}."


_DONE = {"create": "brought back", "update": "changed back", "delete": "deleted"}
