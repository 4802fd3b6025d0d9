"""The multipart form of a batch: operations out of a body, answers into one (dataverse.md 4.3).

Lines may end in CRLF or LF, boundaries may be quoted or not: clients in use send all four.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus

from organizations.batches.parts import (
    METHODS,
    Answer,
    ChangeSet,
    Item,
    MalformedBatch,
    Operation,
    Replies,
    Reply,
    check_address,
    check_change,
    check_ids,
    check_size,
)

CRLF = b"\r\n"
_BOUNDARY = re.compile(
    r'multipart/mixed\s*;.*?\bboundary=(?:"([^"]{1,200})"|([^";,\s]{1,200}))', re.I
)
_HEAD_END = re.compile(rb"(?:\A|\r?\n)[ \t]*\r?\n")
_REQUEST = re.compile(rf"({'|'.join(sorted(METHODS))}) +(.+?)(?: +HTTP/\d(?:\.\d)?)? *\Z")
_KEPT_OUT = frozenset({"cache-control", "content-length", "req_id", "x-ms-service-request-id"})


def boundary(content_type: str) -> str:
    """Return the boundary that a Content-Type names; '' if it is none of a multipart body."""
    found = _BOUNDARY.match(content_type.strip())
    return (found[1] or found[2]) if found else ""


def read(content_type: str, content: bytes, *, needs_ids: bool = True) -> list[Item]:
    """Return what a batch holds, in its order. Raises MalformedBatch.

    With `needs_ids` every operation of a change set has a Content-ID, as the standard demands.
    """
    name = boundary(content_type)
    if not name:
        raise MalformedBatch(
            "the Content-Type of a batch must be multipart/mixed with a boundary; "
            f"'{content_type[:100]}' was sent"
        )
    items: list[Item] = []
    for head, rest in _parts(content, name):
        inner = boundary(head.get("content-type", ""))
        items.append(
            _change_set(rest, inner, needs_ids=needs_ids) if inner else _operation(head, rest)
        )
    check_size(items)
    return items


def _change_set(content: bytes, name: str, *, needs_ids: bool) -> ChangeSet:
    operations = []
    for head, rest in _parts(content, name):
        if boundary(head.get("content-type", "")):
            raise MalformedBatch("a change set cannot hold another multipart body")
        operation = _operation(head, rest)
        check_change(operation)
        if needs_ids and not operation.content_id:
            raise MalformedBatch("every operation in a change set needs a Content-ID")
        operations.append(operation)
    check_ids([operation.content_id for operation in operations])
    return ChangeSet(tuple(operations))


def _parts(content: bytes, name: str) -> Iterator[tuple[dict[str, str], bytes]]:
    """Yield headers and content of each part between the delimiters of a boundary."""
    line = rb"(?:\A|\r?\n)--" + re.escape(name.encode()) + rb"(--)?[ \t]*(?=\r?\n|\Z)"
    found = list(re.finditer(line, content))
    if not found or found[-1][1] is None:
        raise MalformedBatch(
            f"the line '--{name}--' at its end is missing, the stream was not readable"
        )
    for start, end in zip(found, found[1:], strict=False):
        if start[1] is None:
            yield _divided(content[start.end() : end.start()])


def _divided(part: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers above the first empty line, and what is below it."""
    # Between a delimiter and its headers stands the end of the delimiter's line.
    part = part.removeprefix(b"\r").removeprefix(b"\n")
    end = _HEAD_END.search(part)
    head, rest = (part[: end.start()], part[end.end() :]) if end else (part, b"")
    pairs = (line.partition(":") for line in head.decode("latin-1").splitlines() if line.strip())
    return {key.strip().lower(): value.strip() for key, _, value in pairs}, rest


def _operation(head: Mapping[str, str], rest: bytes) -> Operation:
    kind = head.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/http":
        raise MalformedBatch(f"a part has the Content-Type '{kind[:100]}', not application/http")
    first, _, below = rest.lstrip().partition(b"\n")
    found = _REQUEST.match(first.decode("latin-1").strip())
    if found is None:
        raise MalformedBatch("a part does not begin with method and address")
    method, address = found[1], found[2]
    check_address(address)
    headers, content = _divided(b"\n" + below) if below.strip() else ({}, b"")
    own = headers.pop("content-id", "") or head.get("content-id", "")
    return Operation(
        method=method, address=address, headers=headers, content=content.strip(), content_id=own
    )


def write(items: Sequence[Answer], name: str, inner: Iterator[str]) -> bytes:
    """Return the body of a batch's answer under a boundary; `inner` are those of change sets."""
    parts = [
        _set_part(item.replies, next(inner)) if isinstance(item, Replies) else _part(item)
        for item in items
    ]
    return _joined(parts, name)


def _joined(parts: Sequence[bytes], name: str) -> bytes:
    line = b"--" + name.encode()
    return b"".join(line + CRLF + part + CRLF for part in parts) + line + b"--" + CRLF


def _set_part(replies: Sequence[Reply], name: str) -> bytes:
    head = f"Content-Type: multipart/mixed; boundary={name}".encode()
    return head + CRLF + CRLF + _joined([_part(reply) for reply in replies], name)


def _part(reply: Reply) -> bytes:
    response = reply.response
    status = HTTPStatus(response.status_code)
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if reply.content_id:
        lines.append(f"Content-ID: {reply.content_id}")
    lines += ["", f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{key}: {value}" for key, value in response.items() if key.lower() not in _KEPT_OUT]
    return CRLF.join([*(line.encode() for line in lines), b"", response.content])
