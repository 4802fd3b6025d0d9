"""Switching faults of a twin on and off, and setting its limits: one way for page and command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model

from organizations.dynamics import protection
from organizations.errors import InvalidRequest
from organizations.models import Organization, RequestKind, TwinFault, TwinLimits

Kind = TwinFault.Kind
_ANSWERED = [RequestKind.READ, RequestKind.WRITE, RequestKind.BATCH, RequestKind.METADATA]
DEFAULT_REQUESTS: Mapping[str, list[str]] = {
    Kind.LOST_RESPONSE: [RequestKind.WRITE, RequestKind.BATCH],
    Kind.EXPIRED_DELTA: [RequestKind.READ],
}
"""Which requests a fault strikes unless told otherwise; all but those for tokens for the rest."""
SETTABLE = (
    "probability",
    "count",
    "seed",
    "requests",
    "milliseconds",
    "jitter",
    "burst",
    "after",
)
LIMITS = (
    "is_on",
    "requests",
    "window_seconds",
    "execution_seconds",
    "concurrent",
    "dop_hint",
    "page_size",
)


def usual_requests(kind: str) -> list[str]:
    """Return which kinds of requests a fault strikes unless told otherwise."""
    return [str(one) for one in DEFAULT_REQUESTS.get(kind, _ANSWERED)]


def switch_on(organization: Organization, kind: str, values: Mapping[str, Any]) -> TwinFault:
    """Switch a fault on from the beginning of its sequence; what `values` leaves out is usual.

    Raises InvalidRequest that names what is wrong.
    """
    _check_twin(organization)
    if kind not in Kind.values:
        known = ", ".join(Kind.values)
        raise InvalidRequest(f"There is no fault '{kind}'. Known: {known}.", "kind")
    for name in values:
        if name not in SETTABLE:
            known = ", ".join(SETTABLE)
            raise InvalidRequest(f"A fault has no setting '{name}'. Known: {known}.", name)
    fault = TwinFault(organization=organization, kind=kind, **values)
    fault.requests = _requests(fault)
    _check(fault)
    TwinFault.objects.filter(organization=organization, kind=kind).delete()
    fault.save(force_insert=True)
    return fault


def switch_off(organization: Organization, *kinds: str) -> int:
    """Switch these faults off, all of them if none is named; return how many were on."""
    found = TwinFault.objects.filter(organization=organization, is_on=True)
    if kinds:
        found = found.filter(kind__in=kinds)
    return found.update(is_on=False)


def set_limits(organization: Organization, values: Mapping[str, Any]) -> TwinLimits:
    """Change limits of a twin; what `values` leaves out stays. Raises InvalidRequest."""
    _check_twin(organization)
    limits = protection.limits_of(organization)
    for name, value in values.items():
        if name not in LIMITS:
            known = ", ".join(LIMITS)
            raise InvalidRequest(f"There is no limit '{name}'. Known: {known}.", name)
        setattr(limits, name, value)
    _check(limits)
    limits.save()
    return limits


def _check_twin(organization: Organization) -> None:
    if organization.kind != Organization.Kind.DYNAMICS_TWIN:
        raise InvalidRequest(
            f"'{organization.name}' is no Dynamics twin; only twins have limits and faults.",
            "organization",
        )


def _requests(fault: TwinFault) -> list[str]:
    wanted = [str(kind) for kind in fault.requests] or usual_requests(fault.kind)
    for kind in wanted:
        if kind not in RequestKind.values:
            known = ", ".join(RequestKind.values)
            raise InvalidRequest(
                f"There is no kind of requests '{kind}'. Known: {known}.", "requests"
            )
    return wanted


def _check(row: Model) -> None:
    try:
        row.clean_fields()
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise InvalidRequest(f"'{name}': {' '.join(messages)}", name) from error
