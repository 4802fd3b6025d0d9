"""Deleting on the client what its links are marked for, last of all, and guarded.

What the pages marked (deleted on the server, left the filter) is deleted where the entity's
settings allow it:

1. the candidates are counted, and the airbag says whether they wait for a person;
2. page by page, each candidate is asked for on the server once more: what is there again is left
   alone and read by id in the next run;
3. the client's record is deleted at the version at which it was looked at, if nobody changed it
   since it was carried, or that change was set aside.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connections.connectors.base import Batch, BatchResult, Failure, FailureKind
from connections.errors import CheckpointExpired, Refused
from organizations.records import Action
from organizations.schema import Attribute
from syncjobs.engine.airbag import Holding, Sample, reason_to_wait, unbelieved
from syncjobs.engine.layout import Layout
from syncjobs.engine.matching import MATCH_KEYS
from syncjobs.engine.plan import (
    ClientRecord,
    Rules,
    Waiting,
    clash,
    is_set_aside,
    is_untouched,
)
from syncjobs.engine.pull import Context
from syncjobs.engine.values import (
    Counts,
    EntityTask,
    Images,
    Kind,
    Leaving,
    LinkRow,
    LinkState,
    Problem,
    Side,
)
from syncjobs.engine.viewing import Viewer

_SAMPLES = 20


@dataclass(slots=True)
class _Page:
    """What is to be done with one page of candidates; lists of links, or their server ids."""

    removals: list[tuple[LinkRow, ClientRecord]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return not (self.removals or self.dropped or self.back)


class Deletion:
    """Deletes what one entity has to delete; `counts` and `samples` tell what came of it."""

    def __init__(self, context: Context, task: EntityTask, unbelieved: Sequence[str] = ()) -> None:
        """`unbelieved` are linked records that a server which named none does not show."""
        self.counts = Counts()
        self.samples: list[tuple[Kind, str]] = []
        self._context, self._task, self._unbelieved = context, task, unbelieved
        self._layout = Layout(task)
        self._viewer = Viewer(
            context.client, context.state, task, self._layout, context.translations
        )
        self._rules = Rules(
            deletes=task.deletes,
            deletes_left=task.deletes and task.leaving is Leaving.DELETE,
            independent=task.name in MATCH_KEYS,
        )

    def run(self) -> None:
        """Delete, or hold. Raises connector errors, Cancelled and LostLease.

        It may be called again after a fault: what was deleted is no candidate any more.
        """
        guard, key = self._context.guard, self._task.key
        approved, declined = set(guard.approved(key)), set(guard.declined(key))
        if approved:
            self._delete(approved)
            guard.carried_out(key)
        free = [
            link.server_id
            for page in self._candidates()
            for link in page
            if link.server_id not in approved and link.server_id not in declined
        ]
        holding = self._holding(free, declined)
        guard.hold(key, holding)
        if holding is not None:
            self._count(Counts(held=len(holding.server_ids)))
        elif free:
            self._delete(set(free))

    def _candidates(self) -> Iterator[Sequence[LinkRow]]:
        size, after = self._context.options.page_size, ""
        while links := self._context.state.marked(self._task.key, after, size):
            after = links[-1].server_id
            yield [link for link in links if self._rules.is_deleted(link)]

    # Holding

    def _holding(self, free: Sequence[str], declined: Collection[str]) -> Holding | None:
        context, name = self._context, self._task.name
        doubted = [item for item in self._unbelieved if item not in declined]
        if not (free or doubted):
            return None
        linked = context.state.count_links(self._task.key)
        recent = context.guard.recent(self._task.key)
        limits = context.guard.limits()
        reason = (
            unbelieved(name, linked)
            if doubted
            else reason_to_wait(name, len(free), recent, linked, limits)
        )
        if not reason:
            return None
        waiting = sorted([*free, *doubted])
        sample = self._sample(waiting[:_SAMPLES])
        return Holding(server_ids=waiting, reason=reason, linked=linked, sample=sample)

    def _sample(self, server_ids: Sequence[str]) -> list[Sample]:
        links = self._context.state.links(self._task.key, server_ids)
        records = self._viewer.records([link.client_id for link in links.values()])
        name = self._task.client.primary_name
        place = self._layout.columns.index(name) if name in self._layout.columns else None
        found = []
        for link in links.values():
            record = records.get(link.client_id)
            value = record.row[place] if record is not None and place is not None else None
            found.append(Sample(link.server_id, str(value or ""), link.state))
        return found

    # Deleting

    def _delete(self, allowed: Collection[str]) -> None:
        for candidates in self._candidates():
            links = [link for link in candidates if link.server_id in allowed]
            if links:
                self._context.reporter.checkpoint()
                self._carry(self._planned(links))

    def _planned(self, links: Sequence[LinkRow]) -> _Page:
        states = self._states([link.server_id for link in links])
        ids = [link.client_id for link in links]
        records = self._viewer.records(ids)
        waiting = self._context.state.waiting(self._task.key, ids)
        unread = set(self._context.state.left_behind(self._task.key))
        untold = self._untold([item for item in ids if item not in records])
        page = _Page()
        for link in links:
            state = states.get(link.server_id, LinkState.SERVER_DELETED)
            record = records.get(link.client_id)
            if not self._rules.is_deleted(link._replace(state=state)):
                page.back.append(link.server_id)
            elif link.client_id in unread:
                continue  # the server has a record of this id, and only its values tell which
            elif record is None and _is_waiting(waiting.get(link.client_id)):
                continue  # its deletion is on the way to the server
            elif state == LinkState.LEFT_FILTER and link.client_id in untold:
                continue  # its deletion is to be collected, and the server has the record
            elif record is None:
                page.dropped.append(link.server_id)
                page.counts.unchanged += 1
            elif is_untouched(record, link) or is_set_aside(record, waiting.get(link.client_id)):
                page.removals.append((link._replace(state=state), record))
            else:
                self._conflict(page, link, "conflict", clash(link, record).message)
        page.back = [item for item in page.back if item not in unread]
        return page

    def _untold(self, client_ids: Collection[str]) -> Collection[str]:
        """Return those of these absent records whose deletion may still be to be collected."""
        since = self._context.collected.get(self._task.key)
        if since is None or not client_ids:
            return ()
        try:
            later = self._context.client.edits([self._task.name], since)
        except CheckpointExpired:
            return ()  # collecting has told of it
        except Refused:
            return client_ids
        told = {edit.id for edit in later.items}
        return told.intersection(client_ids) if later.is_last else client_ids

    def _states(self, server_ids: Sequence[str]) -> Mapping[str, LinkState]:
        """Return what those that are on the server are now."""
        server, entity, query = self._context.server, self._task.server, self._task.query
        page = server.fetch(entity, self._primary, server_ids)
        place = page.columns.index(entity.primary_id)
        there = [str(row[place]) for row in page.rows]
        there += [rejection.id for rejection in page.rejected]
        inside = set(there)
        if query is not None and there:
            inside = server.matching(entity, query, there)
        return {
            item: LinkState.CURRENT if item in inside else LinkState.LEFT_FILTER for item in there
        }

    @property
    def _primary(self) -> tuple[Attribute, ...]:
        found = self._task.server.attribute(self._task.server.primary_id)
        return (found,) if found is not None else ()

    def _carry(self, page: _Page) -> None:
        if page.is_nothing:
            self._report(page)
            return
        state, client, key = self._context.state, self._context.client, self._task.key
        with state.page():
            batch = self._batch(page)
            staged = client.stage(self._task.client, batch) if page.removals else batch
            state.hold()
            if page.removals:
                self._take(page, client.write(self._task.client, staged))
            if page.dropped:
                state.drop_links(key, page.dropped)
            if page.back:
                state.leave_behind(key, page.back)
            self._report(page)

    def _batch(self, page: _Page) -> Batch:
        return Batch(
            action=Action.DELETE,
            columns=self._layout.columns[:1],
            rows=[(link.client_id,) for link, _ in page.removals],
            expected=[record.version for _, record in page.removals],
        )

    def _take(self, page: _Page, result: BatchResult) -> None:
        deleted: list[tuple[LinkRow, ClientRecord]] = []
        for number, (link, record) in enumerate(page.removals):
            failure = result.failed.get(number)
            if failure is None:
                deleted.append((link, record))
            elif _is_gone(failure):
                page.counts.unchanged += 1
                page.dropped.append(link.server_id)
            else:
                self._failed(page, link, failure)
        if deleted:
            self._deleted(page, deleted)

    def _deleted(self, page: _Page, deleted: Sequence[tuple[LinkRow, ClientRecord]]) -> None:
        left = sum(link.state == LinkState.LEFT_FILTER for link, _ in deleted)
        page.counts.left += left
        page.counts.deleted += len(deleted) - left
        page.dropped += [link.server_id for link, _ in deleted]
        self.samples += [(Kind.DELETE, link.server_id) for link, _ in deleted[:5]]
        images = Images(
            side=Side.CLIENT,
            action=Action.DELETE,
            ids=[link.client_id for link, _ in deleted],
            versions=[0] * len(deleted),
            columns=self._layout.columns,
            before=[record.row for _, record in deleted],
        )
        self._context.state.remember(self._task.key, images)

    def _failed(self, page: _Page, link: LinkRow, failure: Failure) -> None:
        if failure.kind is FailureKind.CONFLICT:
            self._conflict(page, link, failure.code, failure.message)
            return
        page.counts.rejected += 1
        self._tell(page, link, failure.code, failure.message)

    def _conflict(self, page: _Page, link: LinkRow, code: str, message: str) -> None:
        page.counts.conflicts += 1
        self._tell(page, link, code, message)

    def _tell(self, page: _Page, link: LinkRow, code: str, message: str) -> None:
        name, record = self._task.name, link.server_id
        page.problems.append(Problem(entity=name, record=record, code=code, message=message))

    def _report(self, page: _Page) -> None:
        for problem in page.problems:
            self._context.reporter.problem(problem)
        self._count(page.counts)

    def _count(self, counts: Counts) -> None:
        self._context.reporter.progress(self._task.name, counts)
        self.counts.add(counts)


def _is_waiting(change: Waiting | None) -> bool:
    return change is not None and not change.is_set_aside


def _is_gone(failure: Failure) -> bool:
    return failure.kind is FailureKind.CONFLICT and failure.version == 0
