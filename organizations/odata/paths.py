"""Addresses of records and what hangs on them (part 2, 4): sets, keys, navigations, properties."""

from __future__ import annotations

import re
from typing import NoReturn
from urllib.parse import unquote

from django.http import HttpResponse

from organizations.odata import parts, reading, writing
from organizations.odata.call import Call, nothing
from organizations.odata.errors import ODataError, not_served, unknown
from organizations.odata.names import Shape

COUNT = "$count"
_SET = re.compile(r"(?P<set>[A-Za-z_]\w*)(?:\((?P<key>[^()/]*)\))?\Z", re.ASCII)
_MOST = 10
"""Segments of an address."""
_KNOWN_ELSEWHERE = frozenset({"$filter", "$each", "$query", "$root", "$all"})


def serve(call: Call) -> HttpResponse:
    """Answer a request to a set or to what is in it. Raises ODataError."""
    first, *rest = call.path.split("/")
    if len(rest) >= _MOST:
        raise ODataError(f"An address has at most {_MOST} segments.")
    found = _SET.match(first)
    if found is None:
        raise unknown("resource", call.path)
    shape = call.shape(found["set"])
    if found["key"] is None:
        return _set(call, shape, rest)
    return _record(call, shape, writing.id_of(shape, found["key"]), rest)


def _set(call: Call, shape: Shape, rest: list[str]) -> HttpResponse:
    if rest == [COUNT]:
        if call.method != "GET":
            raise writing.wrong_method(call, "GET")
        return reading.count(call, shape)
    if rest:
        _lost(call, rest[0])
    if call.method == "GET":
        return reading.collection(call, shape)
    if call.method == "POST":
        return writing.create(call, shape)
    raise writing.wrong_method(call, "GET", "POST")


def _record(call: Call, shape: Shape, record_id: str, rest: list[str]) -> HttpResponse:
    if rest:
        return _part(call, shape, record_id, rest)
    if call.method == "GET":
        return reading.record(call, shape, record_id)
    if call.method == "PATCH":
        return writing.change(call, shape, record_id)
    if call.method == "DELETE":
        return writing.delete(call, shape, record_id)
    raise writing.wrong_method(call, "GET", "PATCH", "DELETE")


def _part(call: Call, shape: Shape, record_id: str, rest: list[str]) -> HttpResponse:
    name, *further = rest
    navigation = shape.navigations.get(name)
    if navigation is None:
        if name not in shape.properties:
            _lost(call, name)
        return parts.property_of(call, shape, record_id, name, "/".join(further))
    if further == [parts.REF]:
        return parts.reference(call, shape, record_id, navigation)
    found = parts.target_of(call, shape, record_id, navigation)
    if found is None:
        if call.method == "GET":
            return nothing()
        raise unknown("record behind", call.path)
    return _record(call, *found, further)


def _lost(call: Call, segment: str) -> NoReturn:
    """Raise 501 for what the standard or the original has there, 404 for anything else."""
    name = unquote(segment)
    if "." in name or name.partition("(")[0] in _KNOWN_ELSEWHERE or name.startswith("$"):
        raise not_served(f"'{name[:80]}' of '{call.path.partition('/')[0][:80]}'")
    raise unknown("resource", call.path)
