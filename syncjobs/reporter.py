"""The engine's reporter on rows: counts, problems, the lease and the wish to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from django.db.models import F

from syncjobs import lease
from syncjobs.engine.protocols import Reporter
from syncjobs.engine.values import Counts, Problem
from syncjobs.errors import Cancelled, LostLease
from syncjobs.models import Run, RunEntity, RunError

MOST_ERRORS = 10_000
"""Of more problems in one run only the number is kept, in the counts."""

SECONDS_BETWEEN_LOOKS = 0.5
"""How much later than the page's end a wish to stop may be seen."""
_SECONDS_BETWEEN_RENEWALS = 5.0
_NEVER = float("-inf")


class DatabaseReporter(Reporter):
    """Writes what a run has come to.

    Another worker may have done part of the run before: counts are added to what it wrote.
    """

    def __init__(
        self,
        run: Run,
        *,
        look_every: float = SECONDS_BETWEEN_LOOKS,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """`run` as it was claimed; it is looked at at most every `look_every` seconds.

        `settle` is called then too, outside of all transactions, to write the ledger.
        A worker that lost its run writes nothing meanwhile: each page checks the fence.
        """
        self._run, self._look_every, self._settle = run, look_every, settle
        self._looked = _NEVER
        self._moments: dict[str, float] = {}
        self._renewed = time.monotonic()
        self._errors: int | None = None

    def run_started(self, entities: Sequence[str]) -> None:
        """Put the entities on the run, in the order in which they will be carried."""
        rows = [
            RunEntity(run=self._run, name=name, position=position)
            for position, name in enumerate(entities)
        ]
        RunEntity.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["run", "name"],
            update_fields=["position"],
        )

    def entity_started(self, entity: str, *, full: bool, expected: int | None) -> None:
        """Mark the entity as running."""
        state = RunEntity.State.RUNNING
        self._write(entity, state=state, full=full, expected=expected, message="")

    def progress(self, entity: str, counts: Counts) -> None:
        """Add a page's counts, in the page's transaction if there is one."""
        sums = {name: F(name) + value for name, value in asdict(counts).items() if value}
        self._write(entity, **sums)

    def problem(self, problem: Problem) -> None:
        """Keep the problem as an entry of the run."""
        if self._errors is None:
            self._errors = self._run.errors.count()
        if self._errors >= MOST_ERRORS:
            return
        self._errors += 1
        RunError.objects.create(
            run=self._run,
            entity=problem.entity[:128],
            record=problem.record[:100],
            code=problem.code[:60],
            message=problem.message,
        )

    def entity_finished(self, entity: str, failed: str = "") -> None:
        """Mark the entity as done or failed."""
        state = RunEntity.State.FAILED if failed else RunEntity.State.DONE
        self._write(entity, state=state, message=failed)
        self._looked = _NEVER  # between two entities the run is looked at in any case

    def checkpoint(self) -> None:
        """Renew the lease if it is time. Raises Cancelled, LostLease."""
        now = time.monotonic()
        if now - self._looked < self._look_every:
            return
        self._looked = now
        self._settle()
        if now - self._renewed >= _SECONDS_BETWEEN_RENEWALS:
            lease.renew(self._run)
            self._renewed = now
        found = Run.objects.filter(pk=self._run.pk, fence=self._run.fence)
        state = found.values_list("state", flat=True).first()
        if state == Run.State.CANCELLING:
            raise Cancelled("Cancelled by request.")
        if state != Run.State.RUNNING:
            raise LostLease("Another worker has taken the run over, or it has ended.")

    def _write(self, entity: str, **fields: object) -> None:
        """Write fields, and add the seconds gone by since the last time."""
        now = time.monotonic()
        fields["seconds"] = F("seconds") + (now - self._moments.get(entity, now))
        self._moments[entity] = now
        rows = RunEntity.objects.filter(run=self._run, name=entity)
        if not rows.update(**fields):
            RunEntity.objects.create(run=self._run, name=entity)
            rows.update(**fields)
