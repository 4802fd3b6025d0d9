"""The client's changes, from its log into transactions that wait for the server (design 4.3).

1. Read the log of all entities in pages, from where each was read last: the entity least far
   leads, and what the others have already is left out.
2. Translate each edit into a change of its record (`editing`), by the link of the record.
3. Fold the changes into what waits (`folding`); what is as it was when it was last carried, and
   is not on its way, is set aside.
4. Save transactions and position in one page, if nobody else collected meanwhile.

Our own writes are no edits: the client leaves out what has our origin (design 5.1.4). A record
made on the client is delivered even if the sync filter would not let it in: the filter says what
the client gets, not what it may give.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from connections.connectors.base import Connector, Edit, Edits
from connections.errors import (
    CheckpointExpired,
    LoginFailed,
    Refused,
    Retryable,
    Unreachable,
)
from organizations import records
from syncjobs.engine.editing import Editing
from syncjobs.engine.folding import fold, is_attempted, set_aside
from syncjobs.engine.order import CARRIED_BY_OWNER
from syncjobs.engine.plan import ClientRecord
from syncjobs.engine.protocols import Queue, Reporter, State
from syncjobs.engine.retrying import ENTITY_ERRORS, Patience
from syncjobs.engine.transactions import Action, Transaction
from syncjobs.engine.values import (
    NOT_TOLD,
    NOTHING_AGREED,
    EntityTask,
    LinkRow,
    LinkState,
    Options,
    Problem,
    Side,
)

FAR = 10_000
"""After so many versions without an edit the position is saved, so that they are read once."""

AS_CARRIED = "The record is again as it was when it was last carried."

_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where changes come from and where they go.

    `full`: a log that does not reach back is accepted, and collecting begins anew at its end.
    """

    client: Connector
    state: State
    queue: Queue
    reporter: Reporter
    options: Options
    full: bool = False


def collect(source: Source, tasks: Sequence[EntityTask]) -> Mapping[str, str]:
    """Collect what these entities' records went through; return which failed, and why.

    May be stopped anywhere, repeated, or run twice at once: each edit is collected once. A client
    that keeps no log is reported once, and nothing is collected. Raises LoginFailed, Unreachable,
    Cancelled, LostLease.
    """
    wanted = [task for task in tasks if task.name not in CARRIED_BY_OWNER]
    if not wanted:
        return {}
    try:
        return _attempt(source, wanted)
    except (LoginFailed, Unreachable):
        raise
    except Refused as error:
        _tell(source.reporter, "", error)
        return {}


def _attempt(source: Source, tasks: Sequence[EntityTask]) -> Mapping[str, str]:
    try:
        _Collecting(source, tasks).run()
    except ENTITY_ERRORS as error:
        if len(tasks) > 1 and not isinstance(error, Retryable):
            return {name: why for task in tasks for name, why in _attempt(source, [task]).items()}
        for task in tasks:
            _tell(source.reporter, task.name, error)
        return {task.name: str(error) for task in tasks}
    return {}


def _tell(reporter: Reporter, entity: str, error: Exception) -> None:
    code = getattr(error, "code", "") or type(error).__name__
    reporter.problem(Problem(entity=entity, record="", code=code, message=str(error)))


class _Moved(Exception):
    """Somebody else collected meanwhile."""


@dataclass(slots=True)
class _Work:
    """The edits of one entity in a page, and what they need to become changes."""

    editing: Editing
    edits: list[Edit] = field(default_factory=list)
    links: Mapping[str, LinkRow] = field(default_factory=dict)
    records: Mapping[str, ClientRecord] = field(default_factory=dict)


