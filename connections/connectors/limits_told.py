"""What an answer says about the other side's limits (dataverse.md §0 and §5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from connections.egress import Reply

REMAINING = "x-ms-ratelimit-burst-remaining-xrm-requests"
HINT = "x-ms-dop-hint"
TOO_MANY = 429
_SHOWN = 4096
_NUMBER = rb"([\d,.]*\d)"
_REQUESTS = re.compile(
    rb"exceeded the limit of " + _NUMBER + rb" over time window of " + _NUMBER + rb" seconds"
)
_CONCURRENT = re.compile(rb"concurrent requests exceeded the limit of " + _NUMBER)
_TIME = re.compile(rb"execution time of incoming requests exceeded", re.IGNORECASE)


class Exceeded(StrEnum):
    """Which limit a 429 is about."""

    REQUESTS = "requests"
    CONCURRENT = "concurrent"
    TIME = "time"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one answer told.

    `remaining`: requests left in the window. `hint`: recommended number of requests at once.
    `after`: seconds to wait. `limit`, and for requests `window` (seconds), are those exceeded.
    """

    status: int
    received: int = 0
    remaining: int | None = None
    hint: int | None = None
    after: float | None = None
    exceeded: Exceeded | None = None
    limit: int | None = None
    window: float | None = None


def told(reply: Reply, now: datetime) -> Told:
    """Return what a reply tells; `now` is for a Retry-After given as a date."""
    exceeded, limit, window = _exceeded(reply)
    return Told(
        status=reply.status,
        received=reply.received,
        remaining=_number(reply.headers, REMAINING),
        hint=_number(reply.headers, HINT),
        after=retry_after(reply.headers.get("Retry-After", ""), now),
        exceeded=exceeded,
        limit=limit,
        window=window,
    )


def retry_after(text: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, given in seconds or as a date."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    return max(0.0, (moment - now).total_seconds())


def _exceeded(reply: Reply) -> tuple[Exceeded | None, int | None, float | None]:
    if reply.status != TOO_MANY:
        return None, None, None
    text = reply.body[:_SHOWN]
    if found := _CONCURRENT.search(text):
        return Exceeded.CONCURRENT, _whole(found[1]), None
    if _TIME.search(text):
        return Exceeded.TIME, None, None
    if found := _REQUESTS.search(text):
        return Exceeded.REQUESTS, _whole(found[1]), float(_whole(found[2]))
    return Exceeded.UNKNOWN, None, None


def _whole(digits: bytes) -> int:
    return int(digits.replace(b",", b"").partition(b".")[0])


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip().partition(".")[0]
    return int(text) if text.isascii() and text.isdigit() else None
