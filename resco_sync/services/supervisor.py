"""The one process that owns the embedded services of an installation."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType

from resco_sync.environment import is_set
from resco_sync.services.layout import Layout, ServicesError
from resco_sync.services.locks import FileLock
from resco_sync.services.postgres import Postgres
from resco_sync.services.service import Service
from resco_sync.services.valkey import Valkey

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.3


def wanted(layout: Layout) -> list[Service]:
    """Return the services that no variable replaces."""
    services: list[Service] = [Postgres(layout), Valkey(layout)]
    return [service for service in services if not is_set(service.variable)]


def supervise(layout: Layout) -> int:
    """Own the services for as long as any process uses them; return the exit code.

    1. Take the supervisor's lock; whoever has it is the supervisor, so a second one ends.
    2. Start each service, or take over one that outlived an earlier supervisor.
    3. Start again what ends by itself.
    4. When the users' lock can be had exclusively nobody uses the services: stop them. A process
       that comes meanwhile waits for the lock and then starts a new supervisor.
    """
    ours = FileLock(layout.supervisor_lock)
    if not ours.take():
        return 0
    signal.signal(signal.SIGTERM, _end)
    users = FileLock(layout.users_lock)
    services = wanted(layout)
    try:
        for service in services:
            service.start()
        _watch(services, users)
    except ServicesError as error:
        logger.error("%s", error)
        return 1
    finally:
        for service in reversed(services):
            service.stop()
        ours.release()
        users.release()
    return 0


def _watch(services: Sequence[Service], users: FileLock) -> None:
    while not users.take():
        time.sleep(POLL_SECONDS)
        for service in services:
            if not service.is_alive():
                logger.warning("%s ended by itself and is started again", service.title)
                service.start()


def _end(number: int, frame: FrameType | None) -> None:
    """Let the `finally` above run when the machine shuts down."""
    sys.exit(0)
