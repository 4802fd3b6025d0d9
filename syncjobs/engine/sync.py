"""A run: every entity in its order, each to its end, none in another's way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeVar

from connections.connectors.base import Connector
from connections.errors import (
    CheckpointExpired,
    ConnectorError,
    MetadataChanged,
    Refused,
    Retryable,
    UnknownEntity,
)
from organizations.errors import OrganizationError
from syncjobs.engine import interpreter
from syncjobs.engine.ahead import Ahead, Begun
from syncjobs.engine.dry import DryClient, DryState
from syncjobs.engine.matching import MATCH_KEYS, match
from syncjobs.engine.order import in_order
from syncjobs.engine.protocols import Reporter, State
from syncjobs.engine.pull import Context, Pull
from syncjobs.engine.retrying import Patience
from syncjobs.engine.starting import Start
from syncjobs.engine.values import (
    Counts,
    EntityTask,
    Kind,
    Options,
    Problem,
    Report,
)
from syncjobs.errors import ServerChanged

Result = TypeVar("Result")

_ENTITY_ERRORS = (
    Retryable,
    MetadataChanged,
    CheckpointExpired,
    UnknownEntity,
    OrganizationError,
)
"""What ends one entity and lets the others go on (design decision 10)."""

_OPTIONS = Options()


def sync(
    server: Connector,
    client: Connector,
    tasks: Sequence[EntityTask],
    state: State,
    reporter: Reporter,
    *,
    full: bool = False,
    dry_run: bool = False,
    options: Options = _OPTIONS,
) -> list[Report]:
    """Carry the server's changes to the client and report on each entity.

    `full` reads everything, whatever the checkpoints say, and accepts a server that is another
    or an older copy; it deletes nothing. `dry_run` decides the same and writes nothing. An entity
    that fails is reported and the others go on; Refused, ServerChanged, Cancelled and LostLease
    end the run.
    """
    if dry_run:
        state, client = DryState(state), DryClient(client)
    with interpreter.tuned():
        return _Sync(server, client, state, reporter, full=full, options=options).run(tasks)


class _Sync:
    def __init__(
        self,
        server: Connector,
        client: Connector,
        state: State,
        reporter: Reporter,
        *,
        full: bool,
        options: Options,
    ) -> None:
        self._translations = dict(state.translations(MATCH_KEYS))
        self._unmatched: dict[str, ConnectorError | OrganizationError] = {}
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
            full=full,
        )

    def run(self, tasks: Sequence[EntityTask]) -> list[Report]:
        ordered = in_order(tasks)
        self._context.reporter.run_started([task.name for task in ordered])
        for task in ordered:
            if task.name in MATCH_KEYS:
                self._match(task)
        carried = [task for task in ordered if task.name not in self._unmatched]
        with closing(Ahead(self._context, carried)) as self._ahead:
            return [self._entity(task) for task in ordered]

    def _match(self, task: EntityTask) -> None:
        # All matches are known before the first record is carried, because lookups refer to
        # them in every direction.
        self._context.reporter.checkpoint()
        try:
            found = self._patiently(lambda: self._matches(task))
        except _ENTITY_ERRORS as error:
            self._unmatched[task.name] = error
        else:
            self._translations.update(
                {(task.name, server_id): client_id for server_id, client_id in found.items()}
            )

    def _matches(self, task: EntityTask) -> dict[str, str]:
        context = self._context
        position = self._start.position(task, full=context.full)
        return match(context.server, context.client, task, context.state, position)

    def _entity(self, task: EntityTask) -> Report:
        reporter, report = self._context.reporter, _Unfinished()
        self._context.reporter.checkpoint()
        try:
            self._carry(task, report)
        except _ENTITY_ERRORS as error:
            report.failed = str(error)
            reporter.problem(
                Problem(
                    entity=task.name,
                    record="",
                    code=getattr(error, "code", "") or type(error).__name__,
                    message=report.failed,
                )
            )
        except (Refused, ServerChanged) as error:
            reporter.entity_finished(task.name, str(error))
            raise
        reporter.entity_finished(task.name, report.failed)
        return Report(
            entity=task.name,
            counts=report.counts,
            failed=report.failed,
            samples=tuple(report.samples),
        )

    def _carry(self, task: EntityTask, report: _Unfinished) -> None:
        if task.name in self._unmatched:
            raise self._unmatched[task.name]
        context = self._context
        begun = self._ahead.take(task)
        if begun is None:
            position = self._patiently(lambda: self._start.position(task, full=context.full))
            begun = Begun(position, None, Pull(context, task, position))
        with closing(begun.pull) as pull:
            expected = self._patiently(lambda: self._expected(task, begun))
            context.reporter.entity_started(task.name, full=begun.position.full, expected=expected)
            report.counts, report.samples = pull.counts, pull.samples
            pull.run()

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
    """What is known of an entity so far; counts and samples are those of its pull."""

    counts: Counts = field(default_factory=Counts)
    samples: list[tuple[Kind, str]] = field(default_factory=list)
    failed: str = ""
