"""The data service: one view that authenticates, routes and answers faults (resco.md §1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from organizations import addressing, basic
from organizations.authentication import AuthenticationFailed
from organizations.errors import OrganizationError
from organizations.models import Organization
from organizations.rest import exporting, metadata_service, reading, writing
from organizations.rest.call import Call, refused
from organizations.rest.faults import LOGIN, MISSING, RestFault, fault_of, not_served
from organizations.rest.writing import Act
from organizations.service_call import CHALLENGE

Handler = Callable[[Call], HttpResponseBase]
_POST: Mapping[str, Handler] = {
    "": reading.fetch,
    "Fetch": reading.fetch,
    "WhoAmI": reading.who_am_i,
    "GetMaxRowVersion": reading.max_row_version,
    "GetRecordCount": reading.record_count,
    "Execute": writing.execute,
    "ExecuteMultiple": writing.execute_multiple,
    "Create": lambda call: writing.single(call, Act.CREATE),
    "CreateMultiple": lambda call: writing.multiple(call, Act.CREATE),
    "Update": lambda call: writing.single(call, writing.update_act(call)),
    "UpdateMultiple": lambda call: writing.multiple(call, writing.update_act(call)),
    "Delete": lambda call: writing.single(call, Act.DELETE),
    "DeleteMultiple": lambda call: writing.multiple(call, Act.DELETE),
    "Export": exporting.export,
}
_NOT_SERVED = frozenset(
    {
        "ExecuteWorkflow",
        "ExportProject",
        "GenerateReport",
        "ImportProject",
        "RegisterPlugin",
    }
)
"""Operations of the original without a known form (§8)."""


@csrf_exempt
def data(request: HttpRequest, path: str) -> HttpResponseBase:
    """Answer a request to `/rest/v1/data/{path}`."""
    return _served(request, path, _data)


@csrf_exempt
def metadata(request: HttpRequest, path: str) -> HttpResponseBase:
    """Answer a request to `/rest/v1/metadata/{path}`."""
    return _served(request, path, metadata_service.serve)


def _served(request: HttpRequest, path: str, handler: Handler) -> HttpResponseBase:
    name, rest = addressing.split(request, path)
    try:
        member = basic.member(request, name)
        if member.organization.kind != Organization.Kind.CLIENT:
            raise _no_service()
        return handler(Call(request=request, member=member, path=rest))
    except AuthenticationFailed as error:
        return refused(RestFault(str(error), status=401, code=LOGIN, headers=CHALLENGE))
    except OrganizationError as error:
        return refused(fault_of(error))


def _data(call: Call) -> HttpResponseBase:
    operation = call.path.strip("/")
    is_read = call.request.method in ("GET", "HEAD")
    if is_read and operation and "/" not in operation and operation not in _POST:
        return reading.select(call, operation)
    if operation in _NOT_SERVED:
        raise not_served(operation)
    handler = _POST.get(operation)
    if handler is None:
        raise RestFault(
            f"There is no operation '{operation[:80]}'.", status=404, code=MISSING, detail=operation
        )
    if call.request.method != "POST":
        raise RestFault(
            f"{operation or 'Fetch'} takes POST.",
            status=405,
            code=MISSING,
            headers={"Allow": "POST"},
        )
    return handler(call)


def _no_service() -> RestFault:
    return RestFault(
        "This organization is a twin: it is served under /dynamics/ only.",
        status=404,
        code=MISSING,
    )
