"""What the judge says."""

from __future__ import annotations

from typing import NamedTuple


class Violation(NamedTuple):
    """An invariant that does not hold, and how that shows."""

    invariant: str
    what: str

    def __str__(self) -> str:
        """Return both in one line."""
        return f"{self.invariant}: {self.what}"
