"""The web program: how it is started, and when it answers."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request

from django.conf import settings
from django.core.management.base import CommandError

from resco_sync.processes import Processes

HOST = "127.0.0.1"
START_SECONDS = 60
POLL_SECONDS = 0.1


def address() -> str:
    """Return where this installation answers, without a slash at the end."""
    return f"http://{HOST}:{settings.PORT}"


def environment() -> dict[str, str]:
    """Return the environment of programs that people run on their own machine.

    On loopback anybody may register, and the installation may reach itself.
    """
    own = {
        "RESCO_SYNC_REGISTRATION": "open",
        "RESCO_SYNC_EGRESS_ALLOW": f"{HOST}:{settings.PORT}",
        # A worker that is told to end gives its run back at once; the next goes on with it.
        "REMAP_SIGTERM": "SIGQUIT",
        # Who works as root on their own machine knows it.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }
    return {**own, **os.environ}


def command() -> list[str]:
    """Return the program that serves the pages."""
    options = {
        "--bind": f"{HOST}:{settings.PORT}",
        "--worker-class": "gthread",
        "--workers": "2",
        "--threads": "8",
        "--timeout": "120",
        "--log-level": "warning",
        # Dynamics takes 32 KiB, gunicorn's own most is 8; only this machine can send it one.
        "--limit-request-line": "0",
    }
    words = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "gunicorn", "resco_sync.wsgi:application", *words]


def answers() -> bool:
    """Return whether the pages are there and the installation is ready."""
    try:
        with urllib.request.urlopen(f"{address()}/healthz", timeout=5):  # noqa: S310 - our own
            return True
    except OSError:
        return False


def start(processes: Processes) -> None:
    """Start the pages; `wait` tells when they answer."""
    processes.start("web", command())


def wait(processes: Processes) -> None:
    """Wait until the pages answer. Raises CommandError when they, or another program, end."""
    end = time.monotonic() + START_SECONDS
    while not answers():
        found = processes.ended()
        if found:
            raise CommandError(f"The {found[0]} could not be started; the reason is above.")
        if time.monotonic() > end:
            raise CommandError(
                f"The web pages did not answer in {START_SECONDS} seconds at {address()}."
            )
        time.sleep(POLL_SECONDS)
