"""This installation served by a process of its own: `python -m syncjobs.bench.twin`.

Prints the port of 127.0.0.1 and serves until it is killed, so that the twin's memory and work are
not those of the process that is measured.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen
from wsgiref.simple_server import WSGIServer, make_server

from django.core.wsgi import get_wsgi_application

from syncjobs.bench.quiet import Quiet


@contextmanager
def served_apart() -> Iterator[str]:
    """Serve from another process; yields http://host:port."""
    command = [sys.executable, "-m", "syncjobs.bench.twin"]
    with Popen(command, stdout=PIPE) as process:  # noqa: S603 - our own module
        try:
            if process.stdout is None or not (port := process.stdout.readline().strip()):
                raise RuntimeError("The twin could not be served.")
            yield f"http://127.0.0.1:{int(port)}"
        finally:
            process.kill()


def main() -> None:
    """Serve until killed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resco_sync.settings")
    application = get_wsgi_application()
    server: WSGIServer = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
