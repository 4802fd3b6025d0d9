"""POST, PATCH and DELETE of records (resco.md §3.3; part 1, 11.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpResponse

from organizations.errors import AlreadyExists
from organizations.odata import reading
from organizations.odata.call import Call, nothing, with_applied
from organizations.odata.errors import ODataError, not_served, unknown
from organizations.odata.names import Navigation, Shape
from organizations.odata.rows import version_of
from organizations.participation import MASKS
from organizations.records import RecordValue, Reference
from organizations.schema import VERSION, Attribute, AttributeType
from organizations.values import guid

_BIND = ("@odata.bind", "@bind")
_TARGET = re.compile(r"(?:.*/)?(?P<set>[A-Za-z_]\w*)\('?(?P<id>[0-9A-Fa-f-]{36})'?\)\Z", re.DOTALL)
_TAG = re.compile(r'(?:W/)?"[^"]*"|[^\s,]+')
Values = dict[str, RecordValue]


def create(call: Call, shape: Shape) -> HttpResponse:
    """Make a record and answer with it, 201 and its address."""
    values = values_of(shape, call.body())
    given = values.pop(shape.entity.primary_id, None)
    return _created(call, shape, values, None if given is None else str(given))


def _created(call: Call, shape: Shape, values: Values, record_id: str | None) -> HttpResponse:
    name, actor = shape.entity.name, call.member.email
    made = call.store.create(name, _given(values), id=record_id, actor=actor)
    response = _answered(call, shape, made.id, 201)
    address = f"{call.root}{name}('{made.id}')"
    response["Location"] = address
    if response.status_code == 204:
        response["OData-EntityId"] = address
    return response


def change(call: Call, shape: Shape, record_id: str) -> HttpResponse:
    """Change a record and answer with it. With a stale If-Match 412.

    A record that is not there is made, unless If-Match says that it must be (part 1, 11.4.4). An
    id in the body is ignored, as the row version is: nobody can change them (11.4.3).
    """
    values = values_of(shape, call.body())
    values.pop(shape.entity.primary_id, None)
    if not call.header("If-Match") and not _exists(call, shape, record_id):
        return _created(call, shape, values, record_id)
    if call.header("If-None-Match").strip() == "*":
        raise _precondition(str(AlreadyExists(shape.entity.name, record_id)), "If-None-Match")
    write(call, shape, record_id, values)
    return _answered(call, shape, record_id, 200)


def write(call: Call, shape: Shape, record_id: str, values: Values) -> None:
    """Change values of a record. Raises VersionMismatch for a stale If-Match, NotFound."""
    call.store.update(
        shape.entity.name,
        record_id,
        _given(values),
        expected=_expected(call, shape, record_id),
        actor=call.member.email,
    )


def _given(values: Values) -> Values:
    """Return the values without the row version, which is the organization's to give."""
    return {name: value for name, value in values.items() if name != VERSION}


def delete(call: Call, shape: Shape, record_id: str) -> HttpResponse:
    """Remove a record. With a stale If-Match 412."""
    expected = _expected(call, shape, record_id)
    call.store.delete(shape.entity.name, record_id, expected=expected, actor=call.member.email)
    return nothing()


def _exists(call: Call, shape: Shape, record_id: str) -> bool:
    return bool(call.store.fetch(shape.entity.name, [shape.entity.primary_id], [record_id]))


def _answered(call: Call, shape: Shape, record_id: str, status: int) -> HttpResponse:
    """Return the record, or nothing where that is preferred."""
    if call.preferences.minimal:
        return with_applied(call, nothing(), "return")
    response = reading.record(call, shape, record_id, status)
    return with_applied(call, response, "return", "odata.include-annotations")


def _expected(call: Call, shape: Shape, record_id: str) -> int | None:
    """Return the version that If-Match names; of several the current one, if it is among them."""
    text = call.header("If-Match").strip()
    tags = _TAG.findall(text[:4000])
    if not tags or "*" in tags:
        return None
    found = {version for tag in tags if (version := version_of(tag)) is not None}
    if len(found) > 1:
        found &= {_current(call, shape, record_id)}
    if not found:
        raise _precondition(
            f"'{text[:80]}' is no etag of '{shape.entity.name}' {record_id}.", "If-Match"
        )
    return found.pop()


