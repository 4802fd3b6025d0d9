"""Batches as clients write them, and their answers taken apart."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from tests.organizations.dynamics.library import Api

CRLF, LF = "\r\n", "\n"


@dataclass
class Part:
    """One reply of a batch: `content_id` as the part's header says, '' for none."""

    status: int
    headers: dict[str, str]
    body: Any
    content_id: str = ""


def operation(
    method: str,
    address: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    *,
    content_id: str = "",
    end: str = CRLF,
) -> str:
    """Return a part without its delimiter."""
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {content_id}"] if content_id else []
    lines += ["", f"{method} {address} HTTP/1.1", "Content-Type: application/json; type=entry"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += ["", "" if body is None else json.dumps(body)]
    return end.join(lines)


def change_set(*operations: str, end: str = CRLF, name: str = "changeset_1") -> str:
    """Return a change set without its delimiter in the batch."""
    parts = [f"--{name}{end}{item}" for item in operations]
    head = f'Content-Type: multipart/mixed; boundary="{name}"{end}'
    return end.join([head, *parts, f"--{name}--", ""])


def body_of(*parts: str, end: str = CRLF, name: str = "batch_1") -> str:
    """Return the body of a batch."""
    return end.join([*(f"--{name}{end}{part}" for part in parts), f"--{name}--", ""])


def post(
    api: Api,
    body: str,
    *,
    content_type: str = 'multipart/mixed; boundary="batch_1"',
    prefer: str = "",
) -> HttpResponse:
    """Send a batch."""
    headers = {"Authorization": f"Bearer {api.token}", "Prefer": prefer}
    return api.client.post(  # type: ignore[return-value]
        f"{api.root}$batch", body.encode(), content_type=content_type, headers=headers
    )


def send(api: Api, *parts: str, prefer: str = "", end: str = CRLF) -> tuple[int, list[Any]]:
    """Send a batch; return its status and replies, those of a change set as a list in it."""
    response = post(api, body_of(*parts, end=end), prefer=prefer)
    kind = response["Content-Type"]
    assert kind.startswith("multipart/mixed; boundary=batchresponse_"), response.content
    return response.status_code, replies(response.content.decode(), kind)


def replies(text: str, kind: str) -> list[Any]:
    """Return the parts of an answer, strict about its form: CRLF and nothing before or after."""
    boundary = kind.partition("boundary=")[2]
    assert text.startswith(f"--{boundary}\r\n"), text[:80]
    assert text.endswith(f"--{boundary}--\r\n"), text[-80:]
    assert "\n" not in text.replace("\r\n", "")
    inner = text.split(f"--{boundary}")[1:-1]
    return [_part(item.removeprefix("\r\n").removesuffix("\r\n")) for item in inner]


def _part(text: str) -> Any:
    head, _, rest = text.partition("\r\n\r\n")
    if found := re.match(r"Content-Type: (multipart/mixed; boundary=changesetresponse_.*)", head):
        return replies(rest, found[1])
    own = _headers(head.split("\r\n"))
    assert own["Content-Type"] == "application/http"
    top, _, content = rest.partition("\r\n\r\n")
    status, *lines = top.split("\r\n")
    assert "\r\n" not in content
    document = json.loads(content) if content.startswith("{") else content
    return Part(int(status.split(" ")[1]), _headers(lines), document, own.get("Content-ID", ""))


def _headers(lines: Sequence[str]) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in lines)
