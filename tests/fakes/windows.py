"""An on-premises server with Windows-integrated authentication, by pyspnego's own acceptor.

As IIS does it, a connection is logged in, not a request: the state belongs to the connection.
"""

from __future__ import annotations

import re
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import spnego
import spnego.exceptions

USER = "CONTOSO\\joe"
PASSWORD = "pässword"


@dataclass
class FakeWindows:
    """`schemes` are offered; users stand in the file that NTLM_USER_FILE names."""

    schemes: tuple[str, ...] = ("Negotiate", "NTLM")
    url: str = ""
    handshakes: int = 0
    answered: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Method, path and body of what a logged-in user asked."""
    tokens: list[str] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fake: FakeWindows) -> None:
        self.fake = fake
        super().__init__(("127.0.0.1", 0), _Conversation)


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    context: Any = None
    is_known = False

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = self.headers.get("Authorization", "")
        if said:
            self.challenge(said)
        elif not self.is_known:
            self.answer(401, list(self.server.fake.schemes))
        if self.is_known:
            self.server.fake.answered.append((self.command, self.path, body))
            self.answer(200, [])

    def challenge(self, said: str) -> None:
        found = re.fullmatch(r"(Negotiate|NTLM) ([A-Za-z0-9+/=]+)", said)
        assert found is not None
        assert found[1] in self.server.fake.schemes
        self.server.fake.tokens.append(found[2])
        if self.context is None:
            self.server.fake.handshakes += 1
            self.context = spnego.server(protocol=found[1].lower())
        try:
            token = self.context.step(b64decode(found[2], validate=True))
        except spnego.exceptions.SpnegoError:
            self.context = None
            self.answer(401, list(self.server.fake.schemes))
            return
        self.is_known = self.context.complete
        if not self.is_known:
            self.answer(401, [f"{found[1]} {b64encode(token).decode()}"])

    def answer(self, status: int, challenges: list[str]) -> None:
        body = orjson.dumps({"UserId": "joe"}) if status == 200 else b"<html>401</html>"
        self.send_response(status)
        for text in challenges:
            self.send_header("WWW-Authenticate", text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = handle_any  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served(fake: FakeWindows) -> Iterator[FakeWindows]:
    """Serve until the block ends."""
    server = _Server(fake)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
