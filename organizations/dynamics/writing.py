"""Creating, changing and deleting records over HTTP (dataverse.md 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpResponse

from organizations.dynamics import cascading, conditions, parties, payload, saving, single
from organizations.dynamics.call import Call, nothing
from organizations.dynamics.errors import (
    DUPLICATE,
    MALFORMED,
    WebApiError,
    bad_request,
    unknown_segment,
)
from organizations.dynamics.names import Shape, Side
from organizations.dynamics.payload import Payload
from organizations.dynamics.references import associate
from organizations.dynamics.resource import Segment
from organizations.records import RecordValue, Reference


@transaction.atomic
def create(call: Call, shape: Shape) -> HttpResponse:
    """Make a record from the body; its id may be part of it."""
    saving.check_writable(shape)
    saving.hold(call)
    made = make(call, shape, call.body())
    return _written(call, shape, made, is_new=True, says_where=True)


def make(
    call: Call, shape: Shape, document: Mapping[str, Any], extra: Mapping[str, RecordValue] = {}
) -> str:
    """Make a record from a document and values that stand beside it; return its id."""
    body = payload.read(call, shape, document, is_new=True)
    given = body.values.pop(shape.entity.primary_id, None)
    body.values |= extra
    return saving.create(call, shape, body, None if given is None else str(given))


@transaction.atomic
def create_related(call: Call, shape: Shape, record_id: str, segment: Segment) -> HttpResponse:
    """Make a record in a collection of another one, to which it is linked at once."""
    navigation = shape.navigations.get(segment.name)
    if navigation is None or navigation.side is Side.ONE or segment.called:
        raise unknown_segment(segment.name)
    saving.hold(call)
    single.require(call, shape, record_id)
    if not call.catalog.enabled(navigation.targets[0]):
        raise unknown_segment(segment.name)
    other = Shape(call.catalog.entity(navigation.targets[0]))
    saving.check_writable(other)
    if navigation.side is Side.MANY:
        own = Reference(shape.entity.name, record_id)
        made = make(call, other, call.body(), {navigation.attribute: own})
    else:
        made = make(call, other, call.body())
        associate(call, record_id, navigation, Reference(other.entity.name, made))
    return _written(call, other, made, is_new=True, says_where=True)


@transaction.atomic
def change(call: Call, shape: Shape, record_id: str, extra: Mapping[str, str]) -> HttpResponse:
    """Change a record, or make it, as the conditions in the headers allow.

    `extra` are the values of the alternate key by which it was addressed: a new record gets them.
    """
    saving.check_writable(shape)
    saving.hold(call)
    is_new = not (conditions.must_exist(call) or single.exists(call, shape, record_id))
    if conditions.must_be_new(call) and not is_new:
        raise WebApiError(412, DUPLICATE, "A record with matching key values already exists.")
    expected = conditions.expected(call, shape)
    save(call, shape, record_id, call.body(), extra=extra, is_new=is_new, expected=expected)
    return _written(call, shape, record_id, is_new=is_new)


def save(
    call: Call,
    shape: Shape,
    record_id: str,
    document: Mapping[str, Any],
    *,
    extra: Mapping[str, str],
    is_new: bool,
    expected: int | None = None,
) -> None:
    """Make or change the record of an id; what the body says about its key `extra` is ignored."""
    body = payload.read(call, shape, document, is_new=is_new)
    _check_id(shape, body, record_id)
    if is_new:
        body.values |= key_values(shape, extra)
        saving.create(call, shape, body, record_id)
    else:
        for name in extra:
            body.values.pop(name, None)
        saving.update(call, shape, record_id, body, expected)


def key_values(shape: Shape, extra: Mapping[str, str]) -> dict[str, RecordValue]:
    """Return the values of an alternate key as a new record takes them."""
    found: dict[str, RecordValue] = {}
    for name, text in extra.items():
        attribute = shape.entity.attribute(name)
        is_many = attribute is not None and attribute.is_polymorphic
        if is_many and attribute is not None and len(attribute.targets) != 1:
            raise bad_request(
                f"'{name}' can point to several entities: a record is not made by a key that "
                "does not say to which.",
                MALFORMED,
            )
        found[name] = Reference(attribute.targets[0], text) if is_many and attribute else text
    return found


@transaction.atomic
def delete(call: Call, shape: Shape, record_id: str) -> HttpResponse:
    """Delete a record, if it is at the version that If-Match names, and what follows it."""
    saving.check_writable(shape)
    saving.hold(call)
    expected = conditions.expected(call, shape)
    single.require(call, shape, record_id)
    cascading.delete(call, shape.entity, record_id, expected)
    return nothing()


@transaction.atomic
def one_property(call: Call, shape: Shape, record_id: str, name: str) -> HttpResponse:
    """Write one property from `{"value": …}` (PUT), or empty it (DELETE)."""
    saving.check_writable(shape)
    attribute = shape.properties.get(name)
    if attribute is None and name != parties.navigation(shape.entity):
        raise unknown_segment(name)
    if attribute is not None and attribute.is_lookup:
        raise bad_request(f"'{name}' is a lookup; use its navigation with $ref.", MALFORMED)
    saving.hold(call)
    single.require(call, shape, record_id)
    body = payload.read(call, shape, {name: _given(call)}, is_new=False)
    saving.update(call, shape, record_id, body, conditions.expected(call, shape))
    return _written(call, shape, record_id, is_new=False, may_show=False)


def _given(call: Call) -> object:
    if call.method == "DELETE":
        return None
    document = call.body()
    if "value" not in document:
        raise bad_request("The body needs a member 'value'.", MALFORMED)
    return document["value"]


def _written(
    call: Call,
    shape: Shape,
    record_id: str,
    *,
    is_new: bool,
    may_show: bool = True,
    says_where: bool = False,
) -> HttpResponse:
    url = f"{call.api}{shape.entity.set_name}({record_id})"
    if call.preferences.representation and may_show:
        response = single.record(call, shape, record_id, status=201 if is_new else 200)
    else:
        response = nothing()
        response["OData-EntityId"] = url
    if says_where:
        response["Location"] = url
    return response


def _check_id(shape: Shape, body: Payload, record_id: str) -> None:
    given = body.values.pop(shape.entity.primary_id, None)
    if given is not None and str(given).strip("{}").lower() != record_id:
        raise bad_request("The id in the body differs from the one in the address.", MALFORMED)
