"""What stands around the records of a page: links, paging cookie (dataverse.md §3.1, §3.3).

The reader thread wants them without decoding megabytes, so they are looked for at both ends of
the page. Inside a text the quotes around a name would be escaped, so a find is the member itself.
Only a page that has them nowhere near its ends is decoded for them.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import orjson

from connections.connectors.dynamics.client import not_json

NEXT_LINK = "@odata.nextLink"
DELTA_LINK = "@odata.deltaLink"
COOKIE = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
MORE = "@Microsoft.Dynamics.CRM.morerecords"

_REACH = 65_536
_LITERAL = re.compile(rb'\s*:\s*("(?:[^"\\]|\\.)*"|true|false|null)')
_CLOSED = re.compile(rb"\]\s*\}\s*\Z")


class Surroundings(msgspec.Struct):
    """The members of a page besides its records."""

    next_link: str = msgspec.field(default="", name=NEXT_LINK)
    delta_link: str = msgspec.field(default="", name=DELTA_LINK)
    cookie: str | None = msgspec.field(default=None, name=COOKIE)
    more: bool = msgspec.field(default=False, name=MORE)


def surroundings(body: bytes) -> Surroundings:
    """Return the members around a page's records. Raises Retryable if it is no JSON."""
    head, tail = body[:_REACH], body[-_REACH:]
    found = {name: _member(name, head, tail) for name in (NEXT_LINK, DELTA_LINK, COOKIE, MORE)}
    known = {name: value for name, value in found.items() if value is not None}
    if known or _begins_plainly(head) and _CLOSED.search(tail):
        return msgspec.convert(known, Surroundings)
    try:
        return msgspec.json.decode(body, type=Surroundings)
    except msgspec.DecodeError as error:
        raise not_json() from error


def _begins_plainly(head: bytes) -> bool:
    """Return whether the records begin near the head, so that nothing hides before them."""
    return b'"value":[' in head


def _member(name: str, *places: bytes) -> Any:
    needle = f'"{name}"'.encode()
    for place in places:
        at = place.rfind(needle)
        literal = _LITERAL.match(place, at + len(needle)) if at >= 0 else None
        if literal:
            return orjson.loads(literal.group(1))
    return None
