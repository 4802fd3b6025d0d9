"""`python -m syncjobs.bench.replay FOLDER PORT`: serve a tape from a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from syncjobs.bench.tape import Tape, TapeServer


def main(folder: str, port: str) -> None:
    """Serve until killed; one line on standard output says that the server is ready."""
    server = TapeServer(Tape.load(Path(folder)), int(port))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
