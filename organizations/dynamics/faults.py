"""Faults of a twin: which of them strike a request, and what they make of its answer.

A fault strikes its n-th request or not by its seed and n alone, so a rehearsal can be repeated.
The counter stands in the database, because all web processes count together.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from redis import RedisError

from organizations.dynamics import faults_broken, tokens
from organizations.dynamics.call import refused
from organizations.dynamics.errors import EXPIRED, WebApiError
from organizations.dynamics.protection import RETRY_AFTER, exceeded
from organizations.dynamics.twins import challenge
from organizations.models import Organization, RequestKind, TwinFault, TwinLimits
from organizations.tables.database import one

Kind = TwinFault.Kind
_logger = logging.getLogger(__name__)
_METADATA = (
    "$metadata",
    "EntityDefinitions",
    "GlobalOptionSetDefinitions",
    "RelationshipDefinitions",
    "RetrieveMetadataChanges",
    "CreateEntities",
)
_PAGES = {
    Kind.UNAVAILABLE: (503, "Service Unavailable", "The service is unavailable."),
    Kind.BAD_GATEWAY: (502, "Bad Gateway", "The web server received an invalid response."),
}


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that strikes its `number`-th request."""

    fault: TwinFault
    number: int

    @property
    def kind(self) -> str:
        """What goes wrong."""
        return self.fault.kind

    def random(self) -> Random:
        """Return random numbers for this very request."""
        return _random(self.fault, self.number)


def kind_of(request: HttpRequest) -> RequestKind:
    """Return what a request to a twin is about."""
    if "/api/data/" not in request.path:
        return RequestKind.TOKEN
    resource = request.path.partition("/api/data/")[2].partition("/")[2]
    if resource.startswith("$batch"):
        return RequestKind.BATCH
    if not resource or resource.startswith(_METADATA):
        return RequestKind.METADATA
    is_read = request.method in ("GET", "HEAD", "OPTIONS")
    return RequestKind.READ if is_read else RequestKind.WRITE


def strike(organization: Organization, request: HttpRequest) -> list[Struck]:
    """Return the faults that strike this request; each counts it."""
    kind = kind_of(request)
    found = TwinFault.objects.filter(organization=organization, is_on=True)
    struck = []
    for fault in found:
        if kind not in fault.requests or not _is_meant(fault, request):
            continue
        number = _count(fault)
        if _strikes(fault, number):
            _mark(fault)
            struck.append(Struck(fault, number))
        elif fault.kind == Kind.REVOKED and _is_revoked(bearer(request)):
            struck.append(Struck(fault, number))
    return struck


def _is_meant(fault: TwinFault, request: HttpRequest) -> bool:
    if fault.kind == Kind.EXPIRED_DELTA:
        return "$deltatoken" in request.GET
    if fault.kind == Kind.REVOKED:
        return bool(bearer(request))
    return True


def _count(fault: TwinFault) -> int:
    row = one(
        "UPDATE organizations_twinfault SET seen = seen + 1 WHERE id = %s RETURNING seen",
        [fault.pk],
    )
    return int(row[0]) if row else 0


def _mark(fault: TwinFault) -> None:
    one(
        "UPDATE organizations_twinfault SET struck = struck + 1 WHERE id = %s RETURNING struck",
        [fault.pk],
    )


def _strikes(fault: TwinFault, number: int) -> bool:
    if fault.kind == Kind.THROTTLED:
        first = max(1, number - fault.burst + 1)
        return any(_is_drawn(fault, start) for start in range(first, number + 1))
    return _is_drawn(fault, number)


def _is_drawn(fault: TwinFault, number: int) -> bool:
    if number < 1 or (fault.count is not None and number > fault.count):
        return False
    return _random(fault, number).random() < fault.probability


def _random(fault: TwinFault, number: int) -> Random:
    return Random(f"{fault.seed}/{fault.kind}/{number}")  # noqa: S311 - chance, no secret


def before(
    struck: Sequence[Struck], request: HttpRequest, limits: TwinLimits
) -> HttpResponseBase | None:
    """Wait as latency demands; return the answer of a request that must not be worked on."""
    for item in struck:
        if item.kind == Kind.LATENCY:
            _wait(item)
    for item in struck:
        if answered := _REFUSALS.get(item.kind):
            return answered(item.fault, request, limits)
    return None


def _wait(item: Struck) -> None:
    jitter = item.random().uniform(-item.fault.jitter, item.fault.jitter)
    time.sleep(max(0.0, item.fault.milliseconds + jitter) / 1000)


def _revoked(fault: TwinFault, request: HttpRequest, limits: TwinLimits) -> HttpResponseBase:
    """Withdraw the access token for good: only a new one helps."""
    _revoke(bearer(request))
    return challenge(request, limits.organization.name)


def _throttled(fault: TwinFault, request: HttpRequest, limits: TwinLimits) -> HttpResponseBase:
    error = exceeded(limits, 1, fault.after)
    response = refused(error)
    response[RETRY_AFTER] = str(error.after)
    return response


def _gateway(fault: TwinFault, request: HttpRequest, limits: TwinLimits) -> HttpResponseBase:
    """Answer as a gateway does: in HTML, which no client of the Web API can parse."""
    status, title, text = _PAGES[Kind(fault.kind)]
    body = f"<html><head><title>{title}</title></head><body><h2>{text}</h2></body></html>"
    return HttpResponse(body, status=status, content_type="text/html")


def _dropped(fault: TwinFault, request: HttpRequest, limits: TwinLimits) -> HttpResponseBase:
    return faults_broken.nothing(request)


def _expired(fault: TwinFault, request: HttpRequest, limits: TwinLimits) -> HttpResponseBase:
    message = "Version stamp associated with the client has expired. Please perform a full sync."
    return refused(WebApiError(400, EXPIRED, message))


_REFUSALS: dict[str, Callable[[TwinFault, HttpRequest, TwinLimits], HttpResponseBase]] = {
    Kind.REVOKED: _revoked,
    Kind.THROTTLED: _throttled,
    Kind.UNAVAILABLE: _gateway,
    Kind.BAD_GATEWAY: _gateway,
    Kind.DROPPED: _dropped,
    Kind.EXPIRED_DELTA: _expired,
}


def after(
    struck: Iterable[Struck], request: HttpRequest, response: HttpResponseBase
) -> HttpResponseBase:
    """Return what is left of the answer of a request that was worked on."""
    kinds = {item.kind for item in struck}
    if Kind.LOST_RESPONSE in kinds:
        response.close()
        return faults_broken.nothing(request)
    if not isinstance(response, HttpResponse) or len(response.content) < faults_broken.SHORTEST:
        return response
    if Kind.TRUNCATED in kinds:
        return faults_broken.truncated(request, response)
    if Kind.INVALID_JSON in kinds:
        return faults_broken.invalid(response)
    return response


def bearer(request: HttpRequest) -> str:
    """Return the access token of a request, or ''."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _is_revoked(token: str) -> bool:
    try:
        return bool(cache.get(_revoked_key(token)))
    except RedisError as error:
        _logger.warning("Redis cannot be reached, a revoked token is good again: %s", error)
        return False


def _revoke(token: str) -> None:
    try:
        cache.set(_revoked_key(token), True, tokens.LIFETIME_SECONDS)
    except RedisError as error:
        _logger.warning("Redis cannot be reached, a token is revoked only once: %s", error)


def _revoked_key(token: str) -> str:
    return f"revoked:{salted_hmac('organizations.dynamics.faults', token).hexdigest()}"
