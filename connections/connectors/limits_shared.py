"""Numbers that the threads of a process, and of those forked from it, read and change together.

They stand in anonymous shared memory. The lock between processes is a POSIX record lock, which
the kernel releases when its holder is killed; a mutex orders the threads of one process.
"""

from __future__ import annotations

import fcntl
import mmap
import tempfile
import threading
from collections.abc import Iterator, MutableSequence, Sequence
from contextlib import contextmanager
from typing import cast

from connections import forks

_DOUBLE = 8
Numbers = MutableSequence[float]


class Shared:
    """Named numbers, and rows of unnamed ones, all of them doubles that begin at 0.

    Read and change them inside `locked` only.
    """

    def __init__(self, names: Sequence[str], **rows: int) -> None:
        """`rows`: name of a row → how many numbers it has."""
        self._places = {name: place for place, name in enumerate(names)}
        self._memory = mmap.mmap(-1, _DOUBLE * (len(names) + sum(rows.values())))
        self._numbers = cast(Numbers, memoryview(self._memory).cast("d"))
        self._rows: dict[str, Numbers] = {}
        start = len(names)
        for name, count in rows.items():
            self._rows[name] = self._numbers[start : start + count]
            start += count
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - as long as this object lives
        self._threads = threading.Lock()
        forks.in_child(self._renew)

    def __getitem__(self, name: str) -> float:
        """Return a number."""
        return float(self._numbers[self._places[name]])

    def __setitem__(self, name: str, value: float) -> None:
        """Set a number."""
        self._numbers[self._places[name]] = value

    def row(self, name: str) -> Numbers:
        """Return a row of numbers, which can be written to."""
        return self._rows[name]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all other threads and processes out."""
        with self._threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _renew(self) -> None:
        self._threads = threading.Lock()
