"""The engine's memory in memory, with transactions that can be broken anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from connections.connectors.memory import MemoryOrganization
from syncjobs.chaos.memory_spool import MemoryIds
from syncjobs.engine.plan import Waiting
from syncjobs.engine.protocols import IdSpool, State
from syncjobs.engine.transactions import Action, Transaction
from syncjobs.engine.values import Images, LinkRow, LinkState, Position
from syncjobs.errors import AlreadyLinked, LostLease


class Crash(BaseException):
    """The process dies here: nothing catches it, nothing is cleaned up by the engine."""


class OutsidePage(AssertionError):
    """The engine wrote where it must not: outside a page, or without the lease."""


class Part(Protocol):
    """What commits, or rolls back, together with a page."""

    def keep(self) -> Callable[[], None]:
        """Return what puts everything back as it is now."""


class Line(Protocol):
    """A queue, as far as the state tells of it."""

    def waiting(self, entity: int, client_ids: Iterable[str]) -> Mapping[str, Waiting]:
        """Return the newest undelivered change of each of these records."""

    def undelivered(self, entity: int) -> Sequence[Transaction]:
        """Return all of an entity that were not delivered, oldest first."""


@dataclass
class Saved:
    """What survives a crash. `fence` is that of the worker that has the run.

    `writes` counts what was written, rolled back or not; `is_open`: a page is open now.
    """

    positions: dict[int, Position] = field(default_factory=dict)
    links: dict[int, dict[str, LinkRow]] = field(default_factory=dict)
    left: dict[int, set[str]] = field(default_factory=dict)
    images: list[tuple[int, Images]] = field(default_factory=list)
    fence: int = 0
    writes: int = 0
    is_open: bool = False
    is_held: bool = False

    def keep(self) -> Callable[[], None]:
        """Return what puts everything back as it is now."""
        positions = dict(self.positions)
        links = {key: dict(links) for key, links in self.links.items()}
        left = {key: set(left) for key, left in self.left.items()}
        count = len(self.images)

        def restore() -> None:
            self.positions, self.links, self.left = positions, links, left
            del self.images[count:]

        return restore


class MemoryState(State):
    """Links and checkpoints of one connection. `parts` roll back with the page.

    `hosted` is the client whose writes do so, as a hosted one's do. `before` is called with the
    name of each boundary and each write, before it. `lost`, or a `fence` that is not that of
    `saved`, means that another worker has the run. `writes` counts what was written. `queue`
    tells what waits; without one, `undelivered` does.
    """

    def __init__(
        self, *, hosted: MemoryOrganization | None = None, saved: Saved | None = None
    ) -> None:
        """`saved`: what another worker of the same connection left."""
        self.saved = saved or Saved()
        self.parts: list[Part] = [self.saved, *([hosted] if hosted is not None else [])]
        self.fence = self.saved.fence
        self.before: Callable[[str], None] = lambda point: None
        self.lost = False
        self.keys: Mapping[str, int] = {}
        self.undelivered: dict[str, Waiting] = {}
        self.queue: Line | None = None

    @property
    def writes(self) -> int:
        """How often something was written."""
        return self.saved.writes

    @property
    def images(self) -> list[tuple[int, Images]]:
        """What was remembered of writes, by entity, in order."""
        return self.saved.images

    @contextmanager
    def page(self) -> Iterator[None]:
        """Open a page; put everything back if it breaks."""
        self.before("page")
        kept = [part.keep() for part in self.parts]
        self.saved.is_open, self.saved.is_held = True, False
        try:
            yield
            self.before("commit")
            kept = []
        finally:
            for restore in kept:
                restore()
            self.saved.is_open = self.saved.is_held = False
        self.before("after commit")

    def hold(self) -> None:
        """Take the lease for the rest of the page."""
        if not self.saved.is_open:
            raise OutsidePage("hold")
        if self.lost or self.fence != self.saved.fence:
            raise LostLease("Another worker has the run.")
        self.before("hold")
        self.saved.is_held = True

    def position(self, entity: int) -> Position:
        """Return how far the entity has been read."""
        return self.saved.positions.get(entity, Position())

    def save_position(self, entity: int, position: Position) -> None:
        """Remember how far the entity has been read."""
        self.write("position")
        self.saved.positions[entity] = position

    def has_links(self, entity: int) -> bool:
        """Return whether any record is linked."""
        return bool(self._links(entity))

    def links(self, entity: int, server_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        """Return the links of these server ids."""
        links = self._links(entity)
        return {item: links[item] for item in server_ids if item in links}

    def links_by_client(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        """Return the links of these client ids."""
        wanted = set(client_ids)
        return {
            link.client_id: link
            for link in self._links(entity).values()
            if link.client_id in wanted
        }

    def newest_links(self, entity: int, limit: int) -> Sequence[LinkRow]:
        """Return the links with the highest server versions."""
        links = self._links(entity).values()
        return sorted(links, key=lambda link: -link.server_version)[:limit]

    def save_links(self, entity: int, rows: Sequence[LinkRow], *, new: bool = False) -> None:
        """Insert or replace links; raises AlreadyLinked."""
        self.write("links")
        links = self.saved.links.setdefault(entity, {})
        if new and any(row.server_id in links for row in rows):
            raise AlreadyLinked("There is such a link.")
        links.update((row.server_id, row) for row in rows)

    def drop_links(self, entity: int, server_ids: Iterable[str]) -> None:
        """Forget links."""
        self.write("drop")
        for item in server_ids:
            self._links(entity).pop(item, None)

    def follow(self, entity: int, versions: Mapping[str, tuple[int, int]]) -> None:
        """Let links follow."""
        self.write("follow")
        links = self._links(entity)
        for item, link in self.links_by_client(entity, list(versions)).items():
            was, now = versions[item]
            if link.client_version == was:
                links[link.server_id] = link._replace(client_version=now)

    def marked(self, entity: int, after: str, limit: int) -> Sequence[LinkRow]:
        """Return links whose state is not CURRENT, by server id."""
        found = sorted(self._links(entity).values())
        marked = [link for link in found if link.state != LinkState.CURRENT]
        return [link for link in marked if link.server_id > after][:limit]

    def spool(self, entity: int) -> IdSpool:
        """Return an empty spool."""
        return MemoryIds(self._links(entity))

    def count_links(self, entity: int) -> int:
        """Return how many records are linked."""
        return len(self._links(entity))

    def waiting(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, Waiting]:
        """Return the newest undelivered change of each of these records."""
        if self.queue is not None:
            return self.queue.waiting(entity, client_ids)
        return {item: self.undelivered[item] for item in client_ids if item in self.undelivered}

    def count_waiting(self, entity: int) -> int:
        """Return how many changes were not delivered."""
        return 0 if self.queue is None else len(self.queue.undelivered(entity))

    def waiting_pairs(self, entity: int) -> Sequence[Transaction]:
        """Return those that make a pair on the server."""
        found = () if self.queue is None else self.queue.undelivered(entity)
        return [item for item in found if item.action is Action.ASSOCIATE]

    def remember(self, entity: int, images: Images) -> None:
        """Keep what was written."""
        self.write("images")
        self.saved.images.append((entity, images))

    def left_behind(self, entity: int) -> Iterable[str]:
        """Return the records that could not be carried."""
        return set(self.saved.left.get(entity, ()))

    def leave_behind(self, entity: int, server_ids: Sequence[str]) -> None:
        """Remember records that could not be carried."""
        self.write("leave behind")
        self.saved.left.setdefault(entity, set()).update(server_ids)

    def catch_up(self, entity: int, server_ids: Sequence[str]) -> None:
        """Forget that these were left behind."""
        self.write("catch up")
        self.saved.left[entity].difference_update(server_ids)

    def translations(self, entities: Iterable[str]) -> Mapping[tuple[str, str], str]:
        """Return (entity, server id) → client id where the two differ; `keys` names entities."""
        return {
            (name, link.server_id): link.client_id
            for name in entities
            for link in self._links(self.keys.get(name, 0)).values()
            if link.server_id != link.client_id
        }

    def write(self, point: str) -> None:
        """Come to a write: it must be inside a page, under the lease."""
        if not (self.saved.is_open and self.saved.is_held):
            raise OutsidePage(point)
        self.before(point)
        self.saved.writes += 1

    def _links(self, entity: int) -> dict[str, LinkRow]:
        return self.saved.links.get(entity, {})


class LaneState(MemoryState):
    """The same memory for a delivery without a run: who has the lane may write."""

    def __init__(self, state: MemoryState) -> None:
        """`state` is the connection's; boundaries and what rolls back are shared."""
        super().__init__(saved=state.saved)
        self.parts, self.before, self.keys = state.parts, state.before, state.keys
        self.queue = state.queue

    def hold(self) -> None:
        """Take nothing: the lane is ours."""
        self.fence = self.saved.fence
        super().hold()
