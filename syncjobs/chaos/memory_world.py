"""A world over two organizations in memory, with a memory that can be broken anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, replace

from syncjobs.chaos import schema
from syncjobs.chaos.filters import NO_FILTER
from syncjobs.chaos.ledger import NO_SETTINGS, Ledger, Settings
from syncjobs.chaos.memory_guard import MemoryGuard
from syncjobs.chaos.memory_queue import MemoryQueue
from syncjobs.chaos.memory_reporter import MemoryReporter
from syncjobs.chaos.memory_state import LaneState, MemoryState
from syncjobs.chaos.organization import CONNECTION, Backup, WatchedOrganization
from syncjobs.chaos.program import Setting
from syncjobs.chaos.protocols import Memory
from syncjobs.chaos.stormy import StormyMemory
from syncjobs.chaos.world import BEGIN, Run, World, ended
from syncjobs.engine.sync import sync
from syncjobs.engine.transactions import Transaction
from syncjobs.engine.values import EntityTask, LinkRow, LinkState, Options, Position, Report, Side


@dataclass
class MemoryWorld(World):
    """A world whose organizations, and whose connection's memory, are in memory."""

    server: WatchedOrganization
    client: WatchedOrganization
    backup: Backup | None = None

    def __post_init__(self) -> None:
        """Make the memory of the connection."""
        hosted = self.client if self.setting.is_hosted else None
        self.state = MemoryState(hosted=hosted)
        self.queue = MemoryQueue(self.state, connected=BEGIN)
        self.guard = MemoryGuard(self.state, lambda: self.now)
        self.memory = Remembered(self.state, self.queue, self.guard)
        if hosted is not None:
            self.state.parts.append(self.ledger)
        self.weather.is_inside = lambda: self.state.saved.is_open
        self.weather.was_read = self._was_read
        self.weather.is_lane_taken = lambda: self.is_lane_taken
        self.state.before = self.weather.boundary

    def _was_read(self, name: str) -> bool:
        links = self.state.saved.links.get(self.key(name), {}).values()
        return any(link.state is LinkState.CURRENT for link in links)

    def tasks(self) -> list[EntityTask]:
        """Return what to carry, as the settings are now."""
        return [self.task(name) for name in sorted(self.server.entities)]

    def task(self, name: str) -> EntityTask:
        """Return one entity to carry."""
        server, client = self.known[Side.SERVER][name], self.known[Side.CLIENT][name]
        there = {attribute.name for attribute in client.attributes}
        settings = self.settings.get(name, NO_SETTINGS)
        return EntityTask(
            key=self.key(name),
            server=server,
            client=client,
            attributes=tuple(item for item in server.attributes if item.name in there),
            query=settings.inside.query,
            sync_deletion=settings.deletes,
            leaving=settings.leaving,
            conflict_rule=settings.rule,
        )

    def key(self, name: str) -> int:
        """Return the id of an entity's row."""
        return sorted(self.server.entities).index(name) + 1

    def take_over(self) -> None:
        """Give the client what is new of the server's metadata; what is gone is hidden there."""
        self.known[Side.SERVER] = schema.known(self.server.entities)
        for name, entity in self.server.entities.items():
            client = self.client.entities[name]
            there = {attribute.name for attribute in client.attributes}
            new = tuple(item for item in entity.attributes if item.name not in there)
            gone = there - {attribute.name for attribute in entity.attributes}
            if new:
                self.client.alter(replace(client, attributes=(*client.attributes, *new)))
            visible = self.client.entities[name]
            for attribute in gone:
                visible = schema.without(visible, attribute)
            self.known[Side.CLIENT][name] = visible

    def expire_checkpoints(self) -> None:
        """Let the server forget what changed before now."""
        self.server.expire_checkpoints()

    def make_backup(self) -> None:
        """Keep a copy of the server."""
        self.backup = self.server.backup()

    def restore_backup(self) -> bool:
        """Let the server become its copy; return whether there was one."""
        if self.backup is None:
            return False
        self.server.restore(self.backup)
        self.backup = None
        return True

    def run_all(self, *, full: bool, dry_run: bool) -> Run:
        """Run as a worker that took the run over from any other."""
        self.state.saved.fence += 1
        fence, self.state.fence = self.state.fence, self.state.saved.fence
        try:
            return ended(lambda: self._sync(full, dry_run))
        finally:
            self.state.fence = fence

    def run_delivery(self) -> Run:
        """Collect and push under the lane."""
        return ended(self._deliver)

    @contextmanager
    def _lane(self) -> Iterator[None]:
        self.is_lane_taken = True
        try:
            yield
        finally:
            self.is_lane_taken = False

    def _sync(self, full: bool, dry_run: bool) -> list[Report]:
        self.state.keys = {name: self.key(name) for name in self.server.entities}
        return sync(
            self._connector(self.server),
            self._connector(self.client),
            self.tasks(),
            self.state,
            MemoryReporter(),
            queue=self.queue,
            guard=self.guard,
            full=full,
            dry_run=dry_run,
            lane=self._lane,
            options=self._options(),
        )

    def _deliver(self) -> list[Report]:
        self.state.keys = {name: self.key(name) for name in self.server.entities}
        return sync(
            self._connector(self.server),
            self._connector(self.client),
            [self.task(name) for name in self.instant],
            LaneState(self.state),
            MemoryReporter(),
            queue=self.queue,
            lane=self._lane,
            only_deliver=True,
            options=self._options(attempts=1),
        )

    def _connector(self, organization: WatchedOrganization) -> StormyMemory:
        return StormyMemory(organization, self.weather, origin=CONNECTION)

    def _options(self, attempts: int = 5) -> Options:
        return Options(
            read_ahead=False,
            attempts=attempts,
            sleep=lambda seconds: None,
            clock=lambda: self.now,
        )


