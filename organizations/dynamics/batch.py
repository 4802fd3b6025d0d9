"""`$batch`: several operations in one request, in order, change sets as one (dataverse.md 4.3).

Each operation is a request of its own to the same service, made by the same user; only what
concerns the caller is taken over from the headers of the batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import orjson
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import HttpResponse

from organizations.dynamics import batch_parts, preferences
from organizations.dynamics.batch_parts import ChangeSet, Operation, Replies, Reply
from organizations.dynamics.call import Call, refused
from organizations.dynamics.errors import WebApiError, bad_request

Respond = Callable[[Call], HttpResponse]
_Answers = list[Reply | Replies]
NAME = "$batch"

_SERVICE = re.compile(r"(?:https?://[^/?]+)?/(?:[^?]*?/)?api/data/v\d+\.\d+/?", re.IGNORECASE)
_TWIN = re.compile(r"/dynamics/([^/?]+)/api/data/")
_REFERENCE = re.compile(r"\$([^/?()]+)")
_REFERRING = ("@odata.bind", "@odata.id")
_INHERITED = frozenset({"HTTP_AUTHORIZATION", "HTTP_MSCRMCALLERID", "HTTP_CALLEROBJECTID"})
_NO_ADDRESS = "The address '{}' of an operation is not one of this service."


class _Undone(Exception):
    """A change set that is rolled back, with the reply to the operation that failed."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(reply.content_id)


def serve(call: Call, respond: Respond) -> HttpResponse:
    """Carry out a batch; `respond` answers one request. Raises WebApiError for a malformed one."""
    if call.method != "POST":
        raise WebApiError(405, "", "A batch is sent by POST.")
    items = batch_parts.read(call.header("Content-Type"), call.content)
    run = _Run(call, respond)
    replies, status = run.carry_out(items)
    return _answer(replies, status)


def _answer(replies: _Answers, status: int) -> HttpResponse:
    name = f"batchresponse_{uuid4()}"
    inner = iter(lambda: f"changesetresponse_{uuid4()}", "")
    body = batch_parts.write(replies, name, inner)
    return HttpResponse(body, status=status, content_type=f"multipart/mixed; boundary={name}")


class _Run:
    """One batch under way: knows what the operations before made."""

    def __init__(self, call: Call, respond: Respond) -> None:
        self._call, self._respond = call, respond
        self._made: dict[str, str] = {}

    def carry_out(self, items: Iterable[Operation | ChangeSet]) -> tuple[_Answers, int]:
        """Return the replies and the status of the whole."""
        replies: _Answers = []
        for item in items:
            reply = self._change_set(item) if isinstance(item, ChangeSet) else self._reply(item)
            replies.append(reply)
            status = reply.response.status_code if isinstance(reply, Reply) else 200
            if status >= 400 and not self._call.preferences.continues:
                return replies, status
        return replies, 200

    def _change_set(self, changes: ChangeSet) -> Reply | Replies:
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
            response = self._respond(self._sub_call(operation))
        except WebApiError as error:
            response = refused(error, self._call.preferences)
        address = response.get("OData-EntityId") or response.get("Location") or ""
        if operation.content_id and address:
            self._made[operation.content_id] = address.removeprefix(self._call.api)
        return Reply(response, operation.content_id)

    def _sub_call(self, operation: Operation) -> Call:
        """Return the call of an operation. Raises WebApiError 400 for an address or reference."""
        path, query = self._target(operation.address)
        content = self._with_references(operation)
        request = WSGIRequest(_environ(self._call, operation, path, query, content))
        prefer = preferences.read(operation.headers.get("prefer", ""), self._call.preferences.most)
        return self._call.beneath(request, prefer, path)

    def _target(self, address: str) -> tuple[str, str]:
        """Return path and query of an address, relative to the service's root."""
        path, _, query = address.partition("?")
        if found := _REFERENCE.match(path):
            path = self._known(found[1]) + path[found.end() :]
        if path.startswith("/") or "://" in path:
            twin = _TWIN.search(path)
            rooted = _SERVICE.match(path)
            if rooted is None or (twin and twin[1] != self._call.organization.name):
                raise bad_request(_NO_ADDRESS.format(address[:200]))
            path = path[rooted.end() :]
        return unquote(path.encode("latin-1").decode(errors="replace")), query

    def _known(self, content_id: str) -> str:
        if content_id not in self._made:
            raise bad_request(
                f"Content-ID Reference: '${content_id}' does not exist in the batch context."
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


def _environ(
    call: Call, operation: Operation, path: str, query: str, content: bytes
) -> dict[str, Any]:
    given: Mapping[str, Any] = call.request.META
    environ = {
        name: value
        for name, value in given.items()
        if name in _INHERITED or not name.startswith(("HTTP_", "CONTENT_"))
    }
    environ["HTTP_HOST"] = call.request.get_host()
    for name, value in operation.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ | {
        "REQUEST_METHOD": operation.method,
        "PATH_INFO": _as_sent(f"{call.request.path_info.removesuffix(NAME)}{path}"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": BytesIO(content),
    }


def _as_sent(path: str) -> str:
    """Return a path in the form that WSGI gives it: each character is a byte."""
    return path.encode().decode("latin-1")
