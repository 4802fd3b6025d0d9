"""One request to a REST service, with all that answering it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest, HttpResponse
from lxml import etree

from organizations.catalog import Catalog
from organizations.identity import user_id
from organizations.models import Member, Organization
from organizations.query import markup
from organizations.query.context import Context, User
from organizations.rest.faults import INVALID, TOO_LARGE, RestFault, fault_xml
from organizations.rest.markup import DECLARATION
from organizations.store import Store

CONTENT_TYPE = "application/xml; charset=utf-8"
MOST_BYTES = markup.MAX_BYTES
"""The longest body. Not documented (assumed): a hundred records of ten kilobytes."""


@dataclass(frozen=True)
class Call:
    """A request of a member; `path` is what follows the organization."""

    request: HttpRequest
    member: Member
    path: str

    @property
    def organization(self) -> Organization:
        """Whose service it is."""
        return self.member.organization

    @cached_property
    def store(self) -> Store:
        """The organization's records."""
        return Store(self.organization)

    @property
    def catalog(self) -> Catalog:
        """The organization's metadata."""
        return self.store.catalog

    @property
    def options(self) -> Mapping[str, str]:
        """The query options."""
        return {name: str(value) for name, value in self.request.GET.items()}

    @cached_property
    def context(self) -> Context:
        """Whose eyes a query looks through."""
        user = User(id=user_id(self.store, self.member))
        return Context(user=user, language=self.organization.language)

    @cached_property
    def content(self) -> bytes:
        """The body as sent. Raises RestFault 413."""
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
