"""The interpreter's settings while records are carried in bulk."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_SECONDS = 0.0005
"""How long one thread may keep the interpreter from another that waits for it.

The thread that writes talks to the database a few dozen times a page. With the interpreter's own
5 ms every answer found the reading thread in the way, and half of the time was spent waiting.
"""
ALLOCATIONS = (100_000, 50, 1_000)
"""When to look for cycles: rows hold none, and looking through a page of them again and again
took a fifth of the processor time."""


@contextmanager
def tuned() -> Iterator[None]:
    """Set the interpreter up for bulk work, and back again."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*ALLOCATIONS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
