"""The OData service: one view that authenticates, routes, and answers errors."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from organizations import addressing, basic
from organizations.authentication import AuthenticationFailed
from organizations.errors import OrganizationError
from organizations.models import Member, Organization
from organizations.odata import batch, discovery, hooks, paths, writing
from organizations.odata.call import Call, nothing, refused
from organizations.odata.errors import ODataError, error_of, not_served, unknown
from organizations.odata.negotiation import check_versions
from organizations.service_call import CHALLENGE

_UNSUPPORTED = frozenset({"$crossjoin", "$all", "$entity"})


@csrf_exempt
def serve(request: HttpRequest, path: str) -> HttpResponse:
    """Answer a request to `/odata/v4/{path}`."""
    name, rest = addressing.split(request, path)
    try:
        call = _call(request, basic.member(request, name), rest)
    except AuthenticationFailed as error:
        return refused(ODataError(str(error), status=401, code="Unauthorized", headers=CHALLENGE))
    except OrganizationError as error:
        return refused(error_of(error))
    return respond(call)


def respond(call: Call) -> HttpResponse:
    """Answer one request, or one operation of a batch; errors are answers too."""
    try:
        response = _route(call)
    except OrganizationError as error:
        response = _answered(call, error_of(error))
    if call.request.method == "HEAD":
        length = len(response.content)
        response.content = b""
        response["Content-Length"] = str(length)
    return response


def _answered(call: Call, error: ODataError) -> HttpResponse:
    """Return an error as an answer; to who only asks which methods there are it is none."""
    if call.request.method != "OPTIONS" or "Allow" not in error.headers:
        return refused(error)
    response = nothing()
    response["Allow"] = error.headers["Allow"]
    return response


def _call(request: HttpRequest, member: Member, path: str) -> Call:
    if member.organization.kind != Organization.Kind.CLIENT:
        raise unknown("service of organization", member.organization.name)
    root = request.build_absolute_uri(f"/odata/v4/{member.organization.name}/")
    return Call(request=request, member=member, root=root, path=path.strip("/"))


def _route(call: Call) -> HttpResponse:
    check_versions(call.header("OData-Version"), call.header("OData-MaxVersion"))
    first, _, rest = call.path.partition("/")
    if first == batch.NAME:
        return batch.serve(call, respond)
    if first == "$metadata" and not rest:
        return _discovered(call, first, rest)
    call.form  # noqa: B018 - an answer nobody wants is refused before anything is done
    if first == "$hook":
        return hooks.serve(call)
    if first.partition("(")[0] in _UNSUPPORTED:
        raise not_served(first[:80])
    if first in ("", "$metadata", "me", "$schema"):
        return _discovered(call, first, rest)
    return paths.serve(call)


def _discovered(call: Call, first: str, rest: str) -> HttpResponse:
    if call.method != "GET":
        raise writing.wrong_method(call, "GET")
    if first == "$schema":
        return discovery.schema(call, rest)
    if rest:
        raise unknown("resource", call.path)
    if first == "$metadata":
        return discovery.metadata(call)
    return discovery.me(call) if first == "me" else discovery.service_document(call)
