"""Which paths of the Web API are about metadata, and who answers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.http import HttpResponse

from organizations.dynamics import (
    csdl,
    definitions,
    metadata,
    metadata_changes,
    schema_writing,
    schema_writing_actions,
)
from organizations.dynamics.call import Call
from organizations.dynamics.errors import WebApiError, unknown_segment
from organizations.dynamics.resource import Segment

Handler = Callable[[Call, Sequence[Segment]], HttpResponse]


def _document(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    if len(segments) > 1:
        raise unknown_segment(segments[1].name)
    return csdl.document(call)


_DEFINITIONS: Mapping[str, Handler] = {
    "EntityDefinitions": metadata.definitions,
    "GlobalOptionSetDefinitions": definitions.global_option_sets,
    "RelationshipDefinitions": definitions.relationships,
}
READS: Mapping[str, Handler] = {
    csdl.NAME: _document,
    **_DEFINITIONS,
    metadata_changes.NAME: metadata_changes.changes,
}


def serves(name: str) -> bool:
    """Return whether a path that begins with that segment is about metadata."""
    return name in READS or name in schema_writing_actions.ACTIONS


def serve(call: Call, name: str, segments: Sequence[Segment]) -> HttpResponse:
    """Answer a request about metadata. Raises WebApiError."""
    if name in schema_writing_actions.ACTIONS:
        if call.method == "POST":
            return schema_writing_actions.act(call, name, segments)
    elif call.method in ("GET", "HEAD"):
        return READS[name](call, segments)
    elif name in _DEFINITIONS:
        return schema_writing.write(call, name, segments)
    raise WebApiError(
        405, "", f"The requested resource does not support http method '{call.method}'."
    )
