"""A run: every entity in its order, each to its end, none in another's way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from typing import TypeVar

from connections.connectors.base import Connector
from connections.errors import (
    CheckpointExpired,
    ConnectorError,
    Refused,
    Retryable,
)
from organizations.errors import OrganizationError
from syncjobs.engine import interpreter
from syncjobs.engine.ahead import Ahead, Begun
from syncjobs.engine.airbag import Alone, Guard
from syncjobs.engine.approved import Approved, guarded
from syncjobs.engine.collect import Source, collect
from syncjobs.engine.deletion import Deletion
from syncjobs.engine.dry import rehearsed
from syncjobs.engine.matching import MATCH_KEYS, Matched, match
from syncjobs.engine.order import in_order, targets_of
from syncjobs.engine.planned import Book, Parties
from syncjobs.engine.protocols import Queue, Reporter, State
from syncjobs.engine.pull import Context, Pull
from syncjobs.engine.push.delivery import Delivery
from syncjobs.engine.push.pushing import Pushed, push
from syncjobs.engine.retrying import ENTITY_ERRORS, Patience
from syncjobs.engine.starting import Start
from syncjobs.engine.tracked import Tracked
from syncjobs.engine.values import (
    Counts,
    EntityTask,
    Kind,
    Options,
    Problem,
    Report,
)
from syncjobs.errors import ServerChanged, Unmatched

Result = TypeVar("Result")

Lane = Callable[[], AbstractContextManager[None]]
"""Opens the block in which nobody else collects or delivers for the connection."""

_OPTIONS = Options()
_SAMPLES = 20
_NOT_MATCHED = (
    "'{task}' was not carried: it refers to records of '{name}', which could not be matched with "
    "the client's. {why}"
)


def sync(
    server: Connector,
    client: Connector,
    tasks: Sequence[EntityTask],
    state: State,
    reporter: Reporter,
    *,
    queue: Queue | None = None,
    guard: Guard | None = None,
    full: bool = False,
    dry_run: bool = False,
    book: Book | None = None,
    approved: Approved | None = None,
    lane: Lane = nullcontext,
    only_deliver: bool = False,
    options: Options = _OPTIONS,
) -> list[Report]:
    """Carry the changes of both sides to the other, and report on each entity.

    Without a `queue` the client's changes stay where they are; with `only_deliver` nothing but
    they are carried. `lane` is held while they are.

    `full` reads everything, whatever the checkpoints say, and accepts a server that is another
    or an older copy; it deletes nothing. `dry_run` decides the same and writes nothing but the
    plan, into `book`. With `approved`, nothing is written that is not in that plan, and PlanChanged
    ends the run. An entity that fails is reported and the others go on; Refused, ServerChanged,
    Cancelled and LostLease end the run. Without a `guard` the usual limits hold, and what exceeds
    them is not deleted.
    """
    parties = Parties(server, client, state, reporter, guard or Alone(), queue)
    if dry_run:
        parties = rehearsed(parties, tasks, book)
    elif approved is not None:
        parties = guarded(parties, approved)
    with interpreter.tuned(reads_apart=server.reads_apart):
        run = _Sync(parties, lane=lane, full=full, options=options)
        return run.deliver(tasks) if only_deliver else run.run(tasks)


class _Sync:
    def __init__(self, parties: Parties, *, lane: Lane, full: bool, options: Options) -> None:
        server, client, state, reporter, guard, queue = parties
        self._translations = dict(state.translations(MATCH_KEYS))
        self._looked_at: dict[str, AbstractSet[str]] = {}
        self._unmatched: dict[str, ConnectorError | OrganizationError | Unmatched] = {}
        identity = server.identify()
        self._start = Start(server, client, state, organization_id=identity.organization_id)
        self._context = Context(
            server=server,
            client=client,
            state=state,
            reporter=reporter,
            translations=self._translations,
            options=options,
            start=self._start,
            guard=guard,
            full=full,
            looked_at=self._looked_at,
        )
        self._queue, self._lane = queue, lane
        self._uncollected: Mapping[str, str] = {}
        self._pushed = Pushed()
        self._unfinished: dict[str, _Unfinished] = {}

    def run(self, tasks: Sequence[EntityTask]) -> list[Report]:
        ordered = in_order(tasks)
        self._context.reporter.run_started([task.name for task in ordered])
        for task in ordered:
            if task.name in MATCH_KEYS:
                self._match(task)
        with self._lane():
            self._collect(ordered)
            self._push(ordered)
        copied = self._tracked(ordered)
        carried = [task for task in copied if self._is_matched(task)]
        with closing(Ahead(self._context, carried)) as self._ahead:
            for task in copied:
                self._entity(task)
        for task in reversed(copied):
            self._delete(task)
        for name, counts in self._pushed.counts.items():
            self._unfinished[name].pushed = counts
        return [self._unfinished[task.name].report(task.name) for task in ordered]

    def deliver(self, tasks: Sequence[EntityTask]) -> list[Report]:
        """Carry only the client's changes, by the matches that are known."""
        ordered = in_order(tasks)
        reporter = self._context.reporter
        reporter.run_started([task.name for task in ordered])
        with self._lane():
            self._collect(ordered)
            self._push(ordered)
        for task in ordered:
            reporter.entity_finished(task.name, self._left(task))
        return [
            Report(
                entity=task.name,
                counts=self._pushed.counts.get(task.name, Counts()),
                failed=self._left(task),
            )
            for task in ordered
        ]

    def _left(self, task: EntityTask) -> str:
        """Return why changes of the client were left where they are, '' if none was."""
        return self._uncollected.get(task.name) or self._pushed.failed.get(task.name, "")

    def _match(self, task: EntityTask) -> None:
        # All matches are known before the first record is carried, because lookups refer to
        # them in every direction.
        self._context.reporter.checkpoint()
        try:
            found = self._patiently(lambda: self._matches(task))
        except ENTITY_ERRORS as error:
            self._unmatched[task.name] = error
        else:
            pairs = found.pairs.items()
            self._translations.update({(task.name, theirs): ours for theirs, ours in pairs})
            if found.looked_at is not None:
                self._looked_at[task.name] = found.looked_at

    def _is_matched(self, task: EntityTask) -> bool:
        """Return whether all records that it carries or refers to were matched."""
        return self._unmatched.keys().isdisjoint({task.name, *targets_of(task)})

    def _check_matched(self, task: EntityTask) -> None:
        """Raise why its records, or some that they refer to, were not matched."""
        if task.name in self._unmatched:
            raise self._unmatched[task.name]
        for name in targets_of(task):
            if name in self._unmatched:
                message = _NOT_MATCHED.format(task=task.name, name=name, why=self._unmatched[name])
                raise Unmatched(message)

    def _matches(self, task: EntityTask) -> Matched:
        context = self._context
        position = self._start.position(task, full=context.full)
        try:
            return match(context.server, context.client, task, context.state, position)
        except CheckpointExpired:
            # The pull will find out by itself, and read everything too.
            position = self._start.beginning(task, position.scope)
            return match(context.server, context.client, task, context.state, position)

    def _collect(self, tasks: Sequence[EntityTask]) -> None:
        """Take the client's changes out of its log; an entity that fails is pulled all the same."""
        if self._queue is None:
            return
        context = self._context
        source = Source(
            client=context.client,
            state=context.state,
            queue=self._queue,
            reporter=context.reporter,
            options=context.options,
            full=context.full,
        )
        self._uncollected = collect(source, tasks)
        collected = self._queue.collected([task.key for task in tasks])
        self._context = replace(self._context, collected=collected)

    def _push(self, tasks: Sequence[EntityTask]) -> None:
        """Deliver what waits for the server."""
        if self._queue is None:
            return
        context = self._context
        delivery = Delivery(
            server=context.server,
            client=context.client,
            state=context.state,
            queue=self._queue,
            reporter=context.reporter,
            translations=self._translations,
            options=context.options,
        )
        matched = [task for task in tasks if not task.is_tracking and self._is_matched(task)]
        self._pushed = push(delivery, matched)

    def _tracked(self, ordered: Sequence[EntityTask]) -> list[EntityTask]:
        """Read what the server tracked itself; return the tasks whose records are copied."""
        copied = [task for task in ordered if not task.is_tracking]
        for task in ordered:
            if task.is_tracking:
                tracked, found = Tracked(self._context, task, ordered), _Unfinished()
                self._unfinished[task.name], found.counts = found, tracked.counts
                self._guarded(task, found, tracked.run)
                self._context.reporter.entity_finished(task.name, found.failed)
                copied = tracked.compared_once(copied)
        return copied

    def _entity(self, task: EntityTask) -> None:
        found = self._unfinished[task.name] = _Unfinished()
        found.deletes = task.deletes and not self._context.full
        self._guarded(task, found, lambda: self._carry(task, found))
        found.failed = found.failed or self._left(task)
        if found.failed or not found.deletes:
            self._context.reporter.entity_finished(task.name, found.failed)

    def _delete(self, task: EntityTask) -> None:
        """Carry the deletions of an entity whose records were all carried."""
        found = self._unfinished[task.name]
        if found.failed or not found.deletes:
            return
        deletion = Deletion(self._context, task, found.unbelieved)
        found.deleted, found.deleted_samples = deletion.counts, deletion.samples
        self._guarded(task, found, lambda: self._patiently(deletion.run))
        self._context.reporter.entity_finished(task.name, found.failed)

    def _guarded(self, task: EntityTask, found: _Unfinished, act: Callable[[], None]) -> None:
        reporter = self._context.reporter
        try:
            reporter.checkpoint()
            act()
        except ENTITY_ERRORS as error:
            found.failed = str(error)
            code = getattr(error, "code", "") or type(error).__name__
            reporter.problem(Problem(entity=task.name, record="", code=code, message=found.failed))
        except (Refused, ServerChanged) as error:
            reporter.entity_finished(task.name, str(error))
            raise

    def _carry(self, task: EntityTask, report: _Unfinished) -> None:
        self._check_matched(task)
        context = self._context
        if context.full:
            self._patiently(lambda: self._start.accept(task))
        begun = self._ahead.take(task)
        if begun is None:
            position = self._patiently(lambda: self._start.position(task, full=context.full))
            begun = Begun(position, None, Pull(context, task, position))
        with closing(begun.pull) as pull:
            expected = self._patiently(lambda: self._expected(task, begun))
            context.reporter.entity_started(task.name, full=begun.position.full, expected=expected)
            report.counts, report.samples = pull.counts, pull.samples
            self._run_matched(task, pull)
            report.unbelieved = pull.unbelieved

    def _run_matched(self, task: EntityTask, pull: Pull) -> None:
        try:
            pull.run()
        except Unmatched as error:
            self._unmatched[task.name] = error  # what refers to it follows
            raise

    def _expected(self, task: EntityTask, begun: Begun) -> int | None:
        if not begun.position.full or begun.position.resume:
            return None
        asked, begun.expected = begun.expected, None
        if asked is not None:
            return asked.result()
        return self._context.server.estimate(task.server, task.query)

    def _patiently(self, act: Callable[[], Result]) -> Result:
        patience = Patience(self._context.options)
        while True:
            try:
                return act()
            except Retryable as error:
                patience.wait(error)


@dataclass(slots=True)
class _Unfinished:
    """What is known of an entity so far; counts and samples are those of its pull and deletion."""

    counts: Counts = field(default_factory=Counts)
    samples: list[tuple[Kind, str]] = field(default_factory=list)
    pushed: Counts = field(default_factory=Counts)
    deletes: bool = False
    deleted: Counts = field(default_factory=Counts)
    deleted_samples: list[tuple[Kind, str]] = field(default_factory=list)
    unbelieved: list[str] = field(default_factory=list)
    failed: str = ""

    def report(self, entity: str) -> Report:
        """Return how the entity ended."""
        counts = Counts()
        counts.add(self.pushed)
        counts.add(self.counts)
        counts.add(self.deleted)
        samples = (*self.samples, *self.deleted_samples[:_SAMPLES])
        return Report(entity=entity, counts=counts, failed=self.failed, samples=samples)
