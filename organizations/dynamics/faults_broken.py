"""Answers that do not arrive: nothing at all, half a body, a body that is no JSON.

A server of the Python kind always completes an answer, so the connection itself is cut: the
socket is shut down, and the iteration of the body ends with the error that a client's leaving
would cause, which gunicorn and wsgiref pass over in silence.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

SHORTEST = 2
"""Bytes of the shortest body that can be cut in two."""


def nothing(request: HttpRequest) -> StreamingHttpResponse:
    """Return an answer of which no byte is sent."""
    return StreamingHttpResponse(_cut(request, b""))


def truncated(request: HttpRequest, response: HttpResponse) -> StreamingHttpResponse:
    """Return half of the body under the Content-Length of the whole."""
    content = response.content
    half = StreamingHttpResponse(
        _cut(request, content[: len(content) // 2]),
        status=response.status_code,
        headers={**response.headers, "Content-Length": str(len(content))},
    )
    response.close()
    return half


def invalid(response: HttpResponse) -> HttpResponse:
    """Return half of the body under a Content-Length of its own: complete, and no JSON."""
    response.content = response.content[: len(response.content) // 2]
    response.headers["Content-Length"] = str(len(response.content))
    return response


def _cut(request: HttpRequest, start: bytes) -> Iterator[bytes]:
    if start:
        yield start
    if connection := _socket(request):
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError(errno.ECONNRESET, "a fault of the twin cut the connection")


def _socket(request: HttpRequest) -> socket.socket | None:
    """Return the socket the request came by: gunicorn tells it; else it is below the input."""
    environ = request.META
    if found := environ.get("gunicorn.socket"):
        return found if isinstance(found, socket.socket) else None
    reader = environ.get("wsgi.input")
    while reader is not None:
        if isinstance(found := getattr(reader, "_sock", None), socket.socket):
            return found
        read = getattr(reader, "_read", None)  # Django's limited stream keeps the method only
        reader = getattr(read, "__self__", None) or getattr(reader, "raw", None)
    return None
