"""`$batch`: several operations in one request (OData part 1, 11.7; assumed, resco.md §8).

Multipart bodies with change sets, and the JSON form of OData 4.01. The answer has the form of the
request; one that cannot be read is refused as a whole, everything else is told per operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse

from organizations import addressing
from organizations.batches import multipart
from organizations.batches.parts import Answer, Item, MalformedBatch
from organizations.batches.running import NAME as NAME
from organizations.batches.running import Run
from organizations.errors import OrganizationError
from organizations.odata import batch_document
from organizations.odata.call import VERSION, Call, answer, refused, with_applied
from organizations.odata.errors import ODataError, error_of
from organizations.odata.writing import wrong_method

Respond = Callable[[Call], HttpResponse]
MOST_ANSWER = 64 * 1024 * 1024
"""Bytes of answers, after which the operations left are refused (assumed)."""
_SERVICE = "/odata/v4/"
_GOES_ON = "odata.continue-on-error"


def serve(call: Call, respond: Respond) -> HttpResponse:
    """Carry out a batch; `respond` answers one request. Raises ODataError for a malformed one."""
    if call.method != "POST":
        raise wrong_method(call, "POST")
    is_json = call.header("Content-Type").partition(";")[0].strip().lower() == "application/json"
    items = _items(call, is_json=is_json)
    wish = call.preferences.goes_on
    # A JSON batch goes on by its dependencies unless it is asked not to.
    goes_on = is_json if wish is None else wish
    answers, _ = Run(_Door(call, respond), MOST_ANSWER).carry_out(items, goes_on=goes_on)
    response = answer(batch_document.write(items, answers)) if is_json else _multipart(answers)
    return with_applied(call, response, _GOES_ON)


def _items(call: Call, *, is_json: bool) -> list[Item]:
    try:
        if is_json:
            return batch_document.read(call.body())
        return multipart.read(call.header("Content-Type"), call.content, needs_ids=False)
    except MalformedBatch as error:
        text = str(error)
        raise ODataError(f"{text[0].upper()}{text[1:]}.", target=NAME) from error


def _multipart(answers: Sequence[Answer]) -> HttpResponse:
    name = f"batchresponse_{uuid4()}"
    inner = iter(lambda: f"changesetresponse_{uuid4()}", "")
    body = multipart.write(answers, name, inner)
    response = HttpResponse(body, content_type=f"multipart/mixed; boundary={name}")
    response["OData-Version"] = VERSION
    return response


@dataclass(frozen=True)
class _Door:
    """The service as its batches see it (`organizations.batches.running.Door`)."""

    call: Call
    answerer: Respond
    inherited: frozenset[str] = field(default=frozenset({"HTTP_AUTHORIZATION"}))

    @property
    def request(self) -> HttpRequest:
        """The request that brought the batch."""
        return self.call.request

    @property
    def root(self) -> str:
        """The address of the service."""
        return self.call.root

    def below(self, path: str) -> str | None:
        """Return what follows the service's root; of this organization only."""
        try:
            rooted = urlsplit(path).path if "://" in path else path
        except ValueError:
            return None
        if not rooted.startswith(_SERVICE):
            return None
        name, rest = addressing.split(self.request, rooted.removeprefix(_SERVICE))
        return rest if name == self.call.organization.name else None

    def respond(self, request: WSGIRequest, path: str, prefer: str) -> HttpResponse:
        """Answer one operation."""
        return self.answerer(self.call.beneath(request, path))

    def refuse(self, error: OrganizationError) -> HttpResponse:
        """Return the answer that is an error."""
        return refused(error_of(error))

    def unmet(self) -> OrganizationError:
        """Return the error of an operation that needs one which failed."""
        return ODataError(
            "An operation that this one needs has failed.", status=424, code="FailedDependency"
        )

    def too_much(self) -> OrganizationError:
        """Return the error of an operation after as many answers as fit into one."""
        return ODataError(
            f"The answers of this batch have more than {MOST_ANSWER // 2**20} MiB. Send its "
            "operations in several batches.",
            status=413,
            code="TooLarge",
            target=NAME,
        )
