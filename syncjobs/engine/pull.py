"""One entity, server to client, page by page (design 4.5)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial

from connections.connectors.base import Connector
from connections.connectors.paging import ReadAhead
from connections.errors import CheckpointExpired, Retryable
from syncjobs.engine.airbag import Alone, Guard, unbelieved
from syncjobs.engine.apart import ReadApart
from syncjobs.engine.compare import Comparison
from syncjobs.engine.emptiness import is_believed
from syncjobs.engine.layout import Layout
from syncjobs.engine.matching import MATCH_KEYS
from syncjobs.engine.plan import Incoming, PagePlan, Rules, View, plan_page
from syncjobs.engine.protocols import Reporter, State
from syncjobs.engine.reading import Reader, as_it_is
from syncjobs.engine.retrying import Patience
from syncjobs.engine.starting import Start, older_record
from syncjobs.engine.translation import Translations, Translator
from syncjobs.engine.values import (
    Counts,
    EntityTask,
    Kind,
    Leaving,
    Options,
    Position,
    Problem,
)
from syncjobs.engine.viewing import Viewer
from syncjobs.engine.writing import Outcome, Writer
from syncjobs.errors import AlreadyLinked, Unmatched

_SAMPLES = 20
_CAME_LATE = (
    "Records of '{name}' came after they were matched with the client's. The next run matches them."
)
Pages = Generator[Incoming, None, None] | ReadApart[Incoming] | ReadAhead[Incoming]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What all entities of one run share.

    `translations` and `looked_at` grow while entities are matched: the latter names the records
    of the server that were looked at, by entity. `collected` tells up to which version of the
    client the changes of an entity are known.
    """

    server: Connector
    client: Connector
    state: State
    reporter: Reporter
    translations: Translations
    options: Options
    start: Start
    guard: Guard = field(default_factory=Alone)
    full: bool = False
    collected: Mapping[int, int] = field(default_factory=dict)
    looked_at: Mapping[str, AbstractSet[str]] = field(default_factory=dict)


