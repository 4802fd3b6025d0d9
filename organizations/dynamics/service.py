"""The Web API of a twin: one view that authenticates, routes, and answers errors as documented."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from organizations import preferences as prefer
from organizations.dynamics import (
    batch,
    data,
    functions,
    metadata_service,
    protection,
    resource,
    tokens,
)
from organizations.dynamics.call import Call, refused
from organizations.dynamics.errors import WebApiError, from_organization, not_implemented
from organizations.dynamics.twins import base_url, challenge, find_twin, no_twin
from organizations.errors import OrganizationError
from organizations.models import Organization


@csrf_exempt
def serve(request: HttpRequest, name: str, version: str, path: str) -> HttpResponse:
    """Answer a request to `/dynamics/{name}/api/data/v{version}/{path}`."""
    organization = find_twin(name)
    if organization is None:
        return no_twin()
    principal = _principal(request, organization)
    if principal is None:
        return challenge(request, name)
    return respond(
        Call(
            request=request,
            organization=organization,
            principal=principal,
            preferences=prefer.read(
                request.headers.get("Prefer", ""), protection.page_size(organization)
            ),
            api=f"{base_url(request, name)}api/data/v{version}/",
            path=path,
        )
    )


def respond(call: Call) -> HttpResponse:
    """Answer one request, or one operation of a batch; errors are answers too."""
    try:
        response = _route(call)
    except WebApiError as error:
        response = refused(error, call.preferences)
    except OrganizationError as error:
        response = refused(from_organization(error), call.preferences)
    return _with_headers(call, response)


def _route(call: Call) -> HttpResponse:
    segments = resource.parse(call.path.strip("/"))
    if not segments:
        return functions.service_document(call)
    name = segments[0].name.removeprefix("Microsoft.Dynamics.CRM.")
    if name == batch.NAME:
        return batch.serve(call, respond)
    if name in functions.FUNCTIONS and len(segments) == 1:
        return _only_get(call, lambda: functions.call_function(call, name))
    if metadata_service.serves(name):
        return metadata_service.serve(call, name, segments)
    return data.serve(call, segments)


def _only_get(call: Call, handler: Callable[[], HttpResponse]) -> HttpResponse:
    if call.method not in ("GET", "HEAD"):
        raise not_implemented(f"{call.method} of {call.path}")
    return handler()


def _principal(request: HttpRequest, organization: Organization) -> tokens.Principal | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    return tokens.verify(organization, token.strip())


def _with_headers(call: Call, response: HttpResponse) -> HttpResponse:
    request_id = str(uuid4())
    response["OData-Version"] = "4.0"
    response["REQ_ID"] = request_id
    response["x-ms-service-request-id"] = request_id
    response["Cache-Control"] = "no-cache"
    if call.preferences.applied and response.status_code < 300:
        response["Preference-Applied"] = ",".join(call.preferences.applied)
    return response
