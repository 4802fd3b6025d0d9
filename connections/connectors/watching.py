"""Being called when records of an organization change, where it can call."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Watcher(ABC):
    """Makes and removes the web hooks of one organization."""

    @abstractmethod
    def make(self, entity: str, action: str, address: str) -> str:
        """Let an address be called after each `Create`, `Update` or `Delete` of an entity.

        Returns by what the hook is removed. Raises Refused, Retryable.
        """

    @abstractmethod
    def remove(self, location: str) -> None:
        """Remove a hook; one that is gone already is fine. Raises Refused, Retryable."""
