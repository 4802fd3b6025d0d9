"""Service protection limits of a twin: per user, in a sliding window (dataverse.md 5).

All web processes count together, in Redis, by scripts that run whole or not at all. Where Redis
cannot be reached the twin answers without limits: it is there for rehearsals, not for defence.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any
from uuid import uuid4

from django.core.cache import caches
from redis import ConnectionError as RedisConnectionError
from redis import Redis, RedisError

from organizations.dynamics import protection_scripts as scripts
from organizations.dynamics.errors import WebApiError
from organizations.models import Organization, TwinLimits

BURST_REMAINING = "x-ms-ratelimit-burst-remaining-xrm-requests"
TIME_REMAINING = "x-ms-ratelimit-time-remaining-xrm-requests"
DOP_HINT = "x-ms-dop-hint"
RETRY_AFTER = "Retry-After"
TOO_MANY_REQUESTS = "0x80072322"
TOO_MUCH_TIME = "0x80072321"
TOO_MANY_AT_ONCE = "0x80072326"
_ADDRESSES = ("redis://", "rediss://", "unix://")
_PATIENCE_SECONDS = 2.0
_logger = logging.getLogger(__name__)


class LimitExceeded(WebApiError):
    """A request that is refused. `after`: whole seconds after which one will be admitted."""

    def __init__(self, code: str, message: str, after: int) -> None:
        """Keep when to try again."""
        self.after = after
        super().__init__(429, code, message)


@dataclass(frozen=True, slots=True)
class Remaining:
    """What a user has left in the window: requests, and milliseconds of execution."""

    requests: int
    milliseconds: int

    def headers(self) -> dict[str, str]:
        """Return the headers that tell it: whole requests, seconds as in `1,199.94`."""
        return {
            BURST_REMAINING: str(max(0, self.requests)),
            TIME_REMAINING: f"{max(0, self.milliseconds) / 1000:,.2f}",
        }


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that is being worked on; `finish` must be called when it is done."""

    limits: TwinLimits
    keys: tuple[str, ...]
    id: str

    def finish(self, seconds: float) -> Remaining | None:
        """Count its execution time; return what is left, None when Redis cannot be reached."""
        try:
            counted = _run(
                scripts.FINISH,
                self.keys,
                [self.id, _window(self.limits), ceil(seconds * 1000)],
            )
        except RedisError as error:
            _warn(error)
            return None
        return _remaining(self.limits, counted)


def limits_of(organization: Organization) -> TwinLimits:
    """Return the limits of a twin: its own or, unsaved, the documented ones."""
    found = TwinLimits.objects.filter(organization=organization).first()
    return found or TwinLimits(organization=organization)


def page_size(organization: Organization) -> int:
    """Return how many records a page of a twin holds at most."""
    return limits_of(organization).page_size


def admit(limits: TwinLimits, user: str) -> Admission | None:
    """Count a request of a user before it is worked on; None where nothing is limited.

    Raises LimitExceeded.
    """
    if not limits.is_on:
        return None
    keys, name = _keys(limits.organization, user), uuid4().hex
    most = [limits.requests, limits.execution_seconds * 1000, limits.concurrent]
    try:
        verdict, wait, *_ = _run(scripts.ADMIT, keys, [name, _window(limits), *most])
    except RedisError as error:
        _warn(error)
        return None
    if verdict:
        raise exceeded(limits, int(verdict), ceil(int(wait) / 1000))
    return Admission(limits, keys, name)


def remaining(limits: TwinLimits, user: str) -> Remaining | None:
    """Return what a user has left; None where nothing is limited."""
    if not limits.is_on:
        return None
    try:
        counted = _run(scripts.LEFT, _keys(limits.organization, user), ["", _window(limits)])
    except RedisError as error:
        _warn(error)
        return None
    return _remaining(limits, counted)


def exceeded(limits: TwinLimits, verdict: int, after: int) -> LimitExceeded:
    """Return the documented refusal with this twin's numbers in it."""
    code, message = (
        (
            TOO_MANY_REQUESTS,
            f"Number of requests exceeded the limit of {limits.requests} over time window of "
            f"{limits.window_seconds} seconds.",
        ),
        (
            TOO_MUCH_TIME,
            "Combined execution time of incoming requests exceeded limit of "
            f"{limits.execution_seconds * 1000:,} milliseconds over time window of "
            f"{limits.window_seconds} seconds. Decrease number of concurrent requests or reduce "
            "the duration of requests and try again later.",
        ),
        (
            TOO_MANY_AT_ONCE,
            f"Number of concurrent requests exceeded the limit of {limits.concurrent}.",
        ),
    )[verdict - 1]
    return LimitExceeded(code, message, max(1, after))


def _window(limits: TwinLimits) -> int:
    return limits.window_seconds * 1000


def _remaining(limits: TwinLimits, counted: Sequence[int]) -> Remaining:
    requests, milliseconds = counted
    left = limits.execution_seconds * 1000 - int(milliseconds)
    return Remaining(limits.requests - int(requests), left)


def _keys(organization: Organization, user: str) -> tuple[str, ...]:
    # The braces keep a user's keys together where Redis is a cluster.
    head = f"{caches.settings['default'].get('KEY_PREFIX', '')}:twin:"
    tag = f"{{{organization.pk.hex}:{user}}}"
    names = ("requests", "executions", "used", "running", "refused")
    return tuple(f"{head}{tag}:{name}" for name in names)


def _run(script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
    location = str(caches.settings["default"].get("LOCATION", ""))
    if not location.startswith(_ADDRESSES):
        raise RedisConnectionError("the cache of this installation is no Redis")
    client = _client(location)
    return client.register_script(script)(keys=list(keys), args=list(arguments))


@lru_cache(maxsize=4)
def _client(location: str) -> Redis:
    return Redis.from_url(
        location, socket_timeout=_PATIENCE_SECONDS, socket_connect_timeout=_PATIENCE_SECONDS
    )


def _warn(error: RedisError) -> None:
    _logger.warning("Redis cannot be reached, a twin answers without limits: %s", error)