class Pull:
    """Carries one entity; `counts` and `samples` tell how far it has come.

    1. the pages of the server: all of them, or what changed since the checkpoint;
    2. with Sync Deletion or a volatile filter, what a comparison of ids finds (design 5.1.8);
    3. what earlier runs left behind.

    `unbelieved` are linked records that are not to be found on a server which named none in the
    comparison: those are not marked.

    Nothing is deleted here; what is to be is marked on its link, for the deletions that follow.

    A fault that passes starts it again after the last page that was committed. Reading can begin
    before the entity's turn comes.
    """

    def __init__(self, context: Context, task: EntityTask, position: Position) -> None:
        """`position` is where to begin, as `Start` found it."""
        self.counts = Counts()
        self.samples: list[tuple[Kind, str]] = []
        self._context, self._task, self._position = context, task, position
        state, client = context.state, context.client
        layout = Layout(task)
        translator = Translator(task, layout, context.translations)
        self._reader = Reader(context.server, task, layout, translator)
        self._render = partial(client.render, task.client, layout.columns)
        collected = context.collected.get(task.key)
        self._viewer = Viewer(
            client, state, task, layout, context.translations, collected=collected
        )
        limit = context.options.left_behind_limit
        self._writer = Writer(client, state, context.reporter, task, layout, limit=limit)
        self._rules = Rules(
            deletes=task.deletes,
            deletes_left=task.deletes and task.leaving is Leaving.DELETE,
            independent=task.name in MATCH_KEYS,
            any_version=context.full,
        )
        self.unbelieved: list[str] = []
        self._comparison = Comparison(
            context.server, state, context.reporter, task, context.options
        )
        self._left = set(state.left_behind(task.key))
        self._tried: set[str] = set()
        self._was_fresh = False
        self._is_quiet = not position.resume
        self._is_read = False
        self._pages = 0
        self._expiries = 0
        self._begun: Pages | None = None

    def begin(self) -> None:
        """Begin to read now; `run` takes it from there, or `close` ends it."""
        self._begun = self._ahead(self._source())

    def close(self) -> None:
        """End a reading that was begun and not taken."""
        if self._begun is not None:
            self._begun.close()
            self._begun = None

    def run(self) -> None:
        """Carry the entity to its end.

        Raises what ends it: Retryable after too many attempts, CheckpointExpired again and
        again, Refused, MetadataChanged, ServerChanged, Cancelled, LostLease.
        """
        patience = Patience(self._context.options)
        while True:
            pages = self._pages
            try:
                self._carry()
                return
            except Retryable as error:
                patience.wait(error, moved=self._pages > pages)
            except CheckpointExpired as error:
                self._begin_again(error)
            except AlreadyLinked:
                if not self._is_fresh:
                    raise
                self._position = replace(self._position, fresh=False)

    def _carry(self) -> None:
        if not self._is_read:
            self._read()
        if not self._is_proved():
            self._compare()
        self._carry_left_behind()

    def _read(self) -> None:
        begun, self._begun = self._begun, None
        with closing(begun or self._ahead(self._source())) as pages:
            for page in pages:
                self._is_quiet = self._is_quiet and _is_nothing(page)
                self._was_fresh = self._is_fresh
                if self._unmatched(page.ids):
                    raise Unmatched(_CAME_LATE.format(name=self._task.name))
                is_kept = self._is_empty(page) and not self._is_believed()
                self._carry_page(page, None if is_kept else self._position_after(page))
                self._is_read = page.resume is None and page.checkpoint is not None
        if not self._is_read:
            raise Retryable(f"The server broke off its answer on '{self._task.name}'.")

    def _is_empty(self, page: Incoming) -> bool:
        """Return whether a full reading comes to nothing with this page."""
        is_whole = self._position.full and not self._position.resume
        is_last = page.resume is None and page.checkpoint is not None
        return is_whole and is_last and _is_nothing(page)

    def _is_believed(self) -> bool:
        context, task = self._context, self._task
        size = context.options.page_size
        if is_believed(context.state, self._reader, task, page_size=size):
            return True
        message = unbelieved(task.name, context.state.count_links(task.key))
        context.reporter.problem(
            Problem(entity=task.name, record="", code="empty-answer", message=message)
        )
        return False

    def _source(self) -> Generator[Incoming, None, None]:
        position, size = self._position, self._context.options.page_size
        if position.full:
            # Only of a first load is it known that every record will be written.
            render = self._render if self._is_fresh else as_it_is
            return self._reader.everything(resume=position.resume, page_size=size, render=render)
        return self._reader.changes(since=position.token, resume=position.resume, page_size=size)

    def _ahead(self, pages: Generator[Incoming, None, None]) -> Pages:
        server = self._context.server
        # An organization hosted here is read over this thread's own database connection.
        if server.is_local or not self._context.options.read_ahead:
            return pages
        # A process pays off only where many pages come.
        is_long = self._position.full and server.reads_apart
        return ReadApart(pages) if is_long else ReadAhead(pages)

    @property
    def _is_fresh(self) -> bool:
        return self._position.fresh and self._position.full

    def _position_after(self, page: Incoming) -> Position | None:
        """Return the position after a page, or None where it does not move.

        It does not move if the answer broke off, nor if nothing changed: an idle run writes
        nothing. But a token is renewed before it becomes old enough to expire.
        """
        high_water = max(self._position.high_water, max(page.versions, default=0))
        position = replace(self._position, high_water=high_water)
        if page.resume is not None:
            return replace(position, resume=page.resume)
        if page.checkpoint is None or (not position.full and self._is_quiet and self._is_recent()):
            return None
        return replace(
            position,
            token=page.checkpoint,
            resume="",
            full=False,
            fresh=False,
            compared=position.compared or self._is_fresh,
            completed=self._context.options.clock(),
        )

    def _is_recent(self) -> bool:
        completed, options = self._position.completed, self._context.options
        return completed is not None and options.clock() - completed < options.refresh

    def _begin_again(self, error: CheckpointExpired) -> None:
        # An incremental reading that cannot be resumed is read again since its checkpoint: a
        # full one would not see what was deleted. But only once: the checkpoint itself may have
        # expired, and a server may tell so only after the first pages.
        self._expiries += 1
        if self._expiries > 2:
            raise error
        if self._expiries == 1 and self._position.resume and not self._position.full:
            self._position = replace(self._position, resume="")
            return
        self._position = self._context.start.beginning(self._task, self._position.scope)
        self._is_quiet = False

    def _is_proved(self) -> bool:
        """Return whether the pages alone tell what is inside (see `compare`)."""
        if self._was_fresh:
            return True
        if self._task.is_volatile:
            return False
        is_told = self._context.server.tells_all and self._position.compared
        return is_told or not self._task.sync_deletion

    def _compare(self) -> None:
        found, self.unbelieved = self._comparison, []
        found.read()
        for ids in found.entered():
            self._carry_entered([item for item in ids if item not in self._tried])
        for ids in found.missing():
            self._carry_by_id(ids, is_missing=True)
        is_told = not (self.unbelieved or self._position.full)
        if is_told and not self._position.compared:
            self._save_compared()

    def _carry_entered(self, ids: Sequence[str]) -> None:
        """Carry what entered the filter; whom nobody matched is matched and carried next time."""
        if unmatched := self._unmatched(ids):
            with self._context.state.page():
                self._context.state.hold()
                self._context.state.leave_behind(self._task.key, sorted(unmatched))
        self._carry_by_id([item for item in ids if item not in unmatched])

    def _unmatched(self, ids: Sequence[str]) -> AbstractSet[str]:
        """Return those that nobody tried to match with the client's: they may exist there."""
        name, context = self._task.name, self._context
        looked_at = context.looked_at.get(name)
        if looked_at is None or self._is_fresh:
            return frozenset()
        unknown = [item for item in ids if item not in looked_at]
        links = context.state.links(self._task.key, unknown) if unknown else {}
        return {item for item in unknown if item not in links}

    def _carry_by_id(self, ids: Sequence[str], *, is_missing: bool = False) -> None:
        if not ids:
            return
        page = self._reader.by_id(ids)
        # Only of what a complete list did not name, being absent too proves the deletion.
        gone = page.absent if is_missing else ()
        if gone and not self._comparison.named:
            self.unbelieved += gone
            gone = ()
        self._carry_page(replace(page, deleted=gone, absent=()), None)

    def _save_compared(self) -> None:
        self._position = replace(self._position, compared=True)
        with self._context.state.page():
            self._context.state.hold()
            self._context.state.save_position(self._task.key, self._position)

    def _carry_left_behind(self) -> None:
        """Carry what earlier runs left behind, by id."""
        waiting = sorted(self._left - self._tried)
        size = self._context.options.page_size
        for start in range(0, len(waiting), size):
            self._carry_page(self._reader.by_id(waiting[start : start + size]), None)

    def _carry_page(self, page: Incoming, position: Position | None) -> None:
        self._context.reporter.checkpoint()
        outcome = self._planned_and_written(page, position)
        self._position = position or self._position
        self._take(page, outcome)

    def _planned_and_written(self, page: Incoming, position: Position | None) -> Outcome:
        view = View(fresh=True) if self._is_fresh else self._viewer.view(page)
        plan = plan_page(view, page, self._rules)
        if plan.older:
            self._check_older(page, plan, view)
        return self._writer.carry(page, plan, view, position=position, left=self._left)

    def _check_older(self, page: Incoming, plan: PagePlan, view: View) -> None:
        # The page may merely be older than what was fetched by id meanwhile: ask again.
        ids: Sequence[str] = [page.ids[place] for place in plan.older]
        versions = {item: view.links[item].server_version for item in ids}
        older_record(self._context.server, self._task, versions)

    def _take(self, page: Incoming, outcome: Outcome) -> None:
        seen = {*page.ids, *page.deleted, *page.absent} if self._left else set()
        self._left = (self._left - seen) | outcome.left
        self._tried |= outcome.left
        self._pages += 1
        self.counts.add(outcome.counts)
        self.samples += outcome.samples[: _SAMPLES - len(self.samples)]


def _is_nothing(page: Incoming) -> bool:
    return not (page.ids or page.deleted or page.rejected)
