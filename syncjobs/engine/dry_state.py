"""The memory of a dry run: what is saved, and over it what the run would have left by now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

from syncjobs.engine.dry_queue import DryQueue
from syncjobs.engine.dry_spool import DrySpool
from syncjobs.engine.plan import Waiting
from syncjobs.engine.planning import Planning
from syncjobs.engine.protocols import IdSpool, State
from syncjobs.engine.transactions import Transaction
from syncjobs.engine.values import Images, LinkRow, LinkState, Position
from syncjobs.errors import AlreadyLinked

_MOST = 200_000
"""Of an entity with more links of this run, only what its deletions need is kept afterwards."""
_CHUNK = 5000


@dataclass(slots=True)
class _Links:
    """The links of one entity that this run would have changed."""

    rows: dict[str, LinkRow] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    forgotten: int = 0


class DryState(State):
    """Reads what the real state holds, and keeps links of this run in memory."""

    def __init__(self, state: State, planning: Planning, queue: DryQueue | None = None) -> None:
        """`state` is only read. A page that ends well is written down by `planning`."""
        self._state, self._planning, self._queue = state, planning, queue
        self._entities: dict[int, _Links] = {}
        self._left: dict[int, set[str]] = {}
        self._latest = 0

    def page(self) -> AbstractContextManager[None]:
        """Open a page of the plan."""
        return self._planning.client_page()

    def hold(self) -> None:
        """Take nothing: there is nothing to protect."""

    def position(self, entity: int) -> Position:
        """Return the saved position."""
        return self._state.position(entity)

    def save_position(self, entity: int, position: Position) -> None:
        """Save nothing; the run itself knows where it is."""

    def has_links(self, entity: int) -> bool:
        """Return whether there is a link."""
        return bool(self._of(entity).rows) or self._state.has_links(entity)

    def links(self, entity: int, server_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        """Return saved links as this run would have left them."""
        ours = self._of(entity)
        saved = self._state.links(entity, server_ids)
        found = {item: link for item, link in saved.items() if item not in ours.dropped}
        for item in server_ids:
            if item in ours.rows:
                found[item] = ours.rows[item]
        return found

    def links_by_client(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        """Return saved links as this run would have left them."""
        ours, wanted = self._of(entity), set(client_ids)
        saved = self._state.links_by_client(entity, client_ids)
        known = ours.rows.keys() | ours.dropped
        found = {item: link for item, link in saved.items() if link.server_id not in known}
        return found | {
            link.client_id: link for link in ours.rows.values() if link.client_id in wanted
        }

    def newest_links(self, entity: int, limit: int) -> Sequence[LinkRow]:
        """Return the saved ones, as this run would have left them."""
        saved = [link.server_id for link in self._state.newest_links(entity, limit)]
        return sorted(self.links(entity, saved).values(), key=lambda link: -link.server_version)

    def save_links(self, entity: int, rows: Sequence[LinkRow], *, new: bool = False) -> None:
        """Keep links in memory. Raises AlreadyLinked like the real state would."""
        ours = self._of(entity)
        if new and any(row.server_id in ours.rows for row in rows):
            raise AlreadyLinked("A record comes twice.")
        ours.rows.update((row.server_id, row) for row in rows)
        ours.dropped.difference_update(row.server_id for row in rows)

    def drop_links(self, entity: int, server_ids: Iterable[str]) -> None:
        """Remember that these links would be gone."""
        ours = self._of(entity)
        for item in server_ids:
            ours.rows.pop(item, None)
            ours.dropped.add(item)

    def follow(self, entity: int, versions: Mapping[str, tuple[int, int]]) -> None:
        """Keep followed links in memory."""
        found = self.links_by_client(entity, list(versions))
        followed = [
            link._replace(client_version=versions[item][1])
            for item, link in found.items()
            if link.client_version == versions[item][0]
        ]
        self.save_links(entity, followed)

    def marked(self, entity: int, after: str, limit: int) -> Sequence[LinkRow]:
        """Return links as this run would have marked them."""
        ours = self._of(entity)
        found: dict[str, LinkRow] = {}
        last = after
        while len(found) < limit:
            saved = self._state.marked(entity, last, limit)
            known = ours.rows.keys() | ours.dropped
            found |= {link.server_id: link for link in saved if link.server_id not in known}
            if len(saved) < limit:
                break
            last = saved[-1].server_id
        for item, link in ours.rows.items():
            if item > after and link.state != LinkState.CURRENT:
                found[item] = link
        return [found[item] for item in sorted(found)[:limit]]

    def spool(self, entity: int) -> IdSpool:
        """Return a spool that compares with the links as they would be."""
        ours = self._of(entity).rows
        return DrySpool(self._state.spool(entity), partial(self.links, entity), ours)

    def count_links(self, entity: int) -> int:
        """Return how many records would be linked."""
        ours = self._of(entity)
        changed = [*ours.rows, *ours.dropped]
        saved = sum(
            len(self._state.links(entity, changed[start : start + _CHUNK]))
            for start in range(0, len(changed), _CHUNK)
        )
        return self._state.count_links(entity) - saved + len(ours.rows) + ours.forgotten

    def waiting(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, Waiting]:
        """Return what would be waiting by now."""
        saved = self._state.waiting(entity, client_ids)
        return saved if self._queue is None else self._queue.waiting(entity, client_ids, saved)

    def count_waiting(self, entity: int) -> int:
        """Return how many changes would be waiting by now."""
        saved = self._state.count_waiting(entity)
        return saved if self._queue is None else saved + self._queue.growth(entity)

    def waiting_pairs(self, entity: int) -> Sequence[Transaction]:
        """Return the pairs that would be waiting by now."""
        saved = self._state.waiting_pairs(entity)
        return saved if self._queue is None else self._queue.pairs(entity, saved)

    def remember(self, entity: int, images: Images) -> None:
        """Keep nothing."""

    def left_behind(self, entity: int) -> Iterable[str]:
        """Return what would be left behind by now."""
        return self._left_of(entity)

    def leave_behind(self, entity: int, server_ids: Sequence[str]) -> None:
        """Remember them for this run."""
        self._left_of(entity).update(server_ids)

    def catch_up(self, entity: int, server_ids: Sequence[str]) -> None:
        """Forget them for this run."""
        self._left_of(entity).difference_update(server_ids)

    def translations(self, entities: Iterable[str]) -> Mapping[tuple[str, str], str]:
        """Return saved translations."""
        return self._state.translations(entities)

    def _left_of(self, entity: int) -> set[str]:
        if entity not in self._left:
            self._left[entity] = set(self._state.left_behind(entity))
        return self._left[entity]

    def _of(self, entity: int) -> _Links:
        if entity != self._latest:
            before = self._entities.get(self._latest)
            if before is not None and len(before.rows) > _MOST:
                self._forget(self._latest, before)
            self._latest = entity
        return self._entities.setdefault(entity, _Links())

    def _forget(self, entity: int, ours: _Links) -> None:
        """Keep what is marked, and what is no longer marked; count the rest that is new."""
        for chunk in _chunks(list(ours.rows)):
            saved = self._state.links(entity, chunk)
            for item in chunk:
                if ours.rows[item].state != LinkState.CURRENT:
                    continue
                if item not in saved:
                    ours.forgotten += 1
                    del ours.rows[item]
                elif saved[item].state == LinkState.CURRENT:
                    del ours.rows[item]


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
