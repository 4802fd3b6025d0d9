"""What all web service doors have in common: methods, no CSRF token, faults instead of pages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from organizations.errors import InvalidRequest
from syncjobs.doors.fault import Fault, answer_fault

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def door(*methods: str) -> Callable[[View[P]], View[P]]:
    """Make a view a door: only these methods; Fault and InvalidRequest become fault answers.

    Doors take credentials with every request and no cookies, so CSRF tokens do not apply.
    """

    def decorate(view: View[P]) -> View[P]:
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                _check_method(request, methods)
                return view(request, *args, **kwargs)
            except Fault as fault:
                return answer_fault(request, fault)
            except InvalidRequest as error:
                return answer_fault(request, Fault(str(error), detail=error.element))

        return csrf_exempt(functools.update_wrapper(guarded, view))

    return decorate


def _check_method(request: HttpRequest, methods: tuple[str, ...]) -> None:
    if request.method not in methods:
        allowed = ", ".join(methods)
        raise Fault(
            f"{request.method} is not allowed here; use {allowed}.",
            status=405,
            code="MethodNotAllowed",
            headers={"Allow": allowed},
        )
