"""POST, PATCH and DELETE of records (resco.md §3.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from django.db import DataError, transaction
from django.http import HttpResponse

from organizations.odata import reading
from organizations.odata.call import Call, nothing
from organizations.odata.errors import ODataError, unknown
from organizations.odata.names import Shape
from organizations.odata.rows import version_of
from organizations.participation import MASKS
from organizations.records import RecordValue, Reference
from organizations.schema import Attribute, AttributeType
from organizations.values import guid

_BIND = "@odata.bind"
_TARGET = re.compile(r"(?:.*/)?(?P<set>[A-Za-z_]\w*)\('?(?P<id>[0-9A-Fa-f-]{36})'?\)\Z", re.DOTALL)
Values = dict[str, RecordValue]


def create(call: Call, shape: Shape) -> HttpResponse:
    """Make a record and answer with it, 201 and its address."""
    values = _values(call, shape)
    given = values.pop(shape.entity.primary_id, None)
    with _stored(values):
        made = call.store.create(
            shape.entity.name,
            values,
            id=None if given is None else str(given),
            actor=call.member.email,
        )
    response = reading.record(call, shape, made.id, 201)
    response["Location"] = f"{call.root}{shape.entity.name}('{made.id}')"
    return response


def change(call: Call, shape: Shape, record_id: str) -> HttpResponse:
    """Change a record and answer with it. With a stale If-Match 412."""
    values = _values(call, shape)
    if values.pop(shape.entity.primary_id, record_id) != record_id:
        raise ODataError("The id of a record cannot be changed.", target=shape.entity.primary_id)
    with _stored(values):
        call.store.update(
            shape.entity.name,
            record_id,
            values,
            expected=_expected(call, shape, record_id),
            actor=call.member.email,
        )
    return reading.record(call, shape, record_id)


def delete(call: Call, shape: Shape, record_id: str) -> HttpResponse:
    """Remove a record. With a stale If-Match 412."""
    expected = _expected(call, shape, record_id)
    call.store.delete(shape.entity.name, record_id, expected=expected, actor=call.member.email)
    return nothing()


def _expected(call: Call, shape: Shape, record_id: str) -> int | None:
    text = str(call.request.headers.get("If-Match", "")).strip()
    if not text or text == "*":
        return None
    version = version_of(text)
    if version is None:
        raise ODataError(
            f"'{text[:80]}' is no etag of '{shape.entity.name}' {record_id}.",
            status=412,
            code="PreconditionFailed",
            target="If-Match",
        )
    return version


class _stored(transaction.Atomic):  # noqa: N801 - reads as the statement it is
    """A transaction in which a value that no column can hold is the caller's mistake."""

    def __init__(self, values: Mapping[str, RecordValue]) -> None:
        super().__init__(using=None, savepoint=True, durable=False)
        self._values = values

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        super().__exit__(kind, error, trace)
        if isinstance(error, DataError):
            names = ", ".join(sorted(self._values))
            told = str(error).splitlines()[0]
            raise ODataError(f"The value of one of {names} cannot be stored: {told}.") from error


def _values(call: Call, shape: Shape) -> Values:
    """Return the values of the body. Raises ODataError that names the property."""
    found: Values = {}
    for name, value in call.body().items():
        if name.endswith(_BIND):
            attribute, reference = _bound(shape, name, value)
            found[attribute] = reference
        elif "@" not in name:
            attribute_of = shape.property(name)
            found[attribute_of.name] = _value(shape, attribute_of, name, value)
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
        rows.append(
            (item.get("participationtypemask", mask), item.get("entity") or "", item["party"])
        )
    return orjson.dumps(rows).decode()


def _bound(shape: Shape, name: str, value: Any) -> tuple[str, RecordValue]:
    navigation = shape.navigation(name.removesuffix(_BIND))
    if value is None:
        return navigation.attribute.name, None
    found = _TARGET.match(value) if isinstance(value, str) else None
    if found is None or found["set"] != navigation.target:
        raise ODataError(
            f"'{name}' takes an address such as /{navigation.target}(id), not '{str(value)[:80]}'.",
            target=name,
        )
    return navigation.attribute.name, Reference(navigation.target, _guid(found["id"], name))


def id_of(shape: Shape, key: str) -> str:
    """Return the id in the brackets of an address, quoted or not. Raises ODataError 404."""
    try:
        return guid(key.strip().strip("'"))
    except ValueError as error:
        raise unknown(f"record of '{shape.entity.name}'", key) from error