class _Collecting:
    def __init__(self, source: Source, tasks: Sequence[EntityTask]) -> None:
        self._source = source
        self._tasks = {task.name: task for task in tasks}
        self._editing = {task.name: Editing(task) for task in tasks}
        self._keys = [task.key for task in tasks]
        self._saved: Mapping[int, int] = {}
        self._positions: dict[int, int] = {}

    def run(self) -> None:
        """Collect to the end of the log; raises what ends it."""
        patience, is_last, moved = Patience(self._source.options), False, False
        self._find_positions()
        while not is_last:
            try:
                is_last, moved = self._page(), True
            except _Moved:
                self._find_positions()
            except CheckpointExpired as error:
                self._begin_anew(error)
            except Retryable as error:
                patience.wait(error, moved=moved)
                moved = False
            self._source.reporter.checkpoint()

    def _find_positions(self) -> None:
        queue = self._source.queue
        self._saved = queue.collected(self._keys)
        self._positions = dict(self._saved)
        if len(self._saved) < len(self._keys):
            first = self._source.client.version_at(queue.connected)
            self._positions = dict.fromkeys(self._keys, first) | self._positions

    def _begin_anew(self, error: CheckpointExpired) -> None:
        """Go on at the end of the log, if a person wants that; what was before is not known."""
        source = self._source
        if not source.full:
            raise error
        _tell(source.reporter, "", error)
        last = source.client.version_at(_FOREVER)
        with source.state.page():
            source.state.hold()
            source.queue.save_collected(self._keys, last)
        self._find_positions()

    def _page(self) -> bool:
        since = min(self._positions.values())
        size = self._source.options.page_size
        told = self._source.client.edits(self._tasks.keys(), since, limit=size)
        works = self._works(told.items)
        if works or self._is_far(told):
            self._save(works, told.until)
        self._positions = {
            key: max(version, told.until) for key, version in self._positions.items()
        }
        return told.is_last

    def _is_far(self, told: Edits) -> bool:
        if len(self._saved) < len(self._keys):
            return told.is_last
        return told.until - min(self._saved.values()) > FAR

    def _works(self, edits: Sequence[Edit]) -> list[_Work]:
        works: dict[str, _Work] = {}
        for edit in edits:
            if edit.version > self._positions[self._tasks[edit.entity].key]:
                work = works.setdefault(edit.entity, _Work(self._editing[edit.entity]))
                work.edits.append(edit)
        for work in works.values():
            self._look(work)
        return list(works.values())

    def _look(self, work: _Work) -> None:
        """Find links, and what the client has now of records that were not just made.

        Outside of all locks.
        """
        task, client = work.editing.task, self._source.client
        ids = list(dict.fromkeys(edit.id for edit in work.edits))
        work.links = self._source.state.links_by_client(task.key, ids)
        made = {edit.id for edit in work.edits if edit.action is records.Action.CREATE}
        unlinked = made - work.links.keys()
        waiting = self._source.queue.of_records(task.key, sorted(unlinked)) if unlinked else {}
        older = [item for item in ids if item not in unlinked or item in waiting]
        if older and not task.server.is_intersect:
            layout = work.editing.layout
            page = client.fetch(task.client, layout.client_attributes, older)
            rows = layout.align(page)
            found = map(ClientRecord, page.versions, layout.digests(rows), rows)
            work.records = dict(zip((str(row[0]) for row in rows), found, strict=True))

    def _save(self, works: Sequence[_Work], until: int) -> None:
        state, queue = self._source.state, self._source.queue
        with state.page():
            state.hold()
            if queue.collected(self._keys, hold=True) != self._saved:
                raise _Moved
            changes = _Changes()
            for work in works:
                self._fold(work, changes)
            changes.save(queue)
            for key, versions in changes.followed.items():
                self._follow(key, versions)
            behind = [key for key in self._keys if self._saved.get(key, -1) < until]
            queue.save_collected(behind, until)
        self._saved = dict(self._saved) | dict.fromkeys(behind, until)

    def _follow(self, key: int, versions: Mapping[str, tuple[int, int]]) -> None:
        """Let links follow; where nothing told what the client has, the next pull compares it."""
        state = self._source.state
        state.follow(key, versions)
        untold = [item for item, (was, _) in versions.items() if was == NOT_TOLD]
        links = state.links_by_client(key, untold).items() if untold else ()
        moved = [link for item, link in links if link.client_version == versions[item][1]]
        if moved:
            state.save_links(key, [link._replace(digest=NOTHING_AGREED) for link in moved])
            state.leave_behind(key, [link.server_id for link in moved])

    def _fold(self, work: _Work, changes: _Changes) -> None:
        key, of_record = work.editing.task.key, defaultdict[str, list[Edit]](list)
        for edit in work.edits:
            of_record[edit.id].append(edit)
        waiting = self._source.queue.of_records(key, list(of_record))
        for record_id, edits in of_record.items():
            link = work.links.get(record_id)
            before = tuple(waiting.get(record_id, ()))
            after = self._folded(work.editing, edits, link, before, changes)
            record = work.records.get(record_id)
            is_back = any(edit.action is records.Action.CREATE for edit in edits)
            # A person may want a deletion of what is there by now; a later change takes it back.
            is_back |= any(item.action is Action.DELETE for item in before)
            if after and record is not None and (is_back or after[-1].action is Action.CREATE):
                after = (*after[:-1], _told(after[-1], record, work.editing))
            if after and link is not None and _is_as_carried(after, link, record):
                changes.archived.append(set_aside(after[0], AS_CARRIED))
                after = ()
            changes.take(before, after)
            is_saved = edits[-1].action is records.Action.UPDATE
            if link is not None and is_saved and not _is_of_record(after):
                changes.followed[key][record_id] = (link.client_version, edits[-1].version)

    def _folded(
        self,
        editing: Editing,
        edits: Sequence[Edit],
        link: LinkRow | None,
        waiting: tuple[Transaction, ...],
        changes: _Changes,
    ) -> tuple[Transaction, ...]:
        for edit in edits:
            change = editing.change(edit, link, is_waiting=bool(waiting))
            if isinstance(change, Problem):
                self._source.reporter.problem(change)
                continue
            if change is not None:
                folded = fold(waiting, change, is_linked=link is not None)
                waiting = folded.waiting
                changes.archived += folded.archived
            if edit.action is records.Action.UPDATE and _is_of_record(waiting):
                # Saved without a change, or put back: what waits is what the record is now, too.
                waiting = (*waiting[:-1], replace(waiting[-1], version=edit.version))
        return waiting


