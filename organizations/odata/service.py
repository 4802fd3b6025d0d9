"""The OData service: one view that authenticates, routes, and answers errors."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from organizations import addressing, basic
from organizations.authentication import AuthenticationFailed
from organizations.errors import OrganizationError
from organizations.models import Member, Organization
from organizations.odata import discovery, hooks, reading, writing
from organizations.odata.call import Call, refused
from organizations.odata.errors import ODataError, error_of, not_served, unknown
from organizations.odata.names import Shape

_PATH = re.compile(r"(?P<set>[A-Za-z_]\w*)(?:\((?P<key>[^()]*)\))?(?P<rest>(?:/.*)?)\Z", re.DOTALL)
_UNSUPPORTED = frozenset({"$batch", "$crossjoin", "$all", "$entity"})


@csrf_exempt
def serve(request: HttpRequest, path: str) -> HttpResponse:
    """Answer a request to `/odata/v4/{path}`."""
    name, rest = addressing.split(request, path)
    try:
        return _route(_call(request, basic.member(request, name), rest))
    except AuthenticationFailed as error:
        challenge = dict(basic.CHALLENGE)
        return refused(ODataError(str(error), status=401, code="Unauthorized", headers=challenge))
    except OrganizationError as error:
        return refused(error_of(error))


def _call(request: HttpRequest, member: Member, path: str) -> Call:
    if member.organization.kind != Organization.Kind.CLIENT:
        raise unknown("service of organization", member.organization.name)
    root = request.build_absolute_uri(f"/odata/v4/{member.organization.name}/")
    return Call(request=request, member=member, root=root, path=path.strip("/"))


def _route(call: Call) -> HttpResponse:
    discovery.check_format(call)
    first, _, rest = call.path.partition("/")
    if first == "$hook":
        return hooks.serve(call)
    if first in _UNSUPPORTED:
        raise not_served(first)
    if first in ("", "$metadata", "me") or first == "$schema":
        return _discovered(call, first, rest)
    return _records(call)


def _discovered(call: Call, first: str, rest: str) -> HttpResponse:
    if call.method != "GET":
        raise _wrong_method(call)
    if first == "$schema":
        return discovery.schema(call, rest)
    if rest:
        raise unknown("resource", call.path)
    if first == "$metadata":
        return discovery.metadata(call)
    return discovery.me(call) if first == "me" else discovery.service_document(call)


def _records(call: Call) -> HttpResponse:
    found = _PATH.match(call.path)
    if found is None:
        raise unknown("resource", call.path)
    shape, rest = call.shape(found["set"]), found["rest"].strip("/")
    if found["key"] is not None:
        return _record(call, shape, writing.id_of(shape, found["key"]), rest)
    if call.method == "GET" and rest == "$count":
        return reading.count(call, shape)
    if rest:
        raise unknown("resource", call.path)
    if call.method == "GET":
        return reading.collection(call, shape)
    if call.method == "POST":
        return writing.create(call, shape)
    raise _wrong_method(call)


def _record(call: Call, shape: Shape, record_id: str, rest: str) -> HttpResponse:
    if rest:
        raise not_served(f"'{rest[:80]}' of a record")
    if call.method == "GET":
        return reading.record(call, shape, record_id)
    if call.method == "PATCH":
        return writing.change(call, shape, record_id)
    if call.method == "DELETE":
        return writing.delete(call, shape, record_id)
    raise _wrong_method(call)


def _wrong_method(call: Call) -> ODataError:
    return ODataError(
        f"{call.method} does not fit '{call.path[:100]}'.", status=405, code="MethodNotAllowed"
    )
