"""One request to the Web API, with all that answering it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from organizations.catalog import Catalog
from organizations.dynamics import users
from organizations.dynamics.errors import (
    MALFORMED,
    WebApiError,
    bad_request,
    not_implemented,
)
from organizations.dynamics.names import DataverseNames, Shape
from organizations.dynamics.tokens import Principal
from organizations.dynamics.tracking import TrackedStore
from organizations.errors import NotFound
from organizations.models import Organization
from organizations.preferences import NONE, Preferences
from organizations.query.context import Context, User
from organizations.store import Store

CONTENT_TYPE = "application/json; odata.metadata=minimal"
MOST_BYTES = 122_526_105
"""The longest body: 116.85 MiB (dataverse.md 5)."""


@dataclass(frozen=True)
class Call:
    """A request of a known user to a known twin.

    `api` is the absolute address of the service with a slash at its end; `path` what follows it.
    """

    request: HttpRequest
    organization: Organization
    principal: Principal
    preferences: Preferences
    api: str
    path: str

    @cached_property
    def store(self) -> Store:
        """The twin's records."""
        return TrackedStore(self.organization, is_followed=False)

    def beneath(self, request: HttpRequest, preferences: Preferences, path: str) -> Call:
        """Return the call of one operation of this batch; it shares what is costly to make."""
        inner = replace(self, request=request, preferences=preferences, path=path)
        inner.__dict__["store"] = self.store
        return inner

    @property
    def catalog(self) -> Catalog:
        """The twin's metadata."""
        return self.store.catalog

    @cached_property
    def names(self) -> DataverseNames:
        """What the twin's entities call their properties."""
        return DataverseNames(self.catalog)

    @cached_property
    def options(self) -> Mapping[str, str]:
        """Query options; `+` and `%20` both mean a space."""
        return {name: str(value) for name, value in self.request.GET.items()}

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Parameter aliases, `@` included."""
        return {name: value for name, value in self.options.items() if name.startswith("@")}

    @cached_property
    def context(self) -> Context:
        """Whose eyes a query looks through."""
        user = User(id=str(self.principal.id), look_up=lambda: self.user)
        return Context(user=user, language=self.organization.language)

    @cached_property
    def user(self) -> User:
        """Return the caller with business unit and teams."""
        return users.completed(self.store, User(id=str(self.principal.id)))

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.request.method or "GET"

    def header(self, name: str) -> str:
        """Return a request header; '' where there is none, or where it says null."""
        value: str = self.request.headers.get(name, "")
        return "" if value == "null" else value

    def shape(self, set_name: str) -> Shape | None:
        """Return the entity of an entity set that has records; None for an unknown one."""
        try:
            entity = self.catalog.by_set_name(set_name)
        except NotFound:
            return None
        return Shape(entity) if self.catalog.enabled(entity.name) else None

    def refuse(self, *options: str) -> None:
        """Answer 501 when one of these query options is given."""
        for option in options:
            if option in self.options:
                raise not_implemented(f"The query option {option}")

    @cached_property
    def content(self) -> bytes:
        """The request's body as sent. Raises WebApiError 413 for one that is too long."""
        content: bytes = self.request.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise WebApiError(413, "0x8004418a", f"The request is longer than {MOST_BYTES} bytes.")
        return content

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the request's body. Raises WebApiError 400."""
        try:
            document = orjson.loads(self.content or b"{}")
        except orjson.JSONDecodeError as error:
            raise bad_request(
                "Error identified in Payload provided by the user for Entity :'', "
                f"InnerException : {error}",
                MALFORMED,
            ) from error
        if not isinstance(document, dict):
            raise bad_request("The body must be a JSON object.", MALFORMED)
        return document


def answer(document: Any, status: int = 200) -> HttpResponse:
    """Return a JSON answer; decimals keep all their digits."""
    body = orjson.dumps(document, default=_number)
    return HttpResponse(body, status=status, content_type=CONTENT_TYPE)


def refused(error: WebApiError, preferences: Preferences = NONE) -> HttpResponse:
    """Return the answer that is an error, annotated if the request would like that."""
    told = {"code": error.code, "message": error.message}
    details = {
        "Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus": "0",
        "Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode": "0",
        "Microsoft.PowerApps.CDS.TraceText": "",
        "Microsoft.PowerApps.CDS.InnerError.Message": error.message,
    }
    told |= {f"@{name}": text for name, text in details.items() if preferences.wants(name)}
    response = answer({"error": told}, error.status)
    response["OData-Version"] = "4.0"
    return response


def _number(value: object) -> Any:
    return orjson.Fragment(format(value, "f"))


def nothing(status: int = 204) -> HttpResponse:
    """Return an answer without a body."""
    response = HttpResponse(status=status)
    del response["Content-Type"]
    return response