@dataclass(slots=True)
class _Changes:
    """What a page does to the queue. What never was in it is not set aside, it is nothing.

    `followed` are records that were written without anything to deliver: their links' client
    versions and theirs, by entity and client id. Without that, a change of the server would meet
    them as a conflict about which nobody can be asked.
    """

    added: list[Transaction] = field(default_factory=list)
    changed: list[Transaction] = field(default_factory=list)
    archived: list[Transaction] = field(default_factory=list)
    followed: dict[int, dict[str, tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def take(self, before: Sequence[Transaction], after: Sequence[Transaction]) -> None:
        """Take a record's waiting transactions as they were and as they are."""
        known = {item.id: item for item in before}
        self.added += [item for item in after if not item.id]
        self.changed += [item for item in after if item.id and item != known[item.id]]

    def save(self, queue: Queue) -> None:
        """Write it to the queue."""
        if self.added:
            queue.add(sorted(self.added, key=lambda item: item.first_version))
        if self.changed:
            queue.save(self.changed, "The record was changed again on the client.")
        reasons = defaultdict[str, list[Transaction]](list)
        for item in self.archived:
            if item.id:
                reasons[item.message].append(item)
        for why, items in reasons.items():
            queue.save(items, why)


def _is_of_record(waiting: Sequence[Transaction]) -> bool:
    """Return whether what waits is a change of a record that the client has."""
    if not waiting or waiting[-1].side is Side.SERVER:
        return False
    return waiting[-1].action is not Action.DELETE


def _told(waiting: Transaction, record: ClientRecord, editing: Editing) -> Transaction:
    """Return the change of which no columns are known with all that the client has.

    It is of a record that was gone and is back, or that is sent whole. A person may set it aside,
    and then the server's record replaces the client's.
    """
    is_unknown = waiting.action in (Action.CREATE, Action.UPDATE) and waiting.changes is None
    if not is_unknown or is_attempted(waiting):
        return waiting
    whole = editing.whole(record.row)
    if waiting.action is Action.CREATE:
        whole = {name: pair for name, pair in whole.items() if pair.new is not None}
    return replace(waiting, changes=whole)


def _is_as_carried(
    waiting: Sequence[Transaction], link: LinkRow, record: ClientRecord | None
) -> bool:
    """Return whether the only change that waits came to nothing, and the server never saw it.

    Only if the record was not changed again since: what is in the log later is collected later.
    """
    only = waiting[0]
    return (
        len(waiting) == 1
        and only.action is Action.UPDATE
        and not is_attempted(only)
        and link.state == LinkState.CURRENT
        and record is not None
        and record.version == only.version
        and record.digest == link.digest
    )
