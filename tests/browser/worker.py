"""A worker in a thread of the test's process.

A worker process would need a broker and its own copy of the settings, and would take seconds to
start; that Celery calls workers is tested in `tests/syncjobs/test_worker.py`. This one takes what
may be claimed, as the tick would find it, and carries it out with the product's own runner. It can
be held at the start of an entity, so that a page can be looked at in the middle of a run.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import pytest
from django.db import connection

from syncjobs import lease, runner
from syncjobs.reporter import DatabaseReporter

PATIENCE = 60
"""Seconds that a held run waits at most."""


class Worker:
    """Carries out runs until the end of the block."""

    def __init__(self) -> None:
        """Begin with nothing held."""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="worker")
        self._held_at = ""
        self._released = threading.Event()
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> Self:
        """Start working."""
        started = DatabaseReporter.entity_started

        def held(
            reporter: DatabaseReporter, entity: str, *, full: bool, expected: int | None
        ) -> None:
            started(reporter, entity, full=full, expected=expected)
            if entity == self._held_at:
                self._released.wait(PATIENCE)

        self._patch.setattr(DatabaseReporter, "entity_started", held)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go, finish what is under way, stop."""
        self._ended.set()
        self.release()
        self._thread.join()
        self._patch.undo()

    def hold_at(self, entity: str) -> None:
        """Stop every run that begins this entity, until `release`."""
        self._released.clear()
        self._held_at = entity

    def release(self) -> None:
        """Go on, and stop nowhere any more."""
        self._held_at = ""
        self._released.set()

    def _work(self) -> None:
        try:
            while not self._ended.wait(0.05):
                for run_id in lease.claimable().values_list("pk", flat=True):
                    runner.work(run_id)
        finally:
            connection.close()
