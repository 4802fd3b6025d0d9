"""A server, a client, what the connection between them remembers, and a clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from connections.connectors.memory.organization import Stored
from connections.errors import ConnectorError
from organizations.schema import Entity, columns
from syncjobs.chaos import schema
from syncjobs.chaos.filters import NO_FILTER
from syncjobs.chaos.ledger import NO_SETTINGS, Ledger, RunBegan, Settings
from syncjobs.chaos.memory_guard import MemoryGuard
from syncjobs.chaos.memory_queue import MemoryQueue
from syncjobs.chaos.memory_reporter import MemoryReporter
from syncjobs.chaos.memory_state import Crash, LaneState, MemoryState
from syncjobs.chaos.organization import CONNECTION, WatchedOrganization
from syncjobs.chaos.program import Setting
from syncjobs.chaos.stormy import StormyMemory
from syncjobs.chaos.weather import Weather
from syncjobs.engine.sync import sync
from syncjobs.engine.values import EntityTask, Options, Report, Side
from syncjobs.errors import SyncError

_BEGIN = datetime(2024, 5, 1, tzinfo=UTC)
_ENDS = (ConnectorError, SyncError, Crash)
"""What may end a run; anything else is a fault of the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a run ended: `ended` names the error that ended it, '' if it came to its end."""

    ended: str
    reports: tuple[Report, ...]
    reporter: MemoryReporter

    @property
    def is_whole(self) -> bool:
        """Whether every entity was carried to its end."""
        return not self.ended and not any(report.failed for report in self.reports)


@dataclass
class World:
    """Everything there is. `known` are both sides' definitions as Update Server saw them last."""

    setting: Setting
    server: WatchedOrganization
    client: WatchedOrganization
    ledger: Ledger
    weather: Weather = field(default_factory=Weather)
    settings: dict[str, Settings] = field(default_factory=dict)
    known: dict[Side, dict[str, Entity]] = field(default_factory=dict)
    backup: tuple[dict[str, dict[str, Stored]], int] | None = None
    now: datetime = _BEGIN
    number: int = 0
    offline: set[str] = field(default_factory=set)
    set_aside: set[int] = field(default_factory=set)
    insisted: set[tuple[int, str]] = field(default_factory=set)
    has_gone_back: bool = False
    is_lane_taken: bool = False

    def __post_init__(self) -> None:
        """Make the memory of the connection."""
        hosted = self.client if self.setting.is_hosted else None
        self.state = MemoryState(hosted=hosted)
        self.queue = MemoryQueue(self.state, connected=_BEGIN)
        self.guard = MemoryGuard(self.state, lambda: self.now)
        if hosted is not None:
            self.state.parts.append(self.ledger)
        self.weather.is_inside = lambda: self.state.saved.is_open
        self.weather.is_lane_taken = lambda: self.is_lane_taken
        self.state.before = self.weather.boundary

    # Looking

    def side(self, side: Side) -> WatchedOrganization:
        """Return the organization of a side."""
        return self.server if side is Side.SERVER else self.client

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

    def columns(self, name: str) -> frozenset[str]:
        """Return the columns of an entity that both sides have, as far as is known."""
        server, client = (
            {column.name for column in columns(self.known[side][name])} for side in Side
        )
        return frozenset(server & client)

    def key(self, name: str) -> int:
        """Return the id of an entity's row."""
        return sorted(self.server.entities).index(name) + 1

    def name(self) -> str:
        """Return a text that no record has had."""
        self.number += 1
        return f"n{self.number}"

    def moved(self) -> tuple[int, int, int]:
        """Return what is another as soon as anything was written anywhere."""
        return self.server.version, self.client.version, self.state.writes

    @property
    def instant(self) -> list[str]:
        """Names of the entities whose changes are delivered at once."""
        names = sorted(self.server.entities)
        return [name for name in names if self.setting.is_instant and name not in self.offline]

    # Changing

    def heal(self) -> None:
        """Let both sides take, and show, every record again."""
        for organization in (self.server, self.client):
            organization.faults.always_rejected.clear()
            organization.faults.unreadable.clear()

    def later(self, time: timedelta) -> None:
        """Let time go by."""
        self.now += time

    def set(self, settings: Settings) -> None:
        """Change the settings of an entity."""
        self.settings[settings.entity] = settings
        self.ledger.add(settings)

    def update_server(self) -> None:
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
        for name in self.settings:
            shared = self.columns(name)
            if shared != self.settings[name].columns:
                self.set(self.settings[name]._replace(columns=shared))

    # Moving

    def sync(self, *, full: bool = False, dry_run: bool = False) -> Run:
        """Run Sync All once; a process that dies ends it like an error does."""
        self.ledger.add(RunBegan(full))
        self.state.saved.fence += 1
        fence, self.state.fence = self.state.fence, self.state.saved.fence
        try:
            run = self._ended(lambda reporter: self._sync(reporter, full, dry_run))
        finally:
            self.state.fence = fence
        if run.is_whole and not dry_run:
            self.weather.pending.clear()
        return run

    def deliver(self) -> Run | None:
        """Collect and push at once, as after a client's write; None if somebody else does."""
        if self.is_lane_taken or not self.instant:
            return None
        self.ledger.add(RunBegan(False))
        return self._ended(self._deliver)

    @contextmanager
    def _lane(self) -> Iterator[None]:
        self.is_lane_taken = True
        try:
            yield
        finally:
            self.is_lane_taken = False

    def _ended(self, act: Callable[[MemoryReporter], list[Report]]) -> Run:
        reporter, reports, ended = MemoryReporter(), list[Report](), ""
        self.state.keys = {name: self.key(name) for name in self.server.entities}
        try:
            reports = act(reporter)
        except _ENDS as error:
            ended = f"{type(error).__name__}: {error}"
        return Run(ended=ended, reports=tuple(reports), reporter=reporter)

    def _sync(self, reporter: MemoryReporter, full: bool, dry_run: bool) -> list[Report]:
        return sync(
            self._connector(self.server),
            self._connector(self.client),
            self.tasks(),
            self.state,
            reporter,
            queue=self.queue,
            guard=self.guard,
            full=full,
            dry_run=dry_run,
            lane=self._lane,
            options=self._options(),
        )

    def _deliver(self, reporter: MemoryReporter) -> list[Report]:
        return sync(
            self._connector(self.server),
            self._connector(self.client),
            [self.task(name) for name in self.instant],
            LaneState(self.state),
            reporter,
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


def make_world(setting: Setting) -> World:
    """Make a world in which nothing was carried yet."""
    ledger = Ledger()
    server, client = (_organization(side, setting) for side in (Side.SERVER, Side.CLIENT))
    server.strict = setting.is_strict
    world = World(setting=setting, server=server, client=client, ledger=ledger)
    for organization in (server, client):
        organization.ledger, organization.clock = ledger, lambda: world.now
        world.known[organization.side] = schema.known(organization.entities)
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
    return world


def _organization(side: Side, setting: Setting) -> WatchedOrganization:
    entities = {entity.name: entity for entity in schema.make_entities()}
    return WatchedOrganization(
        name=side.value,
        entities=entities,
        page_size=setting.page_size,
        tables={name: {} for name in entities},
        side=side,
    )
