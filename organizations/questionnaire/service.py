"""The Questionnaire OData service: one view that authenticates, routes, and answers errors."""

from __future__ import annotations

import re
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from organizations import addressing, basic
from organizations.authentication import AuthenticationFailed
from organizations.errors import OrganizationError
from organizations.models import Member, Organization
from organizations.odata.call import refused
from organizations.odata.errors import ODataError, error_of, not_served, unknown
from organizations.odata.negotiation import check_versions
from organizations.questionnaire import discovery, reading
from organizations.questionnaire.call import QuestionnaireCall
from organizations.service_call import CHALLENGE

_SET = re.compile(r"(?P<set>[^\W\d]\w*)(?:\((?P<key>[^()/]*)\))?(?P<count>/\$count)?\Z")


@csrf_exempt
def serve(request: HttpRequest, path: str) -> HttpResponse:
    """Answer a request to `/odata/questionnaires/v4/{path}`."""
    name, rest = addressing.split(request, path)
    try:
        response = _route(_call(request, basic.member(request, name), rest))
    except AuthenticationFailed as error:
        return refused(ODataError(str(error), status=401, code="Unauthorized", headers=CHALLENGE))
    except OrganizationError as error:
        response = refused(error_of(error))
    if request.method == "HEAD":
        length = len(response.content)
        response.content = b""
        response["Content-Length"] = str(length)
    return response


def _call(request: HttpRequest, member: Member, path: str) -> QuestionnaireCall:
    name = member.organization.name
    if member.organization.kind != Organization.Kind.CLIENT:
        raise unknown("service of organization", name)
    root = request.build_absolute_uri(f"/odata/questionnaires/v4/{name}/")
    return QuestionnaireCall(request=request, member=member, root=root, path=path.strip("/"))


def _route(call: QuestionnaireCall) -> HttpResponse:
    check_versions(call.header("OData-Version"), call.header("OData-MaxVersion"))
    if call.method != "GET":
        raise ODataError(
            "Questionnaires are only read here.",
            status=405,
            code="MethodNotAllowed",
            headers={"Allow": "GET, HEAD"},
        )
    if call.path == "$metadata":
        return discovery.metadata(call)
    call.form  # noqa: B018 - an answer nobody wants is refused before anything is done
    if not call.path:
        return discovery.service_document(call)
    first, _, rest = call.path.partition("/")
    if first == "$schema":
        return discovery.schema(call, rest)
    return _records(call)


def _records(call: QuestionnaireCall) -> HttpResponse:
    found = _SET.match(call.path)
    if found is None:
        if call.path.startswith("$"):
            raise not_served(call.path.partition("/")[0][:80])
        raise unknown("resource", call.path)
    if found["key"] is None:
        answer = reading.count if found["count"] else reading.collection
        return answer(call, found["set"])
    if found["count"]:
        raise unknown("resource", call.path)
    return reading.record(call, found["set"], _id(found["key"]))


def _id(text: str) -> str:
    """Return the id of a key; the GUID stands there without quotes, or in them."""
    try:
        return str(UUID(text.strip("'")))
    except ValueError as error:
        raise ODataError(f"The key is a GUID, not '{text[:80]}'.", target="key") from error
