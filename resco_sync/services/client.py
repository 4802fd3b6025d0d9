"""How a process comes by the embedded services."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from resco_sync.environment import BASE_DIR
from resco_sync.services.layout import Layout, ServicesError, find_layout
from resco_sync.services.locks import FileLock
from resco_sync.services.postgres import MAJOR
from resco_sync.services.service import START_SECONDS
from resco_sync.services.supervisor import wanted

POLL_SECONDS = 0.05
_held: list[FileLock] = []


def ensure() -> None:
    """Make the embedded services run for as long as this process lives, where they are wanted.

    Does nothing when DATABASE_URL and REDIS_URL are set, and nothing the second time. The
    services stop by themselves when the last process that called this is gone.

    Raises:
        ServicesError: they cannot run; the text says why and what to do.
    """
    place = find_layout()
    services = wanted(place)
    if _held or not services:
        return
    place.make()
    for service in services:
        service.check()
        for line in service.notices():
            print(line, file=sys.stderr)  # noqa: T201 - nothing is set up yet that could log
    users = FileLock(place.users_lock)
    users.share()
    _held.append(users)
    try:
        _start(place)
    except ServicesError:
        release()
        raise


def release() -> None:
    """Say that this process needs the services no longer."""
    while _held:
        _held.pop().release()


def wait_stopped(seconds: float = START_SECONDS) -> bool:
    """Wait for the supervisor to end; return False at once when others use the services."""
    place = find_layout()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if _is_free(place.supervisor_lock):
            return True
        if not _is_free(place.users_lock):
            return False
        time.sleep(POLL_SECONDS)
    return False


def _is_free(path: Path) -> bool:
    lock = FileLock(path)
    free = lock.take()
    lock.release()
    return free


def _start(place: Layout) -> None:
    """Wait until all services answer under a supervisor; start one where there is none."""
    end = time.monotonic() + START_SECONDS
    supervisor: subprocess.Popen[bytes] | None = None
    offset = 0
    while time.monotonic() < end:
        if supervisor is not None and supervisor.poll():
            with place.log.open("rb") as log:
                log.seek(offset)
                raise ServicesError(log.read().decode(errors="replace").strip())
        ended = supervisor is None or supervisor.poll() is not None
        if ended and _is_free(place.supervisor_lock):
            offset = place.log.stat().st_size if place.log.exists() else 0
            supervisor = _spawn(place)
        if all(service.answers() for service in wanted(place)):
            return
        time.sleep(POLL_SECONDS)
    raise ServicesError(
        f"The embedded services did not answer in {START_SECONDS} seconds; see {place.log}."
    )


def _spawn(place: Layout) -> subprocess.Popen[bytes]:
    """Start a supervisor that outlives us."""
    environment = dict(os.environ)
    environment["PGSERVER_POSTGRES_VERSION"] = str(MAJOR)
    if sys.platform == "linux":
        environment["LC_ALL"] = "C.UTF-8"  # the cluster must not depend on who starts it first
    with place.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "resco_sync.services"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=BASE_DIR,
            env=environment,
            start_new_session=True,
        )
