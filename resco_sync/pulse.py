"""When each periodic task last ran: kept in the cache, so that silence can be seen."""

from __future__ import annotations

import time

from django.core.cache import cache

# Long enough to tell "stopped yesterday" from "never ran".
KEEP_SECONDS = 7 * 24 * 3600


def beat(task: str) -> None:
    """Note that a worker runs the task now."""
    cache.set(f"pulse:{task}", time.time(), KEEP_SECONDS)


def age(task: str) -> float | None:
    """Return the seconds since the task last ran, None if it never did."""
    then = cache.get(f"pulse:{task}")
    return None if then is None else max(0.0, time.time() - float(then))
