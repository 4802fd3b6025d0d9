"""One request to a REST service, with all that answering it takes."""

from __future__ import annotations

from functools import cached_property

from django.http import HttpResponse
from lxml import etree

from organizations.query import markup
from organizations.rest.faults import INVALID, TOO_LARGE, RestFault, fault_xml
from organizations.rest.markup import DECLARATION
from organizations.service_call import ServiceCall

CONTENT_TYPE = "application/xml; charset=utf-8"
MOST_BYTES = markup.MAX_BYTES
"""The longest body. Not documented (assumed): a hundred records of ten kilobytes."""


class Call(ServiceCall):
    """A request to a REST service."""

    @cached_property
    def content(self) -> bytes:
        """The body as sent. Raises RestFault 413, 415."""
        if problem := self.encoding_problem:
            raise RestFault(problem, status=415, detail="Content-Encoding")
        content: bytes = self.request.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise RestFault(
                f"The request is longer than {MOST_BYTES} bytes. Send it in parts.",
                status=413,
                code=TOO_LARGE,
            )
        return content

    def document(self, name: str) -> etree._Element:
        """Return the root element of the body. Raises InvalidRequest, RestFault."""
        if not self.content.strip():
            raise RestFault(f"The body is empty; send {name}.", code=INVALID, detail=name)
        return markup.parse(self.content, name)


def answer(body: str, status: int = 200) -> HttpResponse:
    """Return a document."""
    return HttpResponse(DECLARATION + body, status=status, content_type=CONTENT_TYPE)


def refused(fault: RestFault) -> HttpResponse:
    """Return the answer that is a fault."""
    response = answer(fault_xml(fault), fault.status)
    for name, value in fault.headers.items():
        response[name] = value
    return response
