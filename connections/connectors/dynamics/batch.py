"""``$batch``: many operations in one request (dataverse.md §4.3).

`encode` and `decode` know the multipart form only; `exchange` sends. Every operation stands by
itself (no change sets) under ``odata.continue-on-error``, so one that fails costs only itself.
The address inside a part may be twice as long as one outside, which is what long GETs need.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from requests.structures import CaseInsensitiveDict

from connections import egress
from connections.connectors.dynamics.client import DynamicsClient, encoded
from connections.connectors.dynamics.faults import fault
from connections.egress import Reply
from connections.errors import ConnectorError, Refused, Retryable

MOST = 1000
"""Operations that one request may hold (dataverse.md §4.3)."""
LARGEST = 32 << 20
"""Bytes of bodies in one request; Dataverse takes 116 MB (dataverse.md §5)."""
LONGEST_URL = 64_000
"""Of an operation inside; a little below 64 KB."""
CONTINUE = "odata.continue-on-error"
_JSON = "application/json"
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})")
_BLANK = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Part:
    """One operation; `path` is relative to the API's root, or a link the server gave."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    document: object = None

    @property
    def body(self) -> bytes:
        """The document as it is sent."""
        return b"" if self.document is None else encoded(self.document)


class BatchUnknown(Refused):
    """The server, or something before it, does not serve ``$batch``."""


class BatchTooLarge(Refused):
    """The server did not take so much at once; two halves may do."""


def exchange(
    client: DynamicsClient, parts: Sequence[Part], *, idempotent: bool | None = None
) -> list[Reply]:
    """Send the parts in one request and return their replies in order.

    `idempotent`: may be sent twice; default: when all are GETs. Raises BatchUnknown,
    BatchTooLarge, Retryable when the answer does not hold every part (whatever was written may
    have been), and what `faults.fault` makes of another error.
    """
    repeatable = all(part.method == "GET" for part in parts) if idempotent is None else idempotent
    content_type, body = encode(client.root, parts)
    reply = client.send(
        "POST",
        "$batch",
        headers={"Content-Type": content_type, "Prefer": CONTINUE},
        body=body,
        idempotent=repeatable,
    )
    if reply.status != 200:
        raise _refusal(reply)
    replies = decode(reply)
    if len(replies) != len(parts):
        raise _broken(reply, f"{len(replies)} answers to {len(parts)} operations")
    return replies


def encode(root: str, parts: Sequence[Part]) -> tuple[str, bytes]:
    """Return Content-Type and body of a batch of these operations; `root`: the API's address."""
    boundary = f"batch_{uuid4()}"
    lines: list[bytes] = []
    for number, part in enumerate(parts, 1):
        body = part.body
        headers = {"Accept": _JSON, **part.headers}
        if body:
            headers["Content-Type"] = _JSON
        url = egress.followed(root, part.path, "link")
        lines += [
            f"--{boundary}".encode(),
            b"Content-Type: application/http",
            b"Content-Transfer-Encoding: binary",
            f"Content-ID: {number}".encode(),
            b"",
            f"{part.method} {url} HTTP/1.1".encode(),
            *(f"{name}: {value}".encode() for name, value in headers.items()),
            b"",
            body,
        ]
    lines += [f"--{boundary}--".encode(), b""]
    return f'multipart/mixed; boundary="{boundary}"', b"\r\n".join(lines)


def decode(reply: Reply) -> list[Reply]:
    """Return the replies inside a batch's answer, ordered by Content-ID where all have one.

    Raises Retryable when the answer is cut off or is no batch.
    """
    boundary = _boundary(reply.headers.get("Content-Type", ""))
    if boundary is None:
        raise _broken(reply, "no multipart answer")
    found = [_reply(part, reply.url) for part in _parts(reply, reply.body, boundary)]
    numbers = [item.headers.get("Content-ID", "") for item in found]
    if len(set(numbers)) == len(found) and all(number.isdecimal() for number in numbers):
        found.sort(key=lambda item: int(item.headers["Content-ID"]))
    return found


def portions(parts: Sequence[Part], most: int) -> Iterator[Sequence[int]]:
    """Yield positions of parts that fit into one request together, in order."""
    portion: list[int] = []
    size = 0
    for at, part in enumerate(parts):
        weight = len(part.body) + len(part.path) + 400
        if portion and (len(portion) >= min(most, MOST) or size + weight > LARGEST):
            yield portion
            portion, size = [], 0
        portion.append(at)
        size += weight
    if portion:
        yield portion


def _parts(reply: Reply, body: bytes, boundary: bytes) -> Iterator[bytes]:
    """Yield the parts, those of a change set one by one."""
    pieces = re.split(rb"(?:\A|\r?\n)--" + re.escape(boundary), body)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise _broken(reply, "the end is missing")
    for piece in pieces[1:-1]:
        head, _, content = _split(piece)
        inner = _boundary(_headers(head).get("Content-Type", ""))
        if inner is None:
            yield piece
        else:
            yield from _parts(reply, content, inner)


def _reply(part: bytes, url: str) -> Reply:
    outer, _, message = _split(part)
    head, _, body = _split(message)
    status = _STATUS.match(head)
    if status is None:
        raise Retryable("An answer inside a batch has no status.", code="batch")
    headers = _headers(outer)
    headers.update(_headers(head))
    return Reply(int(status.group(1)), headers, body.removesuffix(b"\r\n"), url)


def _split(text: bytes) -> tuple[bytes, bytes, bytes]:
    """Return what stands before the first blank line, the line, what stands after it."""
    found = _BLANK.search(text)
    if found is None:
        return text, b"", b""
    return text[: found.start()].strip(), found.group(), text[found.end() :]


def _headers(head: bytes) -> CaseInsensitiveDict[str]:
    lines = head.decode("latin-1").splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line and " HTTP" not in line)
    return CaseInsensitiveDict({name.strip(): value.strip() for name, _, value in pairs})


def _boundary(content_type: str) -> bytes | None:
    if not content_type.lower().lstrip().startswith("multipart/"):
        return None
    found = _BOUNDARY.search(content_type)
    return found.group(1).strip().encode() if found else None


def _refusal(reply: Reply) -> ConnectorError:
    if reply.status in {404, 405, 501}:
        return BatchUnknown("The server does not serve $batch.", code=str(reply.status))
    if reply.status == 413:
        return BatchTooLarge("The server does not take so much at once.", code="413")
    return fault(reply)


def _broken(reply: Reply, reason: str) -> Retryable:
    return Retryable(f"The answer to a batch is broken off: {reason}.", code="batch")
