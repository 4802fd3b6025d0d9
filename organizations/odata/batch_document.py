"""The JSON form of a batch (OData JSON 4.01, 19): operations out of a body, answers into one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

import orjson
from django.http import HttpResponse

from organizations.batches.parts import (
    METHODS,
    Answer,
    ChangeSet,
    Item,
    MalformedBatch,
    Operation,
    Replies,
    check_address,
    check_change,
    check_size,
)

Document = dict[str, Any]
_JSON = "application/json"
_SENT_AS_THEY_ARE = "".join(map(chr, range(32, 127)))
_KNOWN = frozenset({"id", "method", "url", "headers", "body", "atomicityGroup", "dependsOn"})


def read(document: Mapping[str, Any]) -> list[Item]:
    """Return what a batch holds, in its order. Raises MalformedBatch."""
    requests = document.get("requests")
    if not isinstance(requests, list) or not all(isinstance(one, dict) for one in requests):
        raise MalformedBatch("the body of a JSON batch is an object with the list 'requests'")
    items = list(_items(requests))
    check_size(items)
    _check_names(items)
    return items


def _items(requests: Sequence[Document]) -> Iterator[Item]:
    for name, members in groupby(requests, lambda one: _text(one, "atomicityGroup", "")):
        operations = tuple(map(_operation, members))
        if not name:
            yield from operations
            continue
        for operation in operations:
            check_change(operation)
        yield ChangeSet(operations, name)


def _check_names(items: Sequence[Item]) -> None:
    """Check that ids are there once, and that each needs only what stands before it."""
    known: set[str] = set()
    for item in items:
        operations = item.operations if isinstance(item, ChangeSet) else (item,)
        if isinstance(item, ChangeSet):
            _add(known, item.name)
        for operation in operations:
            for one in operation.needs:
                if one not in known:
                    raise MalformedBatch(
                        f"the request '{operation.content_id[:80]}' depends on '{one[:80]}', "
                        "which does not stand before it"
                    )
            _add(known, operation.content_id)


def _add(known: set[str], name: str) -> None:
    if name in known:
        raise MalformedBatch(
            f"the id or atomicityGroup '{name[:80]}' is there twice; requests of one group stand "
            "together"
        )
    known.add(name)


def _operation(request: Document) -> Operation:
    for name in request:
        if name not in _KNOWN and "@" not in name:
            raise MalformedBatch(f"a request has the unknown member '{name[:40]}'")
    method, address = _text(request, "method").upper(), _text(request, "url")
    if method not in METHODS:
        raise MalformedBatch(f"the method '{method[:20]}' of a request is none of this service")
    check_address(address)
    headers = _headers(request.get("headers"))
    return Operation(
        method=method,
        address=quote(address, safe=_SENT_AS_THEY_ARE),
        headers=headers,
        content=_content(request.get("body"), headers.get("content-type", _JSON)),
        content_id=_text(request, "id"),
        needs=_needs(request.get("dependsOn")),
    )


def _text(request: Document, name: str, default: str | None = None) -> str:
    value = request.get(name, default)
    if not isinstance(value, str) or (default is None and not value):
        raise MalformedBatch(f"a request needs the text '{name}'")
    return value


def _headers(given: Any) -> dict[str, str]:
    headers = {} if given is None else given
    if not isinstance(headers, dict) or not all(isinstance(one, str) for one in headers.values()):
        raise MalformedBatch("the headers of a request are an object of texts")
    return {name.lower(): value for name, value in headers.items()}


def _needs(given: Any) -> tuple[str, ...]:
    needs = [] if given is None else given
    if not isinstance(needs, list) or not all(isinstance(one, str) and one for one in needs):
        raise MalformedBatch("dependsOn of a request is a list of ids")
    return tuple(needs)


def _content(body: Any, kind: str) -> bytes:
    """Return a body as it would be sent alone.

    JSON that stands in a text is taken too: a client in use sends it so.
    """
    if body is None:
        return b""
    if isinstance(body, str):
        if "json" in kind or kind.startswith("text/"):
            return body.encode("utf-8", "replace")
        try:
            return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        except (binascii.Error, ValueError) as error:
            raise MalformedBatch("the body of a request is not base64url") from error
    return orjson.dumps(body)


def write(items: Sequence[Item], answers: Sequence[Answer]) -> Document:
    """Return the document of the answers; what was not tried any more is left out."""
    # A batch that stopped has fewer answers than items.
    pairs = zip(items, answers, strict=False)
    return {"responses": [one for item, found in pairs for one in _written(item, found)]}


def _written(item: Item, found: Answer) -> Iterator[Document]:
    if isinstance(item, Operation):
        if not isinstance(found, Replies):
            yield _response(item.content_id, found.response)
        return
    if isinstance(found, Replies):
        for operation, reply in zip(item.operations, found.replies, strict=True):
            yield _response(operation.content_id, reply.response, item.name)
        return
    for operation in item.operations:
        if operation.content_id == found.content_id:
            yield _response(operation.content_id, found.response, item.name)
        else:
            yield {"id": operation.content_id, "atomicityGroup": item.name, "status": 424}


def _response(name: str, response: HttpResponse, group: str = "") -> Document:
    document: Document = {"id": name, "status": response.status_code}
    if group:
        document["atomicityGroup"] = group
    document["headers"] = {key.lower(): value for key, value in response.items()}
    if response.content:
        document["body"] = _body(response)
    return document


def _body(response: HttpResponse) -> Any:
    kind = response.get("Content-Type", "")
    if kind.startswith(_JSON):
        return orjson.Fragment(response.content)
    if kind.startswith(("text/", "application/xml")):
        return response.content.decode()
    return base64.urlsafe_b64encode(response.content).decode()
