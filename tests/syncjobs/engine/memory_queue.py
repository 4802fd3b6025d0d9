"""The queue in memory stands in the package; tests may take it from here."""

from __future__ import annotations

from syncjobs.chaos.memory_queue import MemoryQueue, SavedQueue

__all__ = ["MemoryQueue", "SavedQueue"]
