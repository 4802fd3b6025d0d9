"""ConnectAsync: another system connects a client organization, or updates its metadata.

`POST /rest/v1/sync/{client}/ConnectAsync` with a `ConnectRequest` in XML or JSON. What takes long
is left to the job whose address the answer gives (design 5.1.13). With `ClientUrl` (an addition of
ours) the client is an organization hosted elsewhere, and the credentials are those of its user.
The reply's form is ours (assumed): the original publishes none.
"""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from lxml import etree

from connections.connect import admission, clients, document, proof, service
from connections.connect.errors import (
    ClientRefused,
    ClientTaken,
    ConnectError,
    RegistrationClosed,
    TooSlow,
)
from connections.connect.request import ConnectRequest, from_document
from connections.models import Connection
from organizations.models import Organization
from organizations.throttle import Throttled
from syncjobs import dispatch
from syncjobs.doors import basic, body
from syncjobs.doors.answers import JSON, answer, element
from syncjobs.doors.door import door
from syncjobs.doors.fault import Fault
from syncjobs.doors.jobs import status
from syncjobs.models import Run

_STATUS: dict[type[ConnectError], int] = {
    ClientRefused: 401,
    ClientTaken: 409,
    RegistrationClosed: 403,
    TooSlow: 504,
}
_MEDIA_TYPES = frozenset({"application/xml", "text/xml", JSON})


@door("POST")
def connect_async(request: HttpRequest, client: str) -> HttpResponse:
    """Check everything that can be checked at once, save, start the job, answer 202."""
    user_name, password = basic.credentials(request)
    wanted = read(request)
    try:
        run = start(
            wanted,
            client,
            user_name,
            password,
            address=request.META.get("REMOTE_ADDR", ""),
            reason="web service",
        )
    except ConnectError as error:
        raise fault(error) from error
    except Throttled as error:
        raise basic.throttled(error.after) from error
    return _accepted(request, run)


def read(request: HttpRequest) -> ConnectRequest:
    """Return the request of the body, by its content type."""
    if request.content_type not in _MEDIA_TYPES:
        raise Fault(
            f"Content-Type is '{request.content_type}'; send application/xml or application/json.",
            status=415,
            code="UnsupportedMediaType",
            detail="Content-Type",
        )
    raw = body.read(request)
    if request.content_type == JSON:
        return from_document(body.parse_json(raw))
    return from_document(document.document(body.parse_xml(raw)))


def start(
    wanted: ConnectRequest,
    client: str,
    user_name: str,
    password: str,
    *,
    address: str,
    reason: str,
) -> Run:
    """Admit, prove, save and start the job; the registration page does the same.

    Raises InvalidRequest, ConnectError or Throttled; then nothing was saved. What an existing
    client's administrator does is not counted when it succeeds, a registration always is.
    """
    attempt = admission.attempt(client, address, wanted.url)
    wished = admission.admit(
        client, user_name, password, address, wanted.registration, wanted.client_url
    )
    service.check_free(client, wanted.backend, wanted.url)
    who, proven = clients.prove(wished), proof.prove(wanted)
    # The connection and its job are saved together: neither is there without the other.
    with transaction.atomic():
        connection = service.connect(proven, who)
        run = dispatch.start(connection, Run.Kind.CONNECT, reason=reason, actor=user_name)
    if isinstance(who, Organization):
        attempt.forgive()
    return run


def fault(error: ConnectError) -> Fault:
    """Return the fault that tells a caller what to correct."""
    status = _STATUS.get(type(error), 400)
    headers = basic.CHALLENGE if status == 401 else None
    return Fault(
        str(error),
        status=status,
        code=type(error).__name__,
        detail=error.element,
        headers=headers,
    )


def _accepted(request: HttpRequest, run: Run) -> HttpResponse:
    connection: Connection = run.connection
    response = answer(
        request,
        status=202,
        xml=lambda: _xml(connection, run),
        json=lambda: {
            "connection_id": str(connection.id),
            "job_id": str(run.id),
            "status": status(run),
        },
    )
    response["Location"] = request.build_absolute_uri(
        reverse("job", args=(connection.name, run.id))
    )
    return response


def _xml(connection: Connection, run: Run) -> etree._Element:
    root = etree.Element("ConnectResponse")
    element(root, "ConnectionID", connection.id)
    element(root, "JobID", run.id)
    element(root, "Status", status(run))
    return root
