"""One request to the OData service, with all that answering it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from organizations.catalog import Catalog
from organizations.errors import NotFound
from organizations.identity import user_id
from organizations.models import Member, Organization
from organizations.odata.errors import ODataError, unknown
from organizations.odata.names import RescoNames, Shape
from organizations.query.context import Context, User
from organizations.store import Store

CONTENT_TYPE = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8"
MOST_BYTES = 16 * 1024 * 1024
"""The longest body. Not documented (assumed)."""
_FORMATTED = "odata.include-annotations="


@dataclass(frozen=True)
class Call:
    """A request of a member. `root` is the service's absolute address, `path` what follows it."""

    request: HttpRequest
    member: Member
    root: str
    path: str

    @property
    def organization(self) -> Organization:
        """Whose service it is."""
        return self.member.organization

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.request.method or "GET"

    @cached_property
    def store(self) -> Store:
        """The organization's records."""
        return Store(self.organization)

    @property
    def catalog(self) -> Catalog:
        """The organization's metadata."""
        return self.store.catalog

    @cached_property
    def names(self) -> RescoNames:
        """What the service calls properties and navigations."""
        return RescoNames(self.catalog)

    @cached_property
    def options(self) -> Mapping[str, str]:
        """The query options."""
        return {name: str(value) for name, value in self.request.GET.items()}

    @cached_property
    def context(self) -> Context:
        """Whose eyes a query looks through."""
        user = User(id=user_id(self.store, self.member))
        return Context(user=user, language=self.organization.language)

    @cached_property
    def is_annotated(self) -> bool:
        """Whether formatted values are wanted: every pattern of annotations is taken for that."""
        return _FORMATTED in str(self.request.headers.get("Prefer", ""))

    def shape(self, name: str) -> Shape:
        """Return an entity that has records. Raises ODataError 404."""
        try:
            entity = self.catalog.entity(name)
        except NotFound as error:
            raise unknown("entity set", name) from error
        if not self.catalog.enabled(name):
            raise unknown("entity set", name)
        return Shape(entity)

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the body. Raises ODataError 400, 413."""
        content = self.request.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ODataError(
                f"The request is longer than {MOST_BYTES} bytes.", status=413, code="TooLarge"
            )
        try:
            document = orjson.loads(content or b"null")
        except orjson.JSONDecodeError as error:
            raise ODataError(f"The body is not JSON: {error}.") from error
        if not isinstance(document, dict):
            raise ODataError("The body must be a JSON object.")
        return document


def answer(document: Any, status: int = 200) -> HttpResponse:
    """Return a JSON answer; decimals keep all their digits."""
    body = orjson.dumps(document, default=_number)
    response = HttpResponse(body, status=status, content_type=CONTENT_TYPE)
    response["OData-Version"] = "4.0"
    return response


def nothing(status: int = 204) -> HttpResponse:
    """Return an answer without a body."""
    response = HttpResponse(status=status)
    del response["Content-Type"]
    response["OData-Version"] = "4.0"
    return response


def refused(error: ODataError) -> HttpResponse:
    """Return the answer that is an error."""
    told = {"code": error.code, "message": str(error)}
    if error.target:
        told["target"] = error.target
    response = answer({"error": told}, error.status)
    for name, value in error.headers.items():
        response[name] = value
    return response


def _number(value: object) -> Any:
    return orjson.Fragment(format(value, "f"))