class Remembered(Memory):
    """State, queue and guard as the judge and persons see them."""

    def __init__(self, state: MemoryState, queue: MemoryQueue, guard: MemoryGuard) -> None:
        """All three are one connection's."""
        self._state, self._queue, self._guard = state, queue, guard

    @property
    def writes(self) -> int:
        """How often something was written."""
        return self._state.writes

    def positions(self) -> Sequence[Position]:
        """Return how far the entities have been read."""
        return list(self._state.saved.positions.values())

    def links(self) -> Mapping[int, Mapping[str, LinkRow]]:
        """Return entity → server id → link."""
        return self._state.saved.links

    def left(self) -> Mapping[int, AbstractSet[str]]:
        """Return entity → server ids that could not be carried."""
        return self._state.saved.left

    def held(self) -> Mapping[int, AbstractSet[str]]:
        """Return entity → server ids whose deletion waits, or was declined."""
        kept = self._guard.kept
        found = {key: set(holding.server_ids) for key, holding in kept.waiting.items()}
        for key, ids in kept.declined.items():
            found[key] = found.get(key, set()) | ids
        return found

    def transactions(self) -> Sequence[Transaction]:
        """Return all of them, oldest first."""
        return self._queue.transactions

    def change(self, item: Transaction) -> None:
        """Write by hand what is not under way: it has its own transaction."""
        self._queue.saved.transactions[item.id] = item

    def decide(self, entity: int, *, approve: bool) -> bool:
        """Approve or decline what waits; return whether anything did."""
        return self._guard.decide(entity, approve=approve)


def make_world(setting: Setting) -> MemoryWorld:
    """Make a world in which nothing was carried yet."""
    ledger = Ledger()
    server, client = (_organization(side, setting) for side in (Side.SERVER, Side.CLIENT))
    server.strict = setting.is_strict
    world = MemoryWorld(setting=setting, server=server, client=client, ledger=ledger)
    for organization in (server, client):
        organization.ledger, organization.clock = ledger, lambda: world.now
        world.known[organization.side] = schema.known(organization.entities)
    begin(world)
    return world


def begin(world: World) -> None:
    """Set all entities as the program begins."""
    setting = world.setting
    for name in schema.CARRIED:
        world.set(
            Settings(
                name,
                setting.is_deleting,
                setting.leaving,
                setting.rule,
                NO_FILTER,
                world.columns(name),
            )
        )


def _organization(side: Side, setting: Setting) -> WatchedOrganization:
    entities = {entity.name: entity for entity in schema.make_entities()}
    return WatchedOrganization(
        name=side.value,
        entities=entities,
        page_size=setting.page_size,
        tables={name: {} for name in entities},
        side=side,
    )
