"""The engine's memory in memory stands in the package; tests may take it from here."""

from __future__ import annotations

from syncjobs.chaos.memory_reporter import MemoryReporter
from syncjobs.chaos.memory_state import Crash, MemoryState, Saved

__all__ = ["Crash", "MemoryReporter", "MemoryState", "Saved"]
