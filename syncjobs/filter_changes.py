"""Changing the sync filter of an entity: first a run that shows what would change, then Save.

A preview is a run with options {entity, filter, before}; its result is {"filter": {inside,
enters, leaves, entering, leaving, children, leaving_is}}, with records as {id, name}.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from connections import filters, registry
from connections.errors import Refused
from connections.metadata.agreed import schema_of
from connections.models import Connection, SyncedEntity
from connections.naming.choosing import names_of, server_of
from organizations.errors import InvalidRequest
from syncjobs import dispatch, entity_tasks
from syncjobs.engine.filtering import Filtering, FilterPreview, Named
from syncjobs.engine.values import EntityTask, Leaving
from syncjobs.models import Run
from syncjobs.reporter import DatabaseReporter
from syncjobs.state import DatabaseState

ENTITY, FILTER, RUN = "entity", "filter_xml", "preview"


def find(connection: Connection, name: str) -> SyncedEntity:
    """Return an entity whose filter can be changed. Raises InvalidRequest."""
    row = connection.entities.filter(name=name).first()
    if row is None:
        raise InvalidRequest(
            f"'{connection.name}' has no entity '{name}'. Give a logical name of its grid.",
            element=ENTITY,
        )
    if row.is_intersect:
        raise InvalidRequest(
            f"'{name}' is an N:N entity. It is filtered by the filters of the two entities it "
            "links.",
            element=ENTITY,
        )
    return row


def checked(row: SyncedEntity, text: str) -> str:
    """Return a filter as it is kept. Raises InvalidRequest."""
    try:
        return filters.checked(text, row.name, schema_of(row.connection), names_of(row.connection))
    except InvalidRequest as error:
        raise InvalidRequest(str(error), element=FILTER) from error


def start(
    row: SyncedEntity,
    text: str,
    *,
    reason: str,
    user: User | None = None,
    actor: str = "",
    inline: bool = False,
) -> Run:
    """Start the preview of a filter. Raises InvalidRequest."""
    if not row.enabled:
        raise InvalidRequest(
            f"'{row.name}' is not enabled, so no record would enter or leave. Save the filter, or "
            "enable it first.",
            element=ENTITY,
        )
    options = {"entity": row.name, "filter": checked(row, text), "before": row.filter_xml}
    return dispatch.start(
        row.connection,
        Run.Kind.FILTER,
        reason=reason,
        user=user,
        actor=actor,
        options=options,
        inline=inline,
    )


def carry_out(run: Run) -> str:
    """Ask both sides, keep what would change with the run, and return it as a sentence.

    Raises Refused (FilterRefused if the server does not take the filter), connector errors.
    """
    connection = run.connection
    rows = list(connection.entities.filter(enabled=True))
    for row in rows:
        if row.name == run.options["entity"]:
            row.filter_xml = run.options["filter"]
    origin = str(connection.pk)
    with (
        server_of(connection, origin=origin) as server,
        registry.connector(connection.client, origin=origin) as client,
    ):
        built = list(entity_tasks.build(rows, client))
        task = _task(built, run.options["entity"])
        found = Filtering(
            server=server,
            client=client,
            state=DatabaseState(run),
            reporter=DatabaseReporter(run, settle=server.settle),
            task=task,
            tasks=[item for item in built if isinstance(item, EntityTask)],
        ).preview()
    deletes = task.deletes and task.leaving is Leaving.DELETE
    Run.objects.filter(pk=run.pk).update(result={"filter": _document(found, deletes=deletes)})
    return sentence(found)


def preview(connection: Connection, key: str | UUID) -> Run:
    """Return the run of a preview of this connection. Raises InvalidRequest."""
    try:
        found = connection.runs.filter(pk=UUID(str(key)), kind=Run.Kind.FILTER).first()
    except ValueError:
        found = None
    if found is None:
        raise InvalidRequest(
            f"'{connection.name}' has no preview '{str(key)[:60]}'. Make a new one.", element=RUN
        )
    return found


def why_not(run: Run) -> str:
    """Return why the filter of a preview cannot be saved, '' if it can."""
    if run.is_active:
        return "The preview is still being made. Save the filter when it has ended."
    if "filter" not in run.result:
        return f"The preview {run.get_state_display().lower()}. {run.message}".strip()
    row = find(run.connection, run.options["entity"])
    if row.filter_xml != run.options["before"]:
        return "The filter was changed since the preview was made. Make a new preview."
    return ""


def save(run: Run) -> SyncedEntity:
    """Keep the filter that was previewed; the next run reads the entity in full because of it.

    Raises InvalidRequest.
    """
    if why := why_not(run):
        raise InvalidRequest(why, element=RUN)
    row = find(run.connection, run.options["entity"])
    row.filter_xml = run.options["filter"]
    row.save(update_fields=["filter_xml"])
    return row


def sentence(found: FilterPreview) -> str:
    """Return what would change, in one sentence."""
    lost = sum(item.count for item in found.children)
    told = f"{_records(found.enters)} would enter, {_records(found.leaves)} would leave"
    if lost:
        told += f", {_records(lost)} of the client would lose a parent"
    return f"{told}; {_records(found.inside)} of the server are inside."


def _records(count: int) -> str:
    return f"{count:,} record" if count == 1 else f"{count:,} records"


def _task(built: Sequence[EntityTask | entity_tasks.Unbuilt], name: str) -> EntityTask:
    for item in built:
        if item.name == name and isinstance(item, EntityTask):
            return item
        if item.name == name and isinstance(item, entity_tasks.Unbuilt):
            raise Refused(item.reason)
    raise Refused(f"'{name}' is no longer enabled.")


def _document(found: FilterPreview, *, deletes: bool) -> dict[str, Any]:
    return {
        "inside": found.inside,
        "enters": found.enters,
        "leaves": found.leaves,
        "entering": _named(found.entering),
        "leaving": _named(found.leaving),
        "children": [{**asdict(item), "samples": _named(item.samples)} for item in found.children],
        "leaving_is": "deleted" if deletes else "kept",
    }


def _named(records: Sequence[Named]) -> list[dict[str, str]]:
    return [{"id": record.id, "name": record.name} for record in records]
