"""Limits and faults of twins around every request to one: `$batch` is one request.

A middleware and no part of the view, so that it sees what the network would see.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from organizations.dynamics import faults, protection, tokens
from organizations.dynamics.call import refused
from organizations.dynamics.faults import Struck
from organizations.dynamics.protection import LimitExceeded, Remaining
from organizations.dynamics.twins import find_twin
from organizations.models import Organization, TwinLimits

_TWIN = re.compile(r"/dynamics/([a-z][a-z0-9-]{0,39})/")
Next = Callable[[HttpRequest], HttpResponseBase]


class TwinMiddleware:
    """Lets requests to twins through as their limits and faults allow; all others untouched."""

    def __init__(self, get_response: Next) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        found = _TWIN.match(request.path)
        organization = find_twin(found[1]) if found else None
        if organization is None:
            return self.get_response(request)
        return self._serve(request, organization)

    def _serve(self, request: HttpRequest, organization: Organization) -> HttpResponseBase:
        limits = protection.limits_of(organization)
        user = tokens.user_of(organization, faults.bearer(request))
        try:
            admission = protection.admit(limits, user) if user else None
        except LimitExceeded as error:
            return _refused(error, protection.remaining(limits, user))
        started, left = time.monotonic(), None
        try:
            struck = faults.strike(organization, request)
            response = self._answer(request, struck, limits)
        finally:
            if admission is not None:
                left = admission.finish(time.monotonic() - started)
        return faults.after(struck, request, _with_headers(response, limits, left))

    def _answer(
        self, request: HttpRequest, struck: Sequence[Struck], limits: TwinLimits
    ) -> HttpResponseBase:
        return faults.before(struck, request, limits) or self.get_response(request)


def _refused(error: LimitExceeded, left: Remaining | None) -> HttpResponseBase:
    response = refused(error)
    response[protection.RETRY_AFTER] = str(error.after)
    for name, value in left.headers().items() if left else ():
        response[name] = value
    return response


def _with_headers(
    response: HttpResponseBase, limits: TwinLimits, left: Remaining | None
) -> HttpResponseBase:
    if protection.DOP_HINT in response.headers:
        response.headers[protection.DOP_HINT] = str(limits.dop_hint)
    for name, value in left.headers().items() if left else ():
        response.headers[name] = value
    return response
