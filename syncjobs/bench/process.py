"""Figures of this process and those forked from it, from the kernel (Linux only)."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_KIB = 1024
_PROC = Path("/proc")
_SECONDS_BETWEEN_LOOKS = 0.02


@dataclass(slots=True)
class Peak:
    """The highest memory seen, in bytes."""

    bytes: int = 0


@contextmanager
def watching_memory() -> Iterator[Peak]:
    """Look at `memory` again and again while the block runs."""
    peak, done = Peak(), threading.Event()

    def look() -> None:
        while not done.wait(_SECONDS_BETWEEN_LOOKS):
            peak.bytes = max(peak.bytes, memory())

    watcher = threading.Thread(target=look, name="watching-memory")
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def memory() -> int:
    """Return the memory in use in bytes; what processes share is counted once."""
    return sum(map(_proportional, [os.getpid(), *_forked()]))


def _forked() -> list[int]:
    parent, command = os.getpid(), _read(os.getpid(), "cmdline")
    others = (int(path.name) for path in _PROC.iterdir() if path.name.isdigit())
    return [
        process
        for process in others
        if _parent(process) == parent and _read(process, "cmdline") == command
    ]


def _parent(process: int) -> int:
    # The second field is the program's name in parentheses, which may hold anything.
    fields = _read(process, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def _proportional(process: int) -> int:
    for line in _read(process, "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * _KIB
    return 0


def _read(process: int, name: str) -> bytes:
    try:
        return (_PROC / str(process) / name).read_bytes()
    except OSError:  # it has ended
        return b""


def cpu() -> float:
    """Return the processor time used so far, in seconds, by this process and ended children."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))
