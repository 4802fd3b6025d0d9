"""Record HTTP answers once and serve them again, so that a reader is measured and not a server.

A tape is a folder: `index.json` (request → status, headers, file) and one file per body. A
request is known by method, path with query, its Prefer header, and whether it is signed in.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

_KEPT = ("content-type", "preference-applied", "odata-version", "www-authenticate", "etag")


@dataclass(frozen=True)
class Answer:
    """One recorded answer."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Tape:
    """Recorded answers, in memory and in a folder."""

    folder: Path
    answers: dict[str, Answer] = field(default_factory=dict)

    def save(self) -> None:
        """Write the tape to its folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        index: dict[str, Any] = {}
        for number, (key, answer) in enumerate(self.answers.items()):
            name = f"{number:06d}.body"
            (self.folder / name).write_bytes(answer.body)
            index[key] = {"status": answer.status, "headers": answer.headers, "file": name}
        (self.folder / "index.json").write_text(json.dumps(index))

    @classmethod
    def load(cls, folder: Path) -> Tape:
        """Read a tape from its folder."""
        index = json.loads((folder / "index.json").read_text())
        answers = {
            key: Answer(item["status"], item["headers"], (folder / item["file"]).read_bytes())
            for key, item in index.items()
        }
        return cls(folder, answers)


class _Handler(BaseHTTPRequestHandler):
    """One connection; answers from the tape, or asks the recorded server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: TapeServer

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        self._answer()

    def do_POST(self) -> None:  # noqa: N802
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        known = "signed in" if "Authorization" in self.headers else "stranger"
        key = f"{self.command} {self.path} {self.headers.get('Prefer', '')} {known}"
        answer = self.server.tape.answers.get(key)
        if answer is None:
            answer = self._ask(body)
            self.server.tape.answers[key] = answer
        self._send(answer)

    def _ask(self, body: bytes) -> Answer:
        if self.server.source is None:
            return Answer(404, {"content-type": "text/plain"}, b"Not on the tape.")
        source = http.client.HTTPConnection(self.server.source, timeout=120)
        headers = {**self.headers, "Accept-Encoding": "identity"}
        source.request(self.command, self.path, body or None, headers)
        response = source.getresponse()
        kept = {
            name.lower(): value for name, value in response.getheaders() if name.lower() in _KEPT
        }
        answer = Answer(response.status, kept, response.read())
        source.close()
        return answer

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


class TapeServer(ThreadingHTTPServer):
    """Serves a tape on 127.0.0.1; with `source` (host:port) it records what it does not know."""

    daemon_threads = True

    def __init__(self, tape: Tape, port: int = 0, source: str | None = None) -> None:
        """Bind; port 0 takes a free one."""
        self.tape, self.source = tape, source
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def port(self) -> int:
        """The port it is bound to."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread."""
        Thread(target=self.serve_forever, daemon=True).start()
