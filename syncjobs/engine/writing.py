"""Carrying out the plan of one page: client records, links and position in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat
from typing import Any, TypeVar

from connections.connectors.base import Batch, BatchResult, Connector, Failure, FailureKind
from organizations.records import Action, Rendered, Row
from syncjobs.engine.layout import Layout
from syncjobs.engine.plan import Incoming, PagePlan, View
from syncjobs.engine.protocols import Reporter, State
from syncjobs.engine.values import (
    Counts,
    EntityTask,
    Images,
    Kind,
    LinkRow,
    LinkState,
    Position,
    Problem,
    Side,
)
from syncjobs.errors import AlreadyLinked

Item = TypeVar("Item")


@dataclass(slots=True)
class Outcome:
    """What carrying a page came to. `left` are the server ids of records left behind."""

    counts: Counts = field(default_factory=Counts)
    problems: list[Problem] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    samples: list[tuple[Kind, str]] = field(default_factory=list)


class Writer:
    """Carries out plans for one entity of the client."""

    def __init__(
        self,
        client: Connector,
        state: State,
        reporter: Reporter,
        task: EntityTask,
        layout: Layout,
        *,
        limit: int,
    ) -> None:
        """`limit`: of more records left behind than that, the ids are not kept."""
        self._client, self._state, self._reporter = client, state, reporter
        self._task, self._layout = task, layout
        self._limit = limit

    def carry(
        self,
        page: Incoming,
        plan: PagePlan,
        view: View,
        *,
        position: Position | None,
        left: AbstractSet[str],
    ) -> Outcome:
        """Write records, links and `position` (None: where it is) in one transaction.

        `view` is what was planned by, `left` are the ids left behind so far. Raises AlreadyLinked
        if a plan by a fresh view met a link or a record; then nothing of the page was committed
        here.
        """
        work = _Work(self._task, self._layout, page, plan, view)
        work.decide()
        batches = self._batches(page, plan)
        if batches or position is not None or work.moves(left):
            with self._state.page():
                staged = {
                    action: self._client.stage(self._task.client, batch)
                    for action, batch in batches.items()
                }
                self._state.hold()
                for action, batch in staged.items():
                    work.take(action, self._client.write(self._task.client, batch))
                self._save(work, position, left)
                self._report(work.outcome)
        else:
            self._report(work.outcome)
        return work.outcome

    def _batches(self, page: Incoming, plan: PagePlan) -> dict[Action, Batch]:
        columns, rows = self._layout.columns, page.rows
        if plan.creates and page.rendered is not None:
            return {Action.CREATE: self._rendered(page.rendered)}
        batches = {
            Action.CREATE: Batch(
                action=Action.CREATE,
                columns=columns,
                rows=_at(rows, plan.creates),
                expected=[0] * len(plan.creates),
            ),
            Action.UPDATE: Batch(
                action=Action.UPDATE,
                columns=columns,
                rows=[_under(rows[item.place], item.client_id) for item in plan.updates],
                expected=[item.expected for item in plan.updates],
            ),
        }
        return {action: batch for action, batch in batches.items() if batch.rows}

    def _rendered(self, rendered: Rendered) -> Batch:
        expected = [0] * len(rendered.ids)
        return Batch(
            action=Action.CREATE,
            columns=self._layout.columns,
            rows=(),
            expected=expected,
            rendered=rendered,
        )

    def _report(self, outcome: Outcome) -> None:
        for problem in outcome.problems:
            self._reporter.problem(problem)
        self._reporter.progress(self._task.name, outcome.counts)

    def _save(self, work: _Work, position: Position | None, left: AbstractSet[str]) -> None:
        key = self._task.key
        for images in work.images:
            self._state.remember(key, images)
        if work.dropped:
            self._state.drop_links(key, work.dropped)
        if work.new_links:
            self._state.save_links(key, work.new_links, new=True)
        if work.links:
            self._state.save_links(key, work.links)
        new_left = sorted(work.outcome.left - left)
        room = self._limit - len(left)
        if new_left:
            self._state.leave_behind(key, new_left[: max(room, 0)])
        if caught_up := work.caught_up(left):
            self._state.catch_up(key, caught_up)
        if position is not None:
            if not position.resume and len(new_left) > room:
                position = replace(position, token="")
            self._state.save_position(key, position)


class _Work:
    """One page on its way: takes the plan and the target's answers, makes links and counts."""

    def __init__(
        self, task: EntityTask, layout: Layout, page: Incoming, plan: PagePlan, view: View
    ) -> None:
        self._task, self._layout = task, layout
        self._page, self._plan, self._view = page, plan, view
        self.outcome = Outcome()
        self.images: list[Images] = []
        self.new_links = list(plan.new_links)
        self.links = list(plan.links)
        self.dropped = list(plan.dropped)

    def decide(self) -> None:
        """Count what needs no write."""
        counts, plan = self.outcome.counts, self._plan
        counts.read = len(self._page.ids) + len(self._page.rejected)
        counts.unchanged = plan.unchanged
        counts.kept = plan.kept
        for clash in plan.clashes:
            if clash.is_told:
                self.outcome.left.add(clash.server_id)
            else:
                self._conflict(clash.server_id, "conflict", clash.message)
        for rejection in self._page.rejected:
            self._rejected(rejection.id, rejection.code, rejection.message)

    def moves(self, left: AbstractSet[str]) -> bool:
        """Return whether links or the list of those left behind change without any write."""
        return bool(
            self.new_links
            or self.links
            or self.dropped
            or self.outcome.left - left
            or self.caught_up(left)
        )

    def caught_up(self, left: AbstractSet[str]) -> list[str]:
        """Return those left behind that need not be read again."""
        if not left:
            return []
        page = self._page
        seen = left & {*page.ids, *page.deleted, *page.absent}
        return sorted(seen - self.outcome.left)

    def take(self, action: Action, result: BatchResult) -> None:
        """Take the target's answer to the batch of this action."""
        if action is Action.CREATE:
            self._created(result)
        else:
            self._updated(result)

    def _created(self, result: BatchResult) -> None:
        page, failed = self._page, result.failed
        if self._view.fresh and any(item.kind is FailureKind.CONFLICT for item in failed.values()):
            raise AlreadyLinked(f"'{self._task.name}' has records on the client already.")
        places = self._plan.creates
        parallel: list[Sequence[Any]] = [
            _at(page.ids, places),
            result.ids,
            _at(page.versions, places),
            result.versions,
            _at(page.digests, places),
        ]
        if failed:
            parallel = [_without(values, failed) for values in parallel]
        values = zip(*parallel, repeat(LinkState.CURRENT), strict=False)
        # LinkRow(...) is a function of Python; this makes the same value without it.
        self.new_links.extend(map(partial(tuple.__new__, LinkRow), values))
        self._remember(Action.CREATE, parallel[1], parallel[3])
        self._count(Kind.CREATE, _at(page.ids, places), failed)
        self.outcome.counts.created += len(places) - len(failed)

    def _updated(self, result: BatchResult) -> None:
        page, updates = self._page, self._plan.updates
        for number, update in enumerate(updates):
            if number in result.failed:
                self._keep(update.place)
                continue
            link = LinkRow(
                page.ids[update.place],
                update.client_id,
                page.versions[update.place],
                result.versions[number],
                page.digests[update.place],
            )
            (self.links if update.is_linked else self.new_links).append(link)
        self._remember_updates(result)
        ids = [page.ids[update.place] for update in updates]
        self._count(Kind.UPDATE, ids, result.failed)
        self.outcome.counts.updated += len(updates) - len(result.failed)

    def _keep(self, place: int) -> None:
        # Of an older copy that was accepted no version is agreed on, though it was not written.
        server_id, version = self._page.ids[place], self._page.versions[place]
        link = self._view.links.get(server_id)
        if link is not None and 0 < version < link.server_version:
            self.links.append(link._replace(server_version=0))

    def _remember_updates(self, result: BatchResult) -> None:
        done = [n for n in range(len(self._plan.updates)) if n not in result.failed]
        ids = [self._plan.updates[number].client_id for number in done]
        before = [self._view.records[client_id].row for client_id in ids]
        self._remember(Action.UPDATE, ids, [result.versions[n] for n in done], before)

    def _remember(
        self,
        action: Action,
        ids: Sequence[str],
        versions: Sequence[int],
        before: Sequence[Row] = (),
    ) -> None:
        if ids:
            self.images.append(
                Images(
                    side=Side.CLIENT,
                    action=action,
                    ids=ids,
                    versions=versions,
                    columns=self._layout.columns,
                    before=before,
                )
            )

    def _count(self, kind: Kind, ids: Sequence[str], failed: Mapping[int, Failure]) -> None:
        self.outcome.samples.extend(zip(repeat(kind), ids[:5], strict=False))
        for number, failure in failed.items():
            if failure.kind is FailureKind.CONFLICT:
                self._conflict(ids[number], failure.code, failure.message)
            else:
                self._rejected(ids[number], failure.code, failure.message)

    def _conflict(self, server_id: str, code: str, message: str) -> None:
        self.outcome.counts.conflicts += 1
        self._leave(server_id, code, message)

    def _rejected(self, server_id: str, code: str, message: str) -> None:
        self.outcome.counts.rejected += 1
        self._leave(server_id, code, message)

    def _leave(self, server_id: str, code: str, message: str) -> None:
        self.outcome.left.add(server_id)
        problem = Problem(entity=self._task.name, record=server_id, code=code, message=message)
        self.outcome.problems.append(problem)


def _at(values: Sequence[Item], places: Sequence[int]) -> Sequence[Item]:
    return values if len(places) == len(values) else [values[place] for place in places]


def _without(values: Iterable[Item], failed: Mapping[int, Failure]) -> list[Item]:
    return [value for number, value in enumerate(values) if number not in failed]


def _under(row: Row, client_id: str) -> Row:
    return row if row[0] == client_id else (client_id, *row[1:])
