"""Carrying a run out in this process and telling how far it is: what the commands use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from django.db import connection

from syncjobs import lease, runner
from syncjobs.models import Run, RunEntity

SECONDS = 1.0
"""Between two looks at a run."""

Say = Callable[[str], None]


def carry_out(run: Run, say: Say) -> Run:
    """Work on the run here until it has ended, whoever ends it; `say` gets lines of progress.

    Runs of the connection that wait longer are carried out first. If another process works on
    one of them, this one waits for it.
    """
    with Progress(run, say):
        while run.is_active:
            turn = lease.claimable().filter(connection_id=run.connection_id).first()
            if turn is not None:
                runner.work(turn.pk)
            else:
                time.sleep(SECONDS)
            run.refresh_from_db()
    return run


class Progress:
    """Says what has changed on a run, about once a second, from a thread of its own."""

    def __init__(self, run: Run, say: Say) -> None:
        """Remember the run and whom to tell."""
        self._run_id, self._say = run.pk, say
        self._said: dict[str, str] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="progress", daemon=True)

    def __enter__(self) -> Self:
        """Start looking."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Look a last time and stop."""
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        try:
            while not self._ended.wait(SECONDS):
                self._look()
            self._look()
        finally:
            connection.close()

    def _look(self) -> None:
        run = Run.objects.get(pk=self._run_id)
        state = f"{run.get_state_display()}. {run.message}".strip()
        if run.is_active:
            self._tell("", state)
        for row in run.entities.exclude(state=RunEntity.State.WAITING):
            self._tell(row.name, _line(row))
        if not run.is_active:  # how it ended is the last thing to say
            self._tell("", state)

    def _tell(self, subject: str, line: str) -> None:
        if self._said.get(subject) != line:
            self._said[subject] = line
            self._say(line)


def _line(row: RunEntity) -> str:
    total = f" of {row.expected:,}" if row.expected else ""
    counts = ", ".join(
        f"{getattr(row, name):,} {name}" for name in RunEntity.COUNTS if getattr(row, name)
    )
    parts = (f"{row.read:,}{total} read", counts, row.message)
    return f"{row.name}: {row.state}, " + ", ".join(part for part in parts if part)