def _current(call: Call, shape: Shape, record_id: str) -> int:
    rows = call.store.fetch(shape.entity.name, [shape.entity.primary_id], [record_id])
    if not rows:
        raise unknown(f"record of '{shape.entity.name}'", record_id)
    return int(rows[0][-1] or 0)


def _precondition(message: str, header: str) -> ODataError:
    return ODataError(message, status=412, code="PreconditionFailed", target=header)


def wrong_method(call: Call, *allowed: str) -> ODataError:
    """Return the error for a method that an address does not take."""
    return ODataError(
        f"{call.request.method} does not fit '{call.path[:100]}'.",
        status=405,
        code="MethodNotAllowed",
        headers={"Allow": ", ".join(allowed)},
    )


def values_of(shape: Shape, body: Mapping[str, Any]) -> Values:
    """Return the values of a body. Raises ODataError that names the property."""
    found: Values = {}
    for name, value in body.items():
        if name.endswith(_BIND):
            navigation = shape.navigation(name.rpartition("@")[0].removesuffix("@odata"))
            found[navigation.attribute.name] = bound(navigation, name, value)
        elif "@" not in name and name not in shape.navigations:
            attribute_of = shape.property(name)
            found[attribute_of.name] = _value(shape, attribute_of, name, value)
        elif value is not None and "@" not in name:
            raise not_served(f"A record within a record ('{name}')")
    return found


def _value(shape: Shape, attribute: Attribute, name: str, value: Any) -> RecordValue:
    if attribute.is_lookup and value is not None:
        raise ODataError(
            f'Bind the lookup instead: "{attribute.name}_{{entity}}@odata.bind": '
            '"/{entity}({id})".',
            target=name,
        )
    if attribute.type is AttributeType.PARTYLIST and value is not None:
        return _parties(attribute, name, value)
    if attribute.is_primary_id:
        return _guid(value, name)
    if value is None or isinstance(value, str | int | float):
        return value
    raise ODataError(f"Property '{name}' takes a single value.", target=name)


def _guid(value: Any, name: str) -> str:
    try:
        return guid(value)
    except ValueError as error:
        raise ODataError(f"'{str(value)[:80]}' is not an id (a GUID).", target=name) from error


def _parties(attribute: Attribute, name: str, value: Any) -> str:
    """Return a party list as the store keeps it; without a mask the list's own counts."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ODataError(f"Property '{name}' takes a list of parties.", target=name)
    mask = MASKS.get(attribute.name, 0)
    rows = []
    for item in value:
        if not isinstance(item.get("party"), str):
            raise ODataError(f"A party of '{name}' needs the text 'party'.", target=name)
        entity = item.get("entity") or ""
        party = _guid(item["party"], name) if entity else item["party"]
        rows.append((item.get("participationtypemask", mask), entity, party))
    return orjson.dumps(rows).decode()


def bound(navigation: Navigation, name: str, value: Any) -> RecordValue:
    """Return what a lookup is bound to; null clears it. Raises ODataError."""
    if value is None:
        return None
    found = _TARGET.match(value) if isinstance(value, str) else None
    if found is None or found["set"] != navigation.target:
        raise ODataError(
            f"'{name}' takes an address such as /{navigation.target}(id), not '{str(value)[:80]}'.",
            target=name,
        )
    return Reference(navigation.target, _guid(found["id"], name))


def id_of(shape: Shape, key: str) -> str:
    """Return the id in the brackets of an address, quoted or not. Raises ODataError 404.

    The key may be named, as in `account(accountid='…')`.
    """
    text = key.strip().removeprefix(f"{shape.entity.primary_id}=").strip().strip("'")
    try:
        return guid(text)
    except ValueError as error:
        raise unknown(f"record of '{shape.entity.name}'", key) from error
