"""A dry run: the same engine over a client and a memory that only pretend to write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from connections.connectors.base import (
    Batch,
    BatchResult,
    Connector,
    EntitySummary,
    Identity,
    ReadRequest,
)
from organizations.query.nodes import Query
from organizations.records import Page
from organizations.schema import Attribute, Entity
from syncjobs.engine.airbag import Guard, Holding, Limits
from syncjobs.engine.plan import Waiting
from syncjobs.engine.protocols import IdSpool, State
from syncjobs.engine.values import Images, LinkRow, LinkState, Position
from syncjobs.errors import AlreadyLinked


class DryState(State):
    """Reads what the real state holds, and keeps links of this run in memory.

    All of them are kept for one entity at a time: a record that comes twice must be counted once.
    Of every entity those are kept whose mark is not the saved one, for the deletions that follow.
    """

    def __init__(self, state: State) -> None:
        """`state` is only read."""
        self._state = state
        self._entity = 0
        self._links: dict[str, LinkRow] = {}
        self._altered: dict[int, dict[str, LinkRow | None]] = {}
        self._more: dict[int, int] = {}

    def page(self) -> AbstractContextManager[None]:
        """Open nothing."""
        return nullcontext()

    def hold(self) -> None:
        """Take nothing: there is nothing to protect."""

    def position(self, entity: int) -> Position:
        """Return the saved position."""
        return self._state.position(entity)

    def save_position(self, entity: int, position: Position) -> None:
        """Save nothing; the run itself knows where it is."""

    def has_links(self, entity: int) -> bool:
        """Return whether there is a saved link."""
        return self._state.has_links(entity)

    def links(self, entity: int, server_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        """Return saved links as this run would have left them."""
        self._turn_to(entity)
        found = dict(self._state.links(entity, server_ids))
        ours = self._altered.get(entity, {})
        for item in server_ids:
            if link := self._links.get(item) or ours.get(item):
                found[item] = link
            elif item in ours:
                found.pop(item, None)
        return found

    def links_by_client(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        """Return saved links as this run would have left them."""
        self._turn_to(entity)
        saved, ours = self._state.links_by_client(entity, client_ids), self._altered.get(entity, {})
        found = {item: link for item, link in saved.items() if link.server_id not in ours}
        wanted = set(client_ids)
        changed = [link for link in ours.values() if link is not None]
        return found | {
            link.client_id: link
            for link in (*changed, *self._links.values())
            if link.client_id in wanted
        }

    def newest_links(self, entity: int, limit: int) -> Sequence[LinkRow]:
        """Return saved links."""
        return self._state.newest_links(entity, limit)

    def save_links(self, entity: int, rows: Sequence[LinkRow], *, new: bool = False) -> None:
        """Keep links in memory. Raises AlreadyLinked like the real state would."""
        self._turn_to(entity)
        if new and any(row.server_id in self._links for row in rows):
            raise AlreadyLinked("A record comes twice.")
        ours = self._altered.setdefault(entity, {})
        saved = {} if new else self._state.links(entity, [row.server_id for row in rows])
        for row in rows:
            self._links[row.server_id] = row
            is_altered = row.server_id in saved and saved[row.server_id].state != row.state
            if row.server_id in ours or is_altered or row.state != LinkState.CURRENT:
                ours[row.server_id] = row
        self._more[entity] = self._more.get(entity, 0) + (len(rows) if new else 0)

    def drop_links(self, entity: int, server_ids: Iterable[str]) -> None:
        """Remember that these links would be gone."""
        self._turn_to(entity)
        ours = self._altered.setdefault(entity, {})
        for item in server_ids:
            self._links.pop(item, None)
            ours[item] = None
            self._more[entity] = self._more.get(entity, 0) - 1

    def marked(self, entity: int, after: str, limit: int) -> Sequence[LinkRow]:
        """Return links as this run would have marked them."""
        ours = self._altered.get(entity, {})
        saved = self._state.marked(entity, after, limit + len(ours))
        found = {link.server_id: link for link in saved if link.server_id not in ours}
        for item, link in ours.items():
            if link is not None and item > after and link.state != LinkState.CURRENT:
                found[item] = link
        return [found[item] for item in sorted(found)[:limit]]

    def spool(self, entity: int) -> IdSpool:
        """Return the real one: it does not know this run's links, so ask `links` too."""
        return self._state.spool(entity)

    def count_links(self, entity: int) -> int:
        """Return how many records would be linked."""
        return self._state.count_links(entity) + self._more.get(entity, 0)

    def waiting(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, Waiting]:
        """Return what is waiting now."""
        return self._state.waiting(entity, client_ids)

    def remember(self, entity: int, images: Images) -> None:
        """Keep nothing."""

    def left_behind(self, entity: int) -> Iterable[str]:
        """Return what earlier runs left behind."""
        return self._state.left_behind(entity)

    def leave_behind(self, entity: int, server_ids: Sequence[str]) -> None:
        """Save nothing."""

    def catch_up(self, entity: int, server_ids: Sequence[str]) -> None:
        """Save nothing."""

    def translations(self, entities: Iterable[str]) -> Mapping[tuple[str, str], str]:
        """Return saved translations."""
        return self._state.translations(entities)

    def _turn_to(self, entity: int) -> None:
        if entity != self._entity:
            self._entity = entity
            self._links.clear()


class DryGuard(Guard):
    """Knows what the real guard knows, and lets nothing wait."""

    def __init__(self, guard: Guard) -> None:
        """`guard` is only asked."""
        self._guard = guard

    def limits(self) -> Limits:
        """Ask the real guard."""
        return self._guard.limits()

    def recent(self, entity: int) -> int:
        """Ask the real guard."""
        return self._guard.recent(entity)

    def approved(self, entity: int) -> Collection[str]:
        """Ask the real guard."""
        return self._guard.approved(entity)

    def declined(self, entity: int) -> Collection[str]:
        """Ask the real guard."""
        return self._guard.declined(entity)

    def hold(self, entity: int, holding: Holding | None) -> None:
        """Remember nothing."""

    def carried_out(self, entity: int) -> None:
        """Remember nothing."""


class DryClient(Connector):
    """Reads what the real client holds, and answers writes as if they had been carried out."""

    def __init__(self, client: Connector) -> None:
        """`client` is only read."""
        self._client = client
        self.backend = client.backend
        self.version_check = client.version_check
        self.is_local = client.is_local

    def identify(self) -> Identity:
        """Ask the real client."""
        return self._client.identify()

    def entities(self) -> Iterator[EntitySummary]:
        """Ask the real client."""
        return self._client.entities()

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        """Ask the real client."""
        return self._client.describe(names)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Ask the real client."""
        return self._client.read(request)

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        """Ask the real client."""
        return self._client.ids(entity, query)

    def matching(self, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
        """Ask the real client."""
        return self._client.matching(entity, query, ids)

    def count(self, entity: Entity, query: Query | None = None) -> int:
        """Ask the real client."""
        return self._client.count(entity, query)

    def highest_version(self, entity: Entity) -> int:
        """Ask the real client."""
        return self._client.highest_version(entity)

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        """Ask the real client."""
        return self._client.fetch(entity, attributes, ids)

    def is_empty(self, entity: Entity) -> bool:
        """Ask the real client."""
        return self._client.is_empty(entity)

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write nothing; every record is accepted, with the version it had."""
        ids = [str(row[0]) for row in batch.rows]
        return BatchResult(ids=ids, versions=list(batch.expected))
