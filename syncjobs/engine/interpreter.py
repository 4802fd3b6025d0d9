"""The settings of interpreter and allocator while records are carried in bulk."""

from __future__ import annotations

import ctypes
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

LARGE = 128 * 1024
"""Bytes from which a buffer is given back to the system as soon as it is free.

The C library of Linux raises this bound by itself after the first page, and keeps what is free
below it: how much memory a load took then depended on how often pages had met each other.
"""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


@contextmanager
def tuned(*, reads_apart: bool) -> Iterator[None]:
    """Set the interpreter up for bulk work, and back again. The allocator stays as it is set.

    `reads_apart`: another process will share what is in memory now.
    """
    _give_memory_back()
    if reads_apart:
        # What is here already outlives the work: looking through it for cycles would only make
        # copies of the shared memory.
        gc.collect()
        gc.freeze()
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*ALLOCATIONS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _give_memory_back() -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # other C libraries have their own ways
        mallopt(_M_MMAP_THRESHOLD, LARGE)
        mallopt(_M_TRIM_THRESHOLD, LARGE)
        mallopt(_M_ARENA_MAX, 2)
