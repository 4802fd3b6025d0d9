"""Advisory file locks; the kernel drops them when the last holder is gone, even by kill -9."""

from __future__ import annotations

import fcntl
from pathlib import Path


class FileLock:
    """One open file on which a shared or an exclusive lock is taken.

    Children made by fork share the lock; programs started by exec do not.
    """

    def __init__(self, path: Path) -> None:
        """Open (and make) the file; take nothing yet."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")

    def share(self) -> None:
        """Wait until nobody holds the lock exclusively, then share it."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def take(self) -> bool:
        """Return whether the lock could be had exclusively at once."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the lock back and close the file."""
        self._file.close()
