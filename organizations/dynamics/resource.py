"""Resource paths: `accounts(…)/primarycontactid/$ref` as segments with keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from organizations.dynamics.errors import bad_request

_QUOTED = r"'(?:[^']|'')*'"
_SEGMENT = re.compile(rf"([^/()'\s]+)(?:\(((?:{_QUOTED}|[^()'])*)\))?(?:/|\Z)")
_PAIR = re.compile(rf"\s*([A-Za-z_@][\w.]*)\s*=\s*({_QUOTED}|[^,']*)\s*(?:,|\Z)")
GUID = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a path. `key` is the GUID in its brackets, lower case; `pairs` named values.

    `called` says that there were brackets at all, as in `WhoAmI()`.
    """

    name: str
    key: str | None = None
    pairs: Mapping[str, str] = field(default_factory=dict)
    called: bool = False


def parse(path: str) -> list[Segment]:
    """Return the segments of a path. Raises WebApiError 400 for a malformed one."""
    segments: list[Segment] = []
    at = 0
    while at < len(path):
        found = _SEGMENT.match(path, at)
        if found is None:
            raise bad_request(f"Bad Request - Error in query syntax: '{path[at : at + 80]}'.")
        segments.append(_segment(found[1], found[2]))
        at = found.end()
    return segments


def _segment(name: str, inside: str | None) -> Segment:
    if inside is None:
        return Segment(name)
    text = inside.strip()
    if guid := GUID.match(text.strip("'")):
        return Segment(name, guid[1].lower(), called=True)
    pairs = {key: unquoted(value) for key, value in _PAIR.findall(text)}
    if text and not pairs:
        raise bad_request(f"Bad Request - Error in query syntax: '({text[:80]})'.")
    return Segment(name, None, pairs, called=True)


def unquoted(value: str) -> str:
    """Return a key value without its quotes."""
    value = value.strip()
    return value[1:-1].replace("''", "'") if value.startswith("'") else value
