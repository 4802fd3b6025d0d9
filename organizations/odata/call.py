"""One request to the OData service, with all that answering it takes."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse

from organizations import preferences
from organizations.errors import NotFound
from organizations.odata.errors import ODataError, unknown
from organizations.odata.names import RescoNames, Shape
from organizations.odata.negotiation import PLAIN_JSON, Form, form_of
from organizations.preferences import Preferences
from organizations.service_call import ServiceCall

PAGE = 1000
"""Records of a page: the default and the most (resco.md §3.2)."""
MOST_BYTES = 16 * 1024 * 1024
"""The longest body. Not documented (assumed)."""
VERSION = "4.0"
_KEPT = frozenset({"@odata.nextLink", "@odata.count", "@odata.id"})
_PAGING = frozenset({"$skiptoken", "$skip", "$top"})
"""What says where a page begins and ends: a link to the next one says it anew."""


@dataclass(frozen=True)
class Call(ServiceCall):
    """A request to the OData service, whose absolute address is `root`."""

    root: str

    def beneath(self, request: HttpRequest, path: str) -> Call:
        """Return the call of one operation of this batch; it shares what is costly to make."""
        inner = replace(self, request=request, path=path.strip("/"))
        inner.__dict__["store"] = self.store
        return inner

    @cached_property
    def method(self) -> str:
        """The HTTP method; HEAD is answered as GET, without the body."""
        method = self.request.method or "GET"
        return "GET" if method == "HEAD" else method

    def next_link(self, token: str) -> str:
        """Return the address of the page that begins at `token`; all else is asked as now."""
        carried = {name: value for name, value in self.options.items() if name not in _PAGING}
        query = urlencode(carried | {"$skiptoken": token}, quote_via=quote, safe="$,()'")
        return f"{self.root}{self.path}?{query}"

    @cached_property
    def names(self) -> RescoNames:
        """What the service calls properties and navigations."""
        return RescoNames(self.catalog)

    @cached_property
    def options(self) -> Mapping[str, str]:
        """The query options. Raises ODataError for a system option that is there twice."""
        try:
            given = list(self.request.GET.lists())
        except TooManyFieldsSent as error:
            raise ODataError("The address has too many query options.") from error
        for name, values in given:
            if len(values) > 1 and name.startswith(("$", "@")):
                raise ODataError(f"The query option {name[:40]} is there twice.", target=name[:40])
        return {name: str(values[-1]) for name, values in given}

    @property
    def aliases(self) -> Mapping[str, str]:
        """The values of parameter aliases, by name with its `@`."""
        return {name: value for name, value in self.options.items() if name.startswith("@")}

    @cached_property
    def form(self) -> Form:
        """The JSON that is wanted. Raises ODataError 406, 415."""
        return form_of(self.header("Accept"), self.options.get("$format"))

    @cached_property
    def preferences(self) -> Preferences:
        """What the client would like, with and without the prefix `odata.`."""
        return preferences.read(self.header("Prefer"), PAGE, bare=True)

    @property
    def is_annotated(self) -> bool:
        """Whether formatted values are wanted: every pattern of annotations is taken for that."""
        return any(not item.startswith("-") for item in self.preferences.annotations)

    def header(self, name: str) -> str:
        """Return a request header, '' where there is none."""
        return str(self.request.headers.get(name, ""))

    def shape(self, name: str) -> Shape:
        """Return an entity that has records. Raises ODataError 404."""
        try:
            entity = self.catalog.entity(name)
        except NotFound as error:
            raise unknown("entity set", name) from error
        if not self.catalog.enabled(name):
            raise unknown("entity set", name)
        return Shape(entity)

    @cached_property
    def content(self) -> bytes:
        """The body as sent. Raises ODataError 413, 415."""
        if problem := self.encoding_problem:
            raise ODataError(
                problem, status=415, code="UnsupportedMediaType", target="Content-Encoding"
            )
        content: bytes = self.request.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ODataError(
                f"The request is longer than {MOST_BYTES} bytes.", status=413, code="TooLarge"
            )
        return content

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the body. Raises ODataError 400, 413, 415."""
        try:
            document = orjson.loads(self.content.removeprefix(BOM_UTF8) or b"null")
        except orjson.JSONDecodeError as error:
            raise self._unreadable(error) from error
        if not isinstance(document, dict):
            raise ODataError("The body must be a JSON object.")
        return document

    def _unreadable(self, error: Exception) -> ODataError:
        kind = self.header("Content-Type")
        if kind and "json" not in kind.lower():
            return ODataError(
                f"The body is JSON, not '{kind[:80]}'.",
                status=415,
                code="UnsupportedMediaType",
                target="Content-Type",
            )
        return ODataError(f"The body is not JSON: {error}.")


def answer(document: Any, status: int = 200, form: Form = PLAIN_JSON) -> HttpResponse:
    """Return a JSON answer; decimals keep all their digits."""
    if form.is_bare:
        document = _bare(document)
    body = orjson.dumps(document, default=_number)
    response = HttpResponse(body, status=status, content_type=form.content_type)
    response["OData-Version"] = VERSION
    return response


def with_applied(call: Call, response: HttpResponse, *names: str) -> HttpResponse:
    """Return an answer that says which of these preferences were honoured."""
    applied = [item for item in call.preferences.applied if item.partition("=")[0] in names]
    if applied:
        response["Preference-Applied"] = ", ".join(applied)
    return response


def nothing(status: int = 204) -> HttpResponse:
    """Return an answer without a body."""
    response = HttpResponse(status=status)
    del response["Content-Type"]
    response["OData-Version"] = VERSION
    return response


def text(content: str, content_type: str) -> HttpResponse:
    """Return an answer that is not JSON."""
    response = HttpResponse(content, content_type=f"{content_type}; charset=utf-8")
    response["OData-Version"] = VERSION
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


def _bare(document: Any) -> Any:
    """Return a document without control information, but for what cannot be left out."""
    if isinstance(document, list):
        return [_bare(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        name: _bare(value)
        for name, value in document.items()
        if not name.startswith("@odata.") or name in _KEPT
    }


def _number(value: object) -> Any:
    return orjson.Fragment(format(value, "f"))
