"""`POST /hooks/{connection}/{secret}`: a client hosted elsewhere says that something changed.

What changed is not believed: the delivery that is woken asks for itself (resco.md §3.4).
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import F
from django.http import HttpRequest, HttpResponse

from connections.models import Connection
from syncjobs import client_hooks, instant
from syncjobs.doors.door import door
from syncjobs.doors.fault import Fault

_DRAINED = 64 * 1024


@door("POST")
def client_hook(request: HttpRequest, connection_id: UUID, secret: str) -> HttpResponse:
    """Note the call and wake the delivery; 404 for whoever does not know the address."""
    request.read(_DRAINED)
    is_known = client_hooks.is_token(connection_id, secret)
    elsewhere = Connection.objects.filter(pk=connection_id, client__organization=None)
    if not is_known or not elsewhere.update(client_calls=F("client_calls") + 1):
        raise Fault("There is no such address.", status=404, code="NotFound")
    if instant.delivering().filter(pk=connection_id).exists():
        instant.wake(connection_id)
    return HttpResponse(status=204)
