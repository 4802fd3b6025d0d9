"""A plan of records as a document: what the API answers, the command prints and the page shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncjobs import plans
from syncjobs.models import PlanChange, Run, RunEntity


def document(run: Run) -> dict[str, Any]:
    """Return the plan of a dry run: counts, samples, cost, digest; `why_not` if not to be applied.

    `requests` are those that the dry run took for reading, and those estimated for writing.
    """
    samples: dict[str, list[dict[str, Any]]] = {}
    for change in run.plan_changes.all():
        samples.setdefault(change.entity, []).append(_change(change))
    why_not, made = plans.why_not(run), run.finished or run.created
    return {
        "run": str(run.pk),
        "client": run.connection.name,
        "state": run.state,
        "made": made.isoformat(),
        "expires": (made + plans.USABLE).isoformat(),
        "digest": run.result.get("digest", ""),
        "pages": run.result.get("pages", 0),
        "requests": run.result.get("requests", {"reading": 0, "writing": 0}),
        "can_be_applied": not why_not,
        "why_not": why_not,
        "entities": [_entity(row, samples.get(row.name, [])) for row in run.entities.all()],
    }


def lines(plan: dict[str, Any]) -> Iterator[str]:
    """Yield the plan as lines of text."""
    head = "".join(f"{name:>11}" for name in RunEntity.COUNTS)
    yield f"{'Entity':<28}{head}"
    for entity in plan["entities"]:
        numbers = "".join(f"{entity[name]:>11,}" for name in RunEntity.COUNTS)
        yield f"{entity['name']:<28}{numbers}"
    for entity in plan["entities"]:
        yield from (_line(entity["name"], change) for change in entity["changes"])
    asked = plan["requests"]
    yield (
        f"Requests: {asked['reading']:,} to read, as in this dry run, and about "
        f"{asked['writing']:,} to write."
    )
    if not plan["pages"]:
        yield "Nothing to do: both sides are as they should be."
    yield f"Plan {plan['run']}, digest {plan['digest'] or '(not whole)'}"


def _line(entity: str, change: dict[str, Any]) -> str:
    fields = "; ".join(
        f"{field['name']}: {_text(field['old'])} → {_text(field['new'])}"
        for field in change["fields"]
    )
    what = change["kind"] if change["kind"] == change["action"] else ""
    what = what or " ".join(filter(None, (change["kind"], change["action"])))
    name = f"'{change['name']}'" if change["name"] else ""
    return " ".join(filter(None, (entity, what, change["record"], name, fields, change["message"])))


def _text(value: object) -> str:
    return "empty" if value is None else str(value)


def _entity(row: RunEntity, changes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": row.name,
        "state": row.state,
        "message": row.message,
        "full": row.full,
        "read": row.read,
        **{name: getattr(row, name) for name in RunEntity.COUNTS},
        "changes": changes,
    }


def _change(row: PlanChange) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "action": row.action,
        "record": row.record,
        "name": row.name,
        "message": row.message,
        "fields": row.fields,
    }
