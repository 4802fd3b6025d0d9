"""`$batch` of the twin: several operations in one request (dataverse.md 4.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse

from organizations import preferences
from organizations.batches import multipart
from organizations.batches.parts import Answer, Item, MalformedBatch
from organizations.batches.running import NAME as NAME
from organizations.batches.running import Run
from organizations.dynamics.call import Call, refused
from organizations.dynamics.errors import MALFORMED, WebApiError, bad_request, from_organization
from organizations.errors import InvalidRequest, OrganizationError

Respond = Callable[[Call], HttpResponse]

_SERVICE = re.compile(r"(?:https?://[^/?]+)?/(?:[^?]*?/)?api/data/v\d+\.\d+/?", re.IGNORECASE)
_TWIN = re.compile(r"/dynamics/([^/?]+)/api/data/")
_INHERITED = frozenset({"HTTP_AUTHORIZATION", "HTTP_MSCRMCALLERID", "HTTP_CALLEROBJECTID"})


def serve(call: Call, respond: Respond) -> HttpResponse:
    """Carry out a batch; `respond` answers one request. Raises WebApiError for a malformed one."""
    if call.method != "POST":
        raise WebApiError(405, "", "A batch is sent by POST.")
    run = Run(_Door(call, respond))
    answers, status = run.carry_out(_items(call), goes_on=call.preferences.continues)
    return _answer(answers, status)


def _items(call: Call) -> list[Item]:
    try:
        return multipart.read(call.header("Content-Type"), call.content)
    except MalformedBatch as error:
        raise bad_request(
            f"Error identified in Payload provided by the user for Entity :'', {error}.", MALFORMED
        ) from error


def _answer(answers: Sequence[Answer], status: int) -> HttpResponse:
    name = f"batchresponse_{uuid4()}"
    inner = iter(lambda: f"changesetresponse_{uuid4()}", "")
    body = multipart.write(answers, name, inner)
    return HttpResponse(body, status=status, content_type=f"multipart/mixed; boundary={name}")


@dataclass(frozen=True)
class _Door:
    """The Web API as its batches see it (`organizations.batches.running.Door`)."""

    call: Call
    answerer: Respond
    inherited: frozenset[str] = _INHERITED

    @property
    def request(self) -> HttpRequest:
        """The request that brought the batch."""
        return self.call.request

    @property
    def root(self) -> str:
        """The address of the service."""
        return self.call.api

    def below(self, path: str) -> str | None:
        """Return what follows the service's root; of this twin only."""
        twin, rooted = _TWIN.search(path), _SERVICE.match(path)
        if rooted is None or (twin and twin[1] != self.call.organization.name):
            return None
        return path[rooted.end() :]

    def respond(self, request: WSGIRequest, path: str, prefer: str) -> HttpResponse:
        """Answer one operation."""
        wanted = preferences.read(prefer, self.call.preferences.most)
        return self.answerer(self.call.beneath(request, wanted, path))

    def refuse(self, error: OrganizationError) -> HttpResponse:
        """Return the answer that is an error."""
        told = bad_request(str(error)) if isinstance(error, InvalidRequest) else None
        return refused(told or from_organization(error), self.call.preferences)

    def unmet(self) -> OrganizationError:
        """Return the error of an operation that needs one which failed."""
        return InvalidRequest("An operation that this one needs has failed.", NAME)

    def too_much(self) -> OrganizationError:
        """Return the error of an operation after as many answers as fit into one."""
        return InvalidRequest("The answers of this batch are too long.", NAME)
