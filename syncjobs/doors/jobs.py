"""`GET /rest/v1/sync/{client}/jobs/{id}`: how a run stands, in XML or JSON.

Names and shapes are the project's own contract (design 6.1); the original's answer is not
published.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from lxml import etree

from syncjobs.doors.answers import answer, element, timestamp
from syncjobs.doors.basic import administrator
from syncjobs.doors.door import door
from syncjobs.doors.fault import Fault
from syncjobs.models import Run, RunEntity, RunError

MAX_ERRORS = 100
_COUNTS = ("read", "created", "updated", "deleted", "unchanged", "rejected", "pushed")


@door("GET", "HEAD")
def job(request: HttpRequest, client: str, run_id: UUID) -> HttpResponse:
    """Answer with the run of that client; 404 for a run of anybody else."""
    administrator(request, client)
    run = Run.objects.select_related("connection").filter(pk=run_id, connection__name=client)
    found = run.first()
    if found is None:
        raise Fault(f"'{client}' has no job {run_id}.", status=404, code="NotFound", detail="JobID")
    document = as_json(found)
    return answer(request, xml=lambda: as_xml(document), json=lambda: document)


def accepted(request: HttpRequest, run: Run) -> HttpResponse:
    """Answer 202 with the job's address in Location, its id and status."""
    response = answer(
        request,
        xml=lambda: _accepted_xml(run),
        json=lambda: {"job_id": str(run.pk), "status": status(run)},
        status=202,
    )
    path = reverse("job", args=(run.connection.name, run.pk))
    response["Location"] = request.build_absolute_uri(path)
    return response


def status(run: Run) -> str:
    """Return the state in the words of this service; a run being cancelled is still running."""
    state = Run.State.RUNNING if run.state == Run.State.CANCELLING else run.state
    return str(state).capitalize()


def as_json(run: Run) -> dict[str, Any]:
    """Return the run with its entities' counts and at most 100 errors."""
    errors = run.errors.all()[:MAX_ERRORS]
    return {
        "id": str(run.pk),
        "kind": run.kind,
        "client": run.connection.name,
        "status": status(run),
        "created": timestamp(run.created),
        "started": timestamp(run.started),
        "finished": timestamp(run.finished),
        "dry_run": bool(run.options.get("dry_run")),
        "entities": [_entity(row) for row in run.entities.all()],
        "errors": [_error(row) for row in errors],
        "error_count": run.errors.count(),
    }


def as_xml(document: dict[str, Any]) -> etree._Element:
    """Return what `as_json` gave as a `Job` element with the same names in PascalCase."""
    root = etree.Element("Job")
    for name, value in document.items():
        if not isinstance(value, list):
            element(root, _pascal(name), value)
            continue
        items = element(root, _pascal(name))
        for entry in value:
            item = element(items, {"entities": "Entity", "errors": "Error"}[name])
            for key, content in entry.items():
                element(item, _pascal(key), content)
    return root


def _entity(row: RunEntity) -> dict[str, Any]:
    return {
        "name": row.name,
        "state": row.state.capitalize(),
        **{name: getattr(row, name) for name in _COUNTS},
    }


def _error(row: RunError) -> dict[str, Any]:
    return {
        "entity": row.entity,
        "record": row.record,
        "code": row.code,
        "message": row.message,
    }


def _accepted_xml(run: Run) -> etree._Element:
    root = etree.Element("SyncResponse")
    element(root, "JobID", run.pk)
    element(root, "Status", status(run))
    return root


def _pascal(name: str) -> str:
    """Return `error_count` as `ErrorCount`, and `id` as `ID`, as in ConnectRequest."""
    return "ID" if name == "id" else "".join(part.capitalize() for part in name.split("_"))
