"""Whether a process lives; one that is dead but not yet buried by its parent does not."""

from __future__ import annotations

import time

import psutil

POLL_SECONDS = 0.05


def is_alive(process: psutil.Process) -> bool:
    """Return whether this very process (not another one with its number) still works."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_ended(process: psutil.Process, seconds: float) -> bool:
    """Wait for the process to end; return whether it did.

    Other than psutil's own wait, this one also works where nobody buries orphans, as in a
    container whose first program is not made for that.
    """
    end = time.monotonic() + seconds
    while is_alive(process):
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    if isinstance(process, psutil.Popen):
        process.poll()
    return True
