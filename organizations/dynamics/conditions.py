"""If-Match and If-None-Match of writes (dataverse.md 4.1)."""

from __future__ import annotations

import re

from organizations.dynamics.call import Call
from organizations.dynamics.errors import NO_CONCURRENCY, bad_request
from organizations.dynamics.names import Shape

_ETAG = re.compile(r'(?:W/)?"?(\d{1,19})"?\Z')


def expected(call: Call, shape: Shape) -> int | None:
    """Return the version that If-Match demands; None for any. Raises WebApiError 400."""
    condition = call.header("If-Match").strip()
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


def must_exist(call: Call) -> bool:
    """Return whether a PATCH may only change."""
    return bool(call.header("If-Match"))


def must_be_new(call: Call) -> bool:
    """Return whether a PATCH may only make."""
    return call.header("If-None-Match").strip() == "*"
