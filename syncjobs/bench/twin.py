"""This installation served by processes of its own, as `make run` serves it.

So a twin's memory and work are not those of the process that is measured, and it can answer
several requests at once.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

_START_SECONDS, _POLL_SECONDS = 60, 0.1
_OPTIONS = (
    *("--worker-class", "gthread"),
    *("--workers", "2"),
    *("--threads", "8"),
    *("--log-level", "warning"),
    *("--limit-request-line", "0"),
)


@contextmanager
def served_apart() -> Iterator[str]:
    """Serve from other processes on a free port; yields http://host:port."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "gunicorn", "resco_sync.wsgi:application", *_OPTIONS]
    with subprocess.Popen([*words, "--bind", f"127.0.0.1:{port}"]) as process:  # noqa: S603 - ours
        try:
            _wait(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with closing(socket.socket()) as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(_POLL_SECONDS)
    raise RuntimeError("The twin could not be served.")
