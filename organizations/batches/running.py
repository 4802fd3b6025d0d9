"""Carrying out a batch: in order, change sets as one, later operations naming earlier ones.

Each operation is a request of its own to the same service, made by the same user; only what
concerns the caller is taken over from the headers of the batch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import unquote

import orjson
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from organizations.batches.parts import Answer, ChangeSet, Item, Operation, Replies, Reply
from organizations.errors import InvalidRequest, OrganizationError

NAME = "$batch"
_REFERENCE = re.compile(r"\$([^/?()]+)")
_REFERRING = ("@odata.bind", "@odata.id", "@bind", "@id")
_MATCHING = frozenset({"if-match", "if-none-match"})
_SYSTEM = frozenset(
    {"all", "batch", "crossjoin", "entity", "hook", "id", "metadata", "root", "schema"}
)
"""`$` names of a service's own resources; they are never references."""


class Door(Protocol):
    """What a service does for its batches."""

    @property
    def request(self) -> HttpRequest:
        """The request that brought the batch."""

    @property
    def root(self) -> str:
        """The absolute address of the service, with a slash at its end."""

    @property
    def inherited(self) -> frozenset[str]:
        """The headers of the batch that count for its operations, named as WSGI does."""

    def below(self, path: str) -> str | None:
        """Return a rooted or absolute path relative to the service; None for a foreign one."""

    def respond(self, request: WSGIRequest, path: str, prefer: str) -> HttpResponse:
        """Answer one request; errors are answers too."""

    def refuse(self, error: OrganizationError) -> HttpResponse:
        """Return the answer that is an error."""

    def unmet(self) -> OrganizationError:
        """Return the error of an operation that needs one which failed."""

    def too_much(self) -> OrganizationError:
        """Return the error of an operation after as many answers as fit into one."""


class _Undone(Exception):
    """A change set that is rolled back, with the reply to the operation that failed."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(reply.content_id)


class Run:
    """One batch under way: knows what the operations before made, and what failed."""

    def __init__(self, door: Door, most_bytes: int | None = None) -> None:
        """Answer at the door; stop answering after so many bytes (None = never)."""
        self._door, self._left = door, most_bytes
        self._made: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._failed: set[str] = set()

    def carry_out(self, items: Iterable[Item], *, goes_on: bool) -> tuple[list[Answer], int]:
        """Return the answers, and the status of the one that ended the batch, else 200."""
        answers: list[Answer] = []
        for item in items:
            answer = self._answer(item)
            answers.append(answer)
            status = answer.response.status_code if isinstance(answer, Reply) else 200
            if status >= 400 and not goes_on:
                return answers, status
        return answers, 200

    def _answer(self, item: Item) -> Answer:
        if any(one in self._failed for one in item.needs):
            answer: Answer = self._refused(item, self._door.unmet())
        else:
            answer = self._change_set(item) if isinstance(item, ChangeSet) else self._reply(item)
        if isinstance(answer, Reply) and answer.response.status_code >= 400:
            self._failed |= _names(item)
        return answer

    def _refused(self, item: Item, error: OrganizationError) -> Reply:
        first = item.operations[0] if isinstance(item, ChangeSet) else item
        return Reply(self._door.refuse(error), first.content_id)

    def _change_set(self, changes: ChangeSet) -> Answer:
        before = dict(self._made)
        try:
            with transaction.atomic():
                return Replies(tuple(self._all(changes)))
        except _Undone as undone:
            self._made = before
            return undone.reply

    def _all(self, changes: ChangeSet) -> Iterator[Reply]:
        for operation in changes.operations:
            reply = self._reply(operation)
            if reply.response.status_code >= 400:
                raise _Undone(reply)
            yield reply

    def _reply(self, operation: Operation) -> Reply:
        try:
            response = self._response(operation)
        except OrganizationError as error:
            response = self._door.refuse(error)
        address = response.get("OData-EntityId") or response.get("Location") or ""
        if operation.content_id and address:
            self._made[operation.content_id] = address.removeprefix(self._door.root)
        if operation.content_id and "ETag" in response:
            self._tags[operation.content_id] = response["ETag"]
        return Reply(response, operation.content_id)

    def _response(self, operation: Operation) -> HttpResponse:
        if self._left is not None and self._left < 0:
            raise self._door.too_much()
        path, query = self._target(operation.address)
        content = self._with_references(operation)
        headers = {name: self._tag(name, value) for name, value in operation.headers.items()}
        environ = _environ(self._door, operation.method, path, query) | _headers(headers)
        environ |= {"CONTENT_LENGTH": str(len(content)), "wsgi.input": BytesIO(content)}
        request = WSGIRequest(environ)
        response = self._door.respond(request, path, operation.headers.get("prefer", ""))
        if self._left is not None:
            self._left -= len(response.content)
        return response

    def _tag(self, name: str, value: str) -> str:
        """Return the etag that an operation before was answered with, for `If-Match: $id`."""
        known = value.startswith("$") and name in _MATCHING
        return self._tags.get(value[1:], value) if known else value

    def _target(self, address: str) -> tuple[str, str]:
        """Return path and query of an address, relative to the service's root."""
        path, _, query = address.partition("?")
        found = _REFERENCE.match(path)
        if found and found[1] not in _SYSTEM:
            path = self._known(found[1]) + path[found.end() :]
        if path.startswith("/") or "://" in path:
            below = self._door.below(path)
            if below is None:
                raise InvalidRequest(
                    f"The address '{address[:200]}' of an operation is not one of this service.",
                    NAME,
                )
            path = below
        return unquote(path.encode("latin-1", "replace").decode(errors="replace")), query

    def _known(self, content_id: str) -> str:
        if content_id not in self._made:
            raise InvalidRequest(
                f"Content-ID Reference: '${content_id[:80]}' does not exist in the batch context.",
                NAME,
            )
        return self._made[content_id]

    def _with_references(self, operation: Operation) -> bytes:
        """Return the body with the addresses of records made before instead of `$id`."""
        if b'"$' not in operation.content:
            return operation.content
        try:
            document = orjson.loads(operation.content)
        except orjson.JSONDecodeError:
            return operation.content  # The operation itself says what is wrong with it.
        return orjson.dumps(self._resolved(document))

    def _resolved(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._resolved(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolved(item, name) for item in value]
        if isinstance(value, str) and name.endswith(_REFERRING):
            found = _REFERENCE.match(value)
            return self._known(found[1]) + value[found.end() :] if found else value
        return value


def _names(item: Item) -> set[str]:
    if isinstance(item, Operation):
        return {item.content_id}
    return {item.name, *(operation.content_id for operation in item.operations)}


def _environ(door: Door, method: str, path: str, query: str) -> dict[str, Any]:
    given: Mapping[str, Any] = door.request.META
    environ = {
        name: value
        for name, value in given.items()
        if name in door.inherited or not name.startswith(("HTTP_", "CONTENT_"))
    }
    return environ | {
        "HTTP_HOST": door.request.get_host(),
        "REQUEST_METHOD": method,
        "PATH_INFO": _as_sent(f"{door.request.path_info.removesuffix(NAME)}{path}"),
        "QUERY_STRING": query,
    }


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers in WSGI's form; those of the caller are the batch's alone."""
    keys = {name: name.upper().replace("-", "_") for name in headers}
    return {
        key if key == "CONTENT_TYPE" else f"HTTP_{key}": headers[name]
        for name, key in keys.items()
        if key not in ("HOST", "AUTHORIZATION", "COOKIE")
    }


def _as_sent(path: str) -> str:
    """Return a path in the form that WSGI gives it: each character is a byte."""
    return path.encode().decode("latin-1")
