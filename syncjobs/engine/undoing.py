"""Taking back what a run wrote, newest page first (the decisions are those of `undo`).

1. `preview` decides every page and writes nothing; what it decided has a digest.
2. `carry_out` decides each page again and writes it, with images of its own. What was changed
   between the two is skipped, because every write names the version it is based on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple, TypeVar

import msgspec

from connections.connectors.base import Connector
from connections.errors import Retryable
from syncjobs.engine.breaking import Breaks
from syncjobs.engine.protocols import Reporter, State
from syncjobs.engine.retrying import Patience
from syncjobs.engine.undo import Repeat, Skipped, UndoPage
from syncjobs.engine.undo_page import PageUndo, Past, Remembered
from syncjobs.engine.values import EntityTask, Options, Side

SAMPLES = 20
LISTED = 1000
"""Of more skipped records, or of more that would break, the rest is only counted."""

_OPTIONS = Options()
Result = TypeVar("Result")


class Listed(NamedTuple):
    """One record of the plan: what happens to it, or why nothing does."""

    side: str
    entity: str
    id: str
    what: str


@dataclass(slots=True)
class Plan:
    """What an undo would do, or did: counts by (side, entity, action), what is left and why."""

    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)
    samples: list[Listed] = field(default_factory=list)
    skipped: list[Listed] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)
    already: int = 0
    skips: int = 0
    digest: str = ""

    def add(self, side: Side, entity: str, page: UndoPage, breaks: Sequence[str] = ()) -> None:
        """Add what was decided for one page."""
        for action, steps in page.steps.items():
            key = (side.value, entity, action.value)
            before = self.counts.get(key, 0)
            self.counts[key] = before + len(steps)
            shown = steps[: max(SAMPLES - before, 0)]
            self.samples += [Listed(side, entity, step.id, action) for step in shown]
        self.already += page.already
        self.skips += len(page.skipped)
        room = LISTED - len(self.skipped)
        self.skipped += [Listed(side, entity, one.id, one.reason) for one in page.skipped[:room]]
        self.breaks += breaks[: LISTED - len(self.breaks)]


class Undo:
    """Takes one run back."""

    def __init__(
        self,
        server: Connector,
        client: Connector,
        tasks: Sequence[EntityTask],
        state: State,
        reporter: Reporter,
        past: Past,
        *,
        options: Options = _OPTIONS,
    ) -> None:
        """`tasks` are the entities that can be written now; images of others are skipped."""
        self._connectors = {Side.SERVER: server, Side.CLIENT: client}
        self._tasks = {task.key: task for task in tasks}
        self._state, self._reporter, self._past = state, reporter, past
        self._options = options
        self._repeats: dict[tuple[int, Side], Mapping[str, Repeat]] = {}

    def preview(self) -> Plan:
        """Decide everything, and write nothing."""
        plan, digest = Plan(), blake2b(digest_size=16)
        breaks = {
            side: Breaks(side, connector, self._tasks.values())
            for side, connector in self._connectors.items()
        }
        for page in self._pages(None, plan):
            self._reporter.checkpoint()
            decided, now = self._patiently(page.decide)
            told = breaks[page.side].of(page.task, page.layout, decided, now)
            plan.add(page.side, page.task.name, decided, told)
            digest.update(_digestible(page.remembered, decided))
        plan.digest = digest.hexdigest()
        return plan

    def carry_out(self, below: int | None = None) -> Plan:
        """Take back what is below that image (None: all), page by page; return what was done."""
        plan, begun = Plan(), dict[str, None]()
        for page in self._pages(below, plan):
            self._reporter.checkpoint()
            if page.task.name not in begun:
                begun[page.task.name] = None
                self._reporter.entity_started(page.task.name, full=False, expected=None)
            plan.add(page.side, page.task.name, self._patiently(page.carry_out))
        for name in begun:
            self._reporter.entity_finished(name)
        return plan

    def _pages(self, below: int | None, plan: Plan) -> Iterator[PageUndo]:
        for remembered in self._past.pages(below):
            task = self._tasks.get(remembered.entity)
            if task is not None:
                yield self._page(task, remembered)
            else:
                plan.add(remembered.images.side, remembered.name, _left(remembered))

    def _page(self, task: EntityTask, remembered: Remembered) -> PageUndo:
        side = remembered.images.side
        key = (task.key, side)
        if key not in self._repeats:
            self._repeats[key] = self._past.repeats(*key)
        return PageUndo(
            connector=self._connectors[side],
            task=task,
            remembered=remembered,
            repeats=self._repeats[key],
            state=self._state,
            reporter=self._reporter,
            past=self._past,
        )

    def _patiently(self, act: Callable[[], Result]) -> Result:
        patience = Patience(self._options)
        while True:
            try:
                return act()
            except Retryable as error:
                patience.wait(error)


def _left(remembered: Remembered) -> UndoPage:
    reason = "The entity is no longer carried by the connection. Enable it, then try again."
    return UndoPage(skipped=[Skipped(id_, reason) for id_ in remembered.images.ids])


def _digestible(remembered: Remembered, plan: UndoPage) -> bytes:
    steps = [
        (action.value, [(step.id, step.expected, sorted(step.changed)) for step in found])
        for action, found in sorted(plan.steps.items())
    ]
    return msgspec.msgpack.encode((remembered.number, steps, plan.skipped))
