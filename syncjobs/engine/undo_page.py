"""One image that is taken back: fetch the records, decide, write, and keep what was written.

What is taken back on an organization hosted here commits with its image and its links. A remote
one is written to first: if the process dies before the image is kept, the page is decided again,
and finds that it is so already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from connections.connectors.base import Batch, BatchResult, Connector, FailureKind
from organizations.records import Action
from organizations.schema import Attribute, Entity
from syncjobs.engine.layout import Layout
from syncjobs.engine.protocols import Reporter, State
from syncjobs.engine.undo import (
    Now,
    Repeat,
    Skipped,
    Step,
    UndoPage,
    plan_undo,
    relinked,
    written,
)
from syncjobs.engine.values import Counts, EntityTask, Images, Problem, Side

_ORDER = (Action.DELETE, Action.CREATE, Action.UPDATE)


class Remembered(NamedTuple):
    """One image of the run; `number` falls while the undo goes on."""

    number: int
    entity: int
    name: str
    images: Images


class Past(Protocol):
    """The images of the run that is taken back, and what else is known of its writes."""

    def pages(self, below: int | None) -> Iterator[Remembered]:
        """Yield the images, the newest first; only those whose number is below that."""

    def repeats(self, entity: int, side: Side) -> Mapping[str, Repeat]:
        """Return the records of that entity and side that more than one image holds."""

    def done(self, number: int) -> None:
        """Remember that this image was taken back; inside `State.page` only."""

    def recovered(self, entity: Entity, ids: Sequence[str], columns: Sequence[str]) -> None:
        """Take client records that came back out of the recycle bin.

        What they held besides these columns comes back too. Inside `State.page` only.
        """

    def taken_back(self, entity: int, side: Side, ids: Sequence[str]) -> None:
        """Mark what the run delivered of these records; inside `State.page` only."""


@dataclass(kw_only=True)
class PageUndo:
    """Takes back one image on its side's organization."""

    connector: Connector
    task: EntityTask
    remembered: Remembered
    repeats: Mapping[str, Repeat]
    state: State
    reporter: Reporter
    past: Past

    @property
    def side(self) -> Side:
        """Which organization was written to."""
        return self.remembered.images.side

    @cached_property
    def layout(self) -> Layout:
        """The entity's order of values."""
        return Layout(self.task)

    @property
    def entity(self) -> Entity:
        """The entity as that side has it."""
        return self.task.server if self.side is Side.SERVER else self.task.client

    def decide(self) -> tuple[UndoPage, Mapping[str, Now]]:
        """Return what is to be done, and the records as they are now."""
        records = written(self.remembered.number, self.remembered.images, self.repeats)
        now = self._now([record.id for record in records])
        return plan_undo(records, now, self.layout.columns), now

    def carry_out(self) -> UndoPage:
        """Decide and write; what another writer was faster with is skipped."""
        plan, now = self.decide()
        results = {} if self.connector.is_local else self._write(plan)
        with self.state.page():
            if self.connector.is_local:
                self._stage(plan)
            self.state.hold()
            if self.connector.is_local:
                results = self._write(plan)
            done = self._done(plan, results)
            for action, (steps, versions) in done.items():
                self._keep(action, steps, versions, now)
            self.past.done(self.remembered.number)
            self._report(plan)
        return plan

    def _now(self, ids: Sequence[str]) -> dict[str, Now]:
        if not ids:
            return {}
        page = self.connector.fetch(self.entity, self._attributes(), ids)
        rows = self.layout.align(page)
        return {
            str(row[0]): Now(version, row) for row, version in zip(rows, page.versions, strict=True)
        }

    def _attributes(self) -> Sequence[Attribute]:
        layout = self.layout
        return layout.attributes if self.side is Side.SERVER else layout.client_attributes

    def _batches(self, plan: UndoPage) -> dict[Action, Batch]:
        return {
            action: Batch(
                action=action,
                columns=self.layout.columns[:1] if action is Action.DELETE else self.layout.columns,
                rows=[step.row for step in steps],
                expected=[step.expected for step in steps],
                changed=[step.changed for step in steps] if action is Action.UPDATE else (),
            )
            for action in _ORDER
            if (steps := plan.of(action))
        }

    def _stage(self, plan: UndoPage) -> None:
        batches = self._batches(plan).items()
        self._staged = {a: self.connector.stage(self.entity, batch) for a, batch in batches}

    def _write(self, plan: UndoPage) -> dict[Action, BatchResult]:
        batches = self._staged if self.connector.is_local else self._batches(plan)
        return {a: self.connector.write(self.entity, batch) for a, batch in batches.items()}

    def _done(
        self, plan: UndoPage, results: Mapping[Action, BatchResult]
    ) -> dict[Action, tuple[list[Step], list[int]]]:
        """Return what was written, by action; the rest is moved to what is skipped."""
        done = {}
        for action, result in results.items():
            steps, failed = plan.of(action), result.failed
            written = [n for n in range(len(steps)) if n not in failed]
            versions = [0 if action is Action.DELETE else result.versions[n] for n in written]
            for number, failure in failed.items():
                plan.skipped.append(_failed(steps[number], failure.kind, failure.message))
            plan.steps[action] = [steps[number] for number in written]
            done[action] = (plan.steps[action], versions)
        return done

    def _keep(
        self,
        action: Action,
        steps: Sequence[Step],
        versions: Sequence[int],
        now: Mapping[str, Now],
    ) -> None:
        if not steps:
            return
        ids, key = [step.id for step in steps], self.task.key
        images = Images(
            side=self.side,
            action=action,
            ids=ids,
            versions=versions,
            columns=self.layout.columns,
            before=() if action is Action.CREATE else [now[item].row for item in ids],
        )
        self.state.remember(key, images)
        self.past.taken_back(key, self.side, ids)
        if self.side is Side.CLIENT:
            links = relinked(action, ids, versions, self.state.links_by_client(key, ids))
            if links:
                self.state.save_links(key, links)
            if action is Action.CREATE:
                self.past.recovered(self.entity, ids, self.layout.columns)

    def _report(self, plan: UndoPage) -> None:
        name = self.task.name
        for skipped in plan.skipped:
            self.reporter.problem(
                Problem(entity=name, record=skipped.id, code="Skipped", message=skipped.reason)
            )
        made, changed, removed = (
            len(plan.of(action)) for action in (Action.CREATE, Action.UPDATE, Action.DELETE)
        )
        self.reporter.progress(
            name,
            Counts(
                read=made + changed + removed + plan.already + len(plan.skipped),
                created=made,
                updated=changed,
                deleted=removed,
                unchanged=plan.already,
                conflicts=len(plan.skipped),
            ),
        )


def _failed(step: Step, kind: FailureKind, message: str) -> Skipped:
    if kind is FailureKind.CONFLICT:
        return Skipped(step.id, f"It was changed while it was taken back: {message}")
    return Skipped(step.id, f"It was not accepted: {message}")
