"""Answers of doors in XML or JSON, as the caller's Accept header prefers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from lxml import etree

XML, JSON = "application/xml", "application/json"
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def wants_json(request: HttpRequest) -> bool:
    """Return whether the caller prefers JSON; without a preference, what it sent decides."""
    accepted = request.headers.get("Accept", "*/*").strip()
    if accepted in {"", "*/*"}:
        return request.content_type == JSON
    return request.get_preferred_type([XML, "text/xml", JSON]) == JSON


def answer(
    request: HttpRequest,
    *,
    xml: Callable[[], etree._Element],
    json: Callable[[], Mapping[str, Any]],
    status: int = 200,
) -> HttpResponse:
    """Return whichever of the two forms the caller prefers; nothing of it may be cached."""
    if wants_json(request):
        response = HttpResponse(orjson.dumps(json()), content_type=JSON, status=status)
    else:
        body = etree.tostring(xml(), xml_declaration=True, encoding="utf-8")
        response = HttpResponse(body, content_type=f"{XML}; charset=utf-8", status=status)
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept"
    return response


def element(parent: etree._Element, name: str, value: object = None) -> etree._Element:
    """Append an element; None stays empty, characters that XML forbids become U+FFFD."""
    child = etree.SubElement(parent, name)
    if value is not None:
        child.text = _ILLEGAL.sub("\ufffd", text(value))
    return child


def text(value: object) -> str:
    """Write a value as XML text: booleans as true/false, times as RFC 3339 UTC."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return timestamp(value) or ""
    return str(value)


def timestamp(value: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC with milliseconds, or None."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
