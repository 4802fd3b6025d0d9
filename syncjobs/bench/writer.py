"""A user who writes one record of the client again and again, from a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

from connections.models import Connection

PAUSE = 0.02
"""Seconds between two writes."""


@contextmanager
def writing(connection: Connection) -> Iterator[list[float]]:
    """Let the user write while the block runs; after it the list holds seconds of each write."""
    delays: list[float] = []
    command = [sys.executable, sys.argv[0], "bench", "user", "--client", connection.name]
    with Popen(command, stdout=PIPE) as user:  # noqa: S603 - our own command
        if user.stdout is None or user.stdout.readline() != b"ready\n":
            raise RuntimeError("The writing user could not be started.")
        try:
            yield delays
        finally:
            user.terminate()
        delays += [float(line) for line in user.stdout if line.endswith(b"\n")]
