"""A server, a client, what the connection between them remembers, and a clock of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connections.errors import ConnectorError
from organizations.schema import Entity, columns
from syncjobs.chaos.ledger import Ledger, RunBegan, Settings
from syncjobs.chaos.memory_state import Crash
from syncjobs.chaos.program import Setting
from syncjobs.chaos.protocols import Memory, Organization
from syncjobs.chaos.weather import Fault, Weather
from syncjobs.engine.values import Report, Side
from syncjobs.errors import SyncError

BEGIN = datetime(2024, 5, 1, tzinfo=UTC)
_ENDS = (ConnectorError, SyncError, Crash)
"""What may end a run; anything else is a fault of the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a run ended: `ended` names the error that ended it, '' if it came to its end."""

    ended: str
    reports: tuple[Report, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every entity was carried to its end."""
        return not self.ended and not any(report.failed for report in self.reports)


@dataclass
class World(ABC):
    """Everything there is, in memory (`memory_world`) or in the database (`real`).

    `known` are both sides' definitions as Update Server saw them last.
    """

    setting: Setting
    server: Organization
    client: Organization
    ledger: Ledger
    weather: Weather = field(default_factory=Weather)
    settings: dict[str, Settings] = field(default_factory=dict)
    known: dict[Side, dict[str, Entity]] = field(default_factory=dict)
    now: datetime = BEGIN
    number: int = 0
    offline: set[str] = field(default_factory=set)
    set_aside: set[int] = field(default_factory=set)
    has_gone_back: bool = False
    is_lane_taken: bool = False
    memory: Memory = field(init=False)

    # Looking

    def side(self, side: Side) -> Organization:
        """Return the organization of a side."""
        return self.server if side is Side.SERVER else self.client

    def columns(self, name: str) -> frozenset[str]:
        """Return the columns of an entity that both sides have, as far as is known."""
        server, client = (
            {column.name for column in columns(self.known[side][name])} for side in Side
        )
        return frozenset(server & client)

    @abstractmethod
    def key(self, name: str) -> int:
        """Return the id of an entity's row."""

    def name(self) -> str:
        """Return a text that no record has had."""
        self.number += 1
        return f"n{self.number}"

    def moved(self) -> tuple[int, int, object]:
        """Return what is another as soon as anything was written anywhere."""
        return self.server.version, self.client.version, self.memory.writes

    @property
    def instant(self) -> list[str]:
        """Names of the entities whose changes are delivered at once."""
        names = sorted(self.server.entities)
        return [name for name in names if self.setting.is_instant and name not in self.offline]

    # Changing

    def calm(self) -> None:
        """Let nothing more go wrong by chance."""
        self.weather.calm()

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
        self.take_over()
        for name in self.settings:
            shared = self.columns(name)
            if shared != self.settings[name].columns:
                self.set(self.settings[name]._replace(columns=shared))

    @abstractmethod
    def take_over(self) -> None:
        """Run Update Server, and know both sides' definitions afterwards."""

    @abstractmethod
    def expire_checkpoints(self) -> None:
        """Let the server forget what changed before now."""

    @abstractmethod
    def make_backup(self) -> None:
        """Keep a copy of the server."""

    @abstractmethod
    def restore_backup(self) -> bool:
        """Let the server become its copy; return whether there was one."""

    def befall(self, fault: Fault, number: int) -> bool:
        """Let the organizations themselves go wrong; False: they do not, and the weather does."""
        return False

    # Moving

    def sync(self, *, full: bool = False, dry_run: bool = False) -> Run:
        """Run Sync All once; a process that dies ends it like an error does."""
        self.ledger.add(RunBegan(full))
        run = self.run_all(full=full, dry_run=dry_run)
        if run.is_whole and not dry_run:
            self.weather.pending.clear()
        return run

    def deliver(self) -> Run | None:
        """Collect and push at once, as after a client's write; None if somebody else does."""
        if self.is_lane_taken or not self.instant:
            return None
        self.ledger.add(RunBegan(False))
        return self.run_delivery()

    @abstractmethod
    def run_all(self, *, full: bool, dry_run: bool) -> Run:
        """Let a worker run Sync All."""

    @abstractmethod
    def run_delivery(self) -> Run:
        """Let a worker collect and push what is delivered at once."""


def ended(act: Callable[[], Sequence[Report]]) -> Run:
    """Let a worker act; return how that ended."""
    try:
        return Run(ended="", reports=tuple(act()))
    except _ENDS as error:
        return Run(ended=f"{type(error).__name__}: {error}", reports=())
