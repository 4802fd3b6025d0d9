"""Figures of this process from the kernel: memory and processor time (Linux only)."""

from __future__ import annotations

import resource
from pathlib import Path

_KIB = 1024


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * _KIB
    raise LookupError(f"/proc/self/status has no {name}.")


def resident() -> int:
    """Return the memory in use, in bytes."""
    return _status("VmRSS:")


def peak() -> int:
    """Return the highest memory in use since the last `reset_peak`, in bytes."""
    return _status("VmHWM:")


def reset_peak() -> None:
    """Begin a new measurement of the peak."""
    Path("/proc/self/clear_refs").write_text("5")


def cpu() -> float:
    """Return the processor time used so far, in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
