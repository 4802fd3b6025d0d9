"""Requests to this installation that it answers without a socket, in a thread of its own.

Addresses, views and the database are those of a served installation; the thread has its own
database connection, so that both sides see of each other only what was committed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from connections.egress import Session

_UNMARKED = {"Content-Type": "CONTENT_TYPE", "Content-Length": "CONTENT_LENGTH"}


class Inside(BaseAdapter):
    """Carries requests to Django's own handler. Close it at the end."""

    def __init__(self) -> None:
        """Start the thread with the first request."""
        super().__init__()
        self._handler = WSGIHandler()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="twin")

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """Return the answer. Raises ConnectionError where a served one would break off."""
        try:
            return self._pool.submit(self._answered, request).result()
        except OSError as error:
            broken = ProtocolError("Connection aborted.", error)
            raise requests.exceptions.ConnectionError(broken, request=request) from error

    def shared(self) -> BaseAdapter:
        """Return an adapter that a session may close without closing this one."""
        return _Shared(self)

    def close(self) -> None:
        """End the thread and its database connection."""
        self._pool.submit(connections.close_all).result()
        self._pool.shutdown()

    def _answered(self, request: requests.PreparedRequest) -> requests.Response:
        told: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[..., None]:
            told.update(status=status, headers=headers)
            return _never

        parts = self._handler(_environ(request), start)
        try:
            body = b"".join(parts)
        finally:
            _close(parts)
        return _response(request, told["status"], told["headers"], body)


class InsideSession(Session):
    """An egress session that never leaves this process."""

    def __init__(self, adapter: Inside) -> None:
        """The adapter belongs to the caller."""
        self._adapter = adapter
        super().__init__()

    def _connect_anew(self) -> None:
        super()._connect_anew()
        self._http.mount("http://", self._adapter.shared())


class _Shared(BaseAdapter):
    """An adapter that outlives the session it is mounted on."""

    def __init__(self, adapter: BaseAdapter) -> None:
        super().__init__()
        self._adapter = adapter

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        return self._adapter.send(request, **options)

    def close(self) -> None:
        """The adapter's owner closes it."""


def _never(body: bytes) -> None:
    raise NotImplementedError("Nobody writes to an answer that way any more.")


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    address = urlsplit(request.url or "")
    body = request.body or b""
    content = body.encode() if isinstance(body, str) else bytes(body)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote_to_bytes(address.path).decode("latin-1"),
        "QUERY_STRING": address.query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": address.hostname,
        "SERVER_PORT": str(address.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": address.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": address.scheme,
        "wsgi.input": BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = _UNMARKED.get(name.title(), f"HTTP_{name.upper().replace('-', '_')}")
        environ[key] = value.decode() if isinstance(value, bytes) else value
    return environ | {"CONTENT_LENGTH": str(len(content))}


def _response(
    request: requests.PreparedRequest, status: str, headers: list[tuple[str, str]], body: bytes
) -> requests.Response:
    made = requests.Response()
    made.status_code, made.reason = int(status[:3]), status[4:]
    made.headers.update(headers)
    made.raw = HTTPResponse(
        BytesIO(body), headers=dict(headers), status=made.status_code, preload_content=False
    )
    made.url, made.request = request.url or "", request
    return made


def _close(parts: Iterable[bytes]) -> None:
    close = getattr(parts, "close", None)
    if close is not None:
        close()
