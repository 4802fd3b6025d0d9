"""Creating, changing and deleting records, with the version they are based on (dataverse.md 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.http import HttpResponse

from organizations.dynamics import payload, references, single
from organizations.dynamics.call import Call, nothing
from organizations.dynamics.errors import (
    BAD_OPTION,
    BAD_STATE,
    DUPLICATE,
    MALFORMED,
    NO_CONCURRENCY,
    TOO_LONG,
    WebApiError,
    bad_request,
    unknown_segment,
)
from organizations.dynamics.names import Shape
from organizations.errors import InvalidRequest
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.records import RecordValue
from organizations.schema import OPTION_TYPES, AttributeType

_ETAG = re.compile(r'(?:W/)?"?(\d{1,19})"?\Z')
_READ_ONLY = frozenset({"activityparty"})


def create(call: Call, shape: Shape) -> HttpResponse:
    """Make a record from the body; its id may be part of it."""
    _check_writable(shape)
    body = payload.read(call, shape, call.body(), is_new=True)
    record_id = body.values.pop(shape.entity.primary_id, None)
    given = None if record_id is None else str(record_id)
    made = _create(call, shape, given, body)
    return _written(call, shape, made, is_new=True)


def change(call: Call, shape: Shape, record_id: str, extra: dict[str, str]) -> HttpResponse:
    """Change a record, or make it, as the conditions in the headers allow.

    `extra` are the values of the alternate key by which it was addressed: a new record gets them.
    """
    _check_writable(shape)
    is_new = not single.exists(call, shape, record_id)
    if call.header("If-None-Match") == "*" and not is_new:
        raise WebApiError(412, DUPLICATE, "A record with matching key values already exists.")
    if is_new and call.header("If-Match"):
        single.require(call, shape, record_id)
    body = payload.read(call, shape, call.body(), is_new=is_new)
    _check_id(shape, body, record_id)
    if is_new:
        body.values = {**extra, **body.values}
        return _written(call, shape, _create(call, shape, record_id, body), is_new=True)
    update(call, shape, record_id, body.values)
    return _written(call, shape, record_id, is_new=False)


def _create(call: Call, shape: Shape, record_id: str | None, body: payload.Payload) -> str:
    name = shape.entity.name
    with _faults(shape, body.values), transaction.atomic():
        _check_keys(call, shape, body.values)
        made = call.store.create(name, body.values, id=record_id, actor=call.principal.name)
        for navigation, other in body.pairs:
            references.associate(call, shape, made.id, navigation, other)
    return made.id


def update(call: Call, shape: Shape, record_id: str, values: dict[str, Any]) -> None:
    """Write values to a record that is there, at the version that If-Match names."""
    expected = _expected(call, shape)
    with _faults(shape, values):
        call.store.update(
            shape.entity.name, record_id, values, expected=expected, actor=call.principal.name
        )


def delete(call: Call, shape: Shape, record_id: str) -> HttpResponse:
    """Delete a record, if it is at the version that If-Match names."""
    _check_writable(shape)
    expected = _expected(call, shape)
    single.require(call, shape, record_id)
    call.store.delete(shape.entity.name, record_id, expected=expected, actor=call.principal.name)
    return nothing()


def one_property(call: Call, shape: Shape, record_id: str, name: str) -> HttpResponse:
    """Write one property from `{"value": …}` (PUT), or empty it (DELETE)."""
    _check_writable(shape)
    attribute = shape.properties.get(name)
    if attribute is None:
        raise unknown_segment(name)
    if attribute.is_lookup:
        raise bad_request(f"'{name}' is a lookup; use its navigation with $ref.", MALFORMED)
    single.require(call, shape, record_id)
    value = None
    if call.method != "DELETE":
        document = call.body()
        if "value" not in document:
            raise bad_request("The body needs a member 'value'.", MALFORMED)
        value = document["value"]
    body = payload.read(call, shape, {name: value}, is_new=False)
    update(call, shape, record_id, body.values)
    return _written(call, shape, record_id, is_new=False, may_show=False)


def _written(
    call: Call, shape: Shape, record_id: str, *, is_new: bool, may_show: bool = True
) -> HttpResponse:
    url = f"{call.api}{shape.entity.set_name}({record_id})"
    if call.preferences.representation and may_show:
        response = single.record(call, shape, record_id, status=201 if is_new else 200)
    else:
        response = nothing()
        response["OData-EntityId"] = url
    if is_new:
        response["Location"] = url
    return response


def _check_writable(shape: Shape) -> None:
    entity = shape.entity
    if entity.is_intersect or entity.name in _READ_ONLY:
        raise WebApiError(
            405,
            "0x80040800",
            f"The entities of type '{entity.name}' can only be read; write them through the "
            "records they belong to.",
        )


def _check_id(shape: Shape, body: payload.Payload, record_id: str) -> None:
    given = body.values.pop(shape.entity.primary_id, None)
    if given is not None and str(given).strip("{}").lower() != record_id:
        raise bad_request("The id in the body differs from the one in the address.", MALFORMED)


def _expected(call: Call, shape: Shape) -> int | None:
    condition = call.header("If-Match")
    if condition in ("", "*"):
        return None
    found = _ETAG.match(condition)
    if found is None:
        raise bad_request(f"The etag '{condition[:80]}' is not valid.", "0x80060888")
    if not shape.entity.checks_versions:
        raise bad_request(
            f"Optimistic concurrency isn't enabled for entity type {shape.entity.name}.",
            NO_CONCURRENCY,
        )
    return int(found[1])


def _check_keys(call: Call, shape: Shape, values: dict[str, RecordValue]) -> None:
    """Refuse a new record whose alternate key another one has. Inside the transaction."""
    entity = shape.entity
    for key in entity.keys:
        given = {name: values.get(name) for name in key.attributes}
        if any(not isinstance(value, str | int) for value in given.values()):
            continue
        conditions = tuple(
            Condition(name, Operator.EQ, (value,))
            for name, value in given.items()
            if isinstance(value, str | int)
        )
        query = Query(entity=entity.name, filter=Group(Logic.AND, conditions))
        if call.store.page(entity.name, [entity.primary_id], filter=query, limit=1):
            names = ", ".join(key.attributes)
            raise WebApiError(
                412,
                "0x80060892",
                f"Entity Key {key.name} violated. A record with the same value for {names} "
                "already exists. A duplicate record cannot be created. Select one or more unique "
                "values and try again.",
            )


@contextmanager
def _faults(shape: Shape, values: dict[str, RecordValue]) -> Iterator[None]:
    """Give refused values the codes that Dataverse gives them."""
    try:
        yield
    except InvalidRequest as error:
        attribute = shape.entity.attribute(error.element)
        if attribute is None:
            raise
        value = values.get(attribute.name)
        limit = attribute.max_length
        if isinstance(value, str) and limit and len(value) > limit:
            raise bad_request(
                f"A validation error occurred. The length of the '{attribute.name}' attribute of "
                f"the '{shape.entity.name}' entity exceeded the maximum allowed length of "
                f"'{limit}'.",
                TOO_LONG,
            ) from error
        if attribute.type is AttributeType.STATUS and str(error).startswith("Status"):
            raise bad_request(str(error), BAD_STATE) from error
        if attribute.type in OPTION_TYPES:
            raise bad_request(str(error), BAD_OPTION) from error
        raise
