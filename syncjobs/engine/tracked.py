"""Advanced Sync Deletion: what the server recorded itself (design 5.1.7, mode `tracked`).

1. The records of the tracking entity are read since its checkpoint; they are not copied.
2. Of a deletion or a removed pair the link is marked, once the server confirms that it is gone.
3. A record with a new owner is asked for: where we cannot see it any more, its link is marked as
   having left; else it is read again by id with its entity.
4. Only what happened after tracking began is recorded. So the ids of an entity are compared once
   when more of it is tracked than before, and when the records have to be read anew.

Nothing is deleted here: the deletions that follow go by the marks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from connections.connectors.base import ReadRequest, Tracking
from connections.errors import CheckpointExpired, Retryable
from organizations.records import Page
from syncjobs.engine.pull import Context
from syncjobs.engine.retrying import Patience
from syncjobs.engine.values import Counts, EntityTask, LinkRow, LinkState, Position


class Tracked:
    """Reads the tracking entity of one run; `counts` tell how far it has come."""

    def __init__(self, context: Context, task: EntityTask, tasks: Sequence[EntityTask]) -> None:
        """`task` is the tracking entity's, `tasks` are all of the run."""
        self.counts = Counts()
        self._context, self._task = context, task
        self._tasks = {item.name: item for item in tasks if item.is_tracked}
        self._due: set[str] = set()

    def run(self) -> None:
        """Read to the end. Raises what ends an entity, Refused, Cancelled and LostLease."""
        patience = Patience(self._context.options)
        expired = False
        while True:
            read = self.counts.read
            try:
                self._read(self._begin(anew=expired))
                return
            except Retryable as error:
                patience.wait(error, moved=self.counts.read > read)
            except CheckpointExpired:
                if expired:
                    raise
                expired = True

    def compared_once(self, tasks: Sequence[EntityTask]) -> list[EntityTask]:
        """Return the tasks, with Sync Deletion for those whose ids are to be compared now."""
        state = self._context.state
        return [
            replace(task, sync_deletion=True)
            if task.is_tracked and (task.name in self._due or not state.position(task.key).compared)
            else task
            for task in tasks
        ]

    def _begin(self, *, anew: bool) -> Position:
        start, reporter = self._context.start, self._context.reporter
        position = start.position(self._task, full=self._context.full)
        if anew:
            position = start.beginning(self._task, position.scope)
        reporter.entity_started(self._task.name, full=position.full, expected=None)
        if position.full and not position.resume:
            self._compare(self._tasks)
        return position

    def _read(self, position: Position) -> None:
        request = ReadRequest(
            entity=self._task.server,
            attributes=self._task.server.attributes,
            since=None if position.full else position.token,
            resume=position.resume or None,
            page_size=self._context.options.page_size,
        )
        ended = False
        for page in self._context.server.read(request):
            self._context.reporter.checkpoint()
            position = self._carry(page, position)
            ended = page.checkpoint is not None
        if not ended:
            raise Retryable(f"The server broke off its answer on '{self._task.name}'.")

    def _carry(self, page: Page, position: Position) -> Position:
        told = self._context.server.tracking(page)
        self._own(told.owners)
        self._delete(told.deleted)
        following = self._following(page, position, told)
        counts = Counts(read=len(page.rows))
        if following != position:
            state = self._context.state
            with state.page():
                state.hold()
                state.save_position(self._task.key, following)
                self._context.reporter.progress(self._task.name, counts)
        self.counts.add(counts)
        return following

    def _following(self, page: Page, position: Position, told: Tracking) -> Position:
        """Return the position after a page; it stays where nothing was told, as in `pull`."""
        following = replace(
            position,
            tracked=self._covered(position.tracked, told),
            high_water=max(position.high_water, max(page.versions, default=0)),
        )
        if page.resume is not None:
            return replace(following, resume=page.resume)
        options, completed = self._context.options, position.completed
        is_recent = completed is not None and options.clock() - completed < options.refresh
        if not page.rows and not position.full and not position.resume and is_recent:
            return following
        return replace(
            following,
            token=page.checkpoint or "",
            resume="",
            full=False,
            fresh=False,
            completed=options.clock(),
        )

    def _covered(self, known: str, told: Tracking) -> str:
        """Return what is tracked now; entities of which more is tracked are compared once."""
        since, covered = json.loads(known) if known else (0, [])
        if told.covered is None or told.since <= since:
            return known
        more = {item.partition(" ")[0] for item in told.covered - set(covered)}
        self._compare(more & self._tasks.keys())
        return json.dumps([told.since, sorted(told.covered)])

    def _compare(self, names: Iterable[str]) -> None:
        """Let these be compared, in the next run too if this one does not come to it."""
        state = self._context.state
        for name in names:
            self._due.add(name)
            task = self._tasks[name]
            position = state.position(task.key)
            if position.compared:
                with state.page():
                    state.hold()
                    state.save_position(task.key, replace(position, compared=False))

    def _delete(self, deleted: Mapping[str, Sequence[str]]) -> None:
        for task, ids in self._of_tasks(deleted):
            links = self._context.state.links(task.key, ids)
            marked = [item for item in links.values() if item.state != LinkState.SERVER_DELETED]
            there = self._there(task, [link.server_id for link in marked])
            gone = [link for link in marked if link.server_id not in there]
            self._mark(task, gone, LinkState.SERVER_DELETED)

    def _own(self, owners: Mapping[str, Sequence[str]]) -> None:
        for task, ids in self._of_tasks(owners):
            there = self._there(task, ids)
            links = self._context.state.links(task.key, ids).values()
            unseen = [link for link in links if link.server_id not in there]
            current = [link for link in unseen if link.state == LinkState.CURRENT]
            self._mark(task, current, LinkState.LEFT_FILTER)
            if there:
                with self._context.state.page():
                    self._context.state.hold()
                    self._context.state.leave_behind(task.key, sorted(there))

    def _of_tasks(
        self, told: Mapping[str, Sequence[str]]
    ) -> Iterator[tuple[EntityTask, Sequence[str]]]:
        for name, ids in told.items():
            if name in self._tasks:
                yield self._tasks[name], list(dict.fromkeys(ids))

    def _there(self, task: EntityTask, ids: Sequence[str]) -> set[str]:
        """Return those of the ids that the server shows us now."""
        if not ids:
            return set()
        primary = task.server.attribute(task.server.primary_id)
        page = self._context.server.fetch(task.server, (primary,) if primary else (), ids)
        place = page.columns.index(task.server.primary_id)
        found = {str(row[place]) for row in page.rows}
        return found | {rejection.id for rejection in page.rejected}

    def _mark(self, task: EntityTask, links: Sequence[LinkRow], state: LinkState) -> None:
        if links:
            with self._context.state.page():
                self._context.state.hold()
                marked = [link._replace(state=state) for link in links]
                self._context.state.save_links(task.key, marked)
