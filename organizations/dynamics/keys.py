"""Which record a segment of a path means: by id, or by an alternate key."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

from organizations.dynamics.call import Call
from organizations.dynamics.errors import UNKNOWN_DEFINITION, WebApiError, bad_request
from organizations.dynamics.names import Shape
from organizations.dynamics.resource import GUID, Segment
from organizations.query.nodes import Condition, Group, Logic, Operator, Query


def record_id(call: Call, shape: Shape, segment: Segment) -> str:
    """Return the id of the record a segment names. Raises WebApiError 400 or 404."""
    if segment.key is not None:
        return segment.key
    own = segment.pairs.get(shape.entity.primary_id, "")
    if found := GUID.match(own):
        return found[1].lower()
    matches = matching(call, shape, key_attributes(shape, segment))
    if len(matches) > 1:
        raise bad_request("More than one record has these key values.", "0x8006089d")
    if not matches:
        raise nothing_found(shape)
    return matches[0]


def nothing_found(shape: Shape) -> WebApiError:
    """Say that no record has the values of an alternate key."""
    return WebApiError(
        404,
        "0x80060891",
        f"A record with the specified key values does not exist in {shape.entity.name} entity",
    )


def key_attributes(shape: Shape, segment: Segment) -> dict[str, str]:
    """Return attribute and text value of each part of an alternate key. Raises WebApiError."""
    found = {
        shape.property(name).name: value
        for name, value in segment.pairs.items()
        if name in shape.properties
    }
    known = {frozenset(key.attributes) for key in shape.entity.keys}
    if not found or len(found) != len(segment.pairs) or frozenset(found) not in known:
        raise bad_request(
            "The key in the request URI is not valid for resource "
            f"'Microsoft.Dynamics.CRM.{shape.entity.name}'. Ensure that the names and number of "
            "key properties match the declared or alternate key properties for the resource "
            f"'{shape.entity.name}'.",
            UNKNOWN_DEFINITION,
        )
    return found


def matching(call: Call, shape: Shape, values: Mapping[str, str]) -> list[str]:
    """Return the ids of at most two records with these values."""
    conditions = tuple(Condition(name, Operator.EQ, (value,)) for name, value in values.items())
    entity = shape.entity
    query = Query(entity=entity.name, filter=Group(Logic.AND, conditions))
    rows = call.store.page(
        entity.name, [entity.primary_id], filter=query, limit=2, context=call.context
    )
    return [str(row[0]) for row in rows]


def new_id() -> str:
    """Return an id for a record that is addressed by a key and not there yet."""
    return str(uuid4())
