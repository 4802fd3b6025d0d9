"""Which handler answers a request for records."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpResponse

from organizations.dynamics import (
    bulk,
    bulk_messages,
    changes,
    fetching,
    functions,
    keys,
    links,
    reading,
    references,
    single,
    sql_reading,
    writing,
)
from organizations.dynamics.call import Call
from organizations.dynamics.errors import WebApiError, unknown_segment
from organizations.dynamics.names import Shape
from organizations.dynamics.resource import Segment


def serve(call: Call, segments: Sequence[Segment]) -> HttpResponse:
    """Answer a path that begins with an entity set. Raises WebApiError."""
    first, *rest = segments
    shape = call.shape(first.name)
    if shape is None:
        if first.name == functions.ORGANIZATIONS and call.method == "GET" and not rest:
            return functions.organizations(call, first)
        if first.name in (bulk_messages.FILTERS, bulk_messages.MESSAGES) and not rest:
            return bulk_messages.serve(call, first)
        raise unknown_segment(first.name)
    if first.called:
        return _record(call, shape, first, rest)
    if call.method == "POST" and not rest:
        return writing.create(call, shape)
    if call.method == "POST" and (action := bulk.action(rest)):
        return bulk.serve(call, shape, action)
    return _collection(call, shape, rest)


def _collection(call: Call, shape: Shape, rest: Sequence[Segment]) -> HttpResponse:
    if call.method != "GET":
        raise no_resource(call)
    if [segment.name for segment in rest] == ["$count"]:
        if "$deltatoken" in call.options:
            return changes.count(call, shape)
        return reading.count(call, shape)
    if rest:
        raise unknown_segment(rest[0].name)
    if any(option in call.options for option in fetching.OPTIONS):
        return fetching.collection(call, shape)
    if "sql" in call.options:
        return sql_reading.collection(call, shape)
    if changes.is_tracked(call, links.position(call)):
        return changes.collection(call, shape)
    return reading.collection(call, shape)


def _record(call: Call, shape: Shape, segment: Segment, rest: Sequence[Segment]) -> HttpResponse:
    if call.method == "PATCH" and not rest:
        return _change(call, shape, segment)
    record_id = keys.record_id(call, shape, segment)
    if call.method == "GET":
        if rest:
            return single.beneath(call, shape, record_id, rest)
        return single.record(call, shape, record_id)
    if call.method == "POST" and len(rest) == 1:
        return writing.create_related(call, shape, record_id, rest[0])
    if references.is_reference(rest):
        return references.write(call, shape, record_id, rest[0])
    if call.method == "DELETE" and not rest:
        return writing.delete(call, shape, record_id)
    if call.method in ("PUT", "DELETE") and len(rest) == 1:
        return writing.one_property(call, shape, record_id, rest[0].name)
    raise no_resource(call)


def _change(call: Call, shape: Shape, segment: Segment) -> HttpResponse:
    """Change by id or by alternate key; a key that finds nothing makes a record."""
    if segment.key is not None:
        return writing.change(call, shape, segment.key, {})
    values = keys.key_attributes(shape, segment)
    found = keys.matching(call, shape, values)
    if found:
        return writing.change(call, shape, keys.record_id(call, shape, segment), values)
    return writing.change(call, shape, keys.new_id(), values)


def no_resource(call: Call) -> WebApiError:
    """Say that the method and the address do not fit."""
    address = call.request.build_absolute_uri()
    message = f"No HTTP resource was found that matches the request URI '{address}'."
    return WebApiError(404 if call.method == "GET" else 405, "", message)
