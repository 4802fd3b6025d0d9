"""A world over a hosted client, a Dynamics twin over HTTP, and the database."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

from django.utils import timezone

from connections.connect import service
from connections.models import SyncedEntity
from organizations.dynamics import faults_switching
from organizations.models import TwinFault
from organizations.query import fetchxml_writer
from syncjobs import entity_tasks, lane, lease
from syncjobs.chaos.filters import NO_FILTER, SyncFilter, Tables, Values
from syncjobs.chaos.ledger import Ledger, Settings
from syncjobs.chaos.memory_world import begin
from syncjobs.chaos.program import Setting
from syncjobs.chaos.real import making
from syncjobs.chaos.real.connectors import StormyClient, StormyServer
from syncjobs.chaos.real.doors import Door
from syncjobs.chaos.real.entities import NAMES
from syncjobs.chaos.real.memory import (
    Boundaries,
    BreakingGuard,
    BreakingQueue,
    DeliveryState,
    RunState,
)
from syncjobs.chaos.real.organizations import RealClient, RealServer
from syncjobs.chaos.real.remembered import Remembered
from syncjobs.chaos.real.users import TwinUser
from syncjobs.chaos.schema import ACCOUNT, PAIR
from syncjobs.chaos.weather import Fault
from syncjobs.chaos.world import Run, World, ended
from syncjobs.deliver import Quiet
from syncjobs.engine.sync import sync
from syncjobs.engine.values import Options, Report, Side
from syncjobs.errors import LostLease
from syncjobs.models import Run as RunRow
from syncjobs.reporter import DatabaseReporter

IMPOSSIBLE = {
    "backup": "A twin has no backups; that a server went back is played in memory.",
    "restore backup": "A twin has no backups; that a server went back is played in memory.",
}
"""Kinds of steps that cannot be played with real organizations, and why."""

_OWN_FAULTS: Mapping[Fault, Sequence[str]] = {
    Fault.RETRY: (TwinFault.Kind.THROTTLED, TwinFault.Kind.UNAVAILABLE, TwinFault.Kind.DROPPED),
    Fault.REFUSED: (TwinFault.Kind.REVOKED,),
    Fault.TRUNCATED: (TwinFault.Kind.TRUNCATED, TwinFault.Kind.INVALID_JSON),
    Fault.LOST: (TwinFault.Kind.LOST_RESPONSE,),
}
"""What the twin can do by itself instead of what the weather does to its connector."""

_STRIKES = 5
"""A twin's fault strikes so many requests at most: more than a connector tries."""


@dataclass
class RealWorld(World):
    """A world of rows. `pair` are its organizations and its connection."""

    impossible = IMPOSSIBLE
    server: RealServer
    client: RealClient
    pair: making.Pair = field(kw_only=True)
    door: Door = field(kw_only=True)

    def __post_init__(self) -> None:
        """Look at the connection."""
        self.now = timezone.now()
        self.connection = self.pair.connection
        self._keys = dict(self.connection.entities.values_list("name", "pk"))
        self.memory = Remembered(self.connection)
        self._boundaries = Boundaries(self.weather.boundary, [self.ledger.keep, self.client.keep])
        self._connector = StormyServer(
            self.server, self.weather, self.pair.login, self.door.session()
        )
        self._connector.mark(str(self.connection.pk))
        self._poisoned: set[str] = set()
        self._running = 0
        self.weather.is_inside = lambda: self._boundaries.is_open
        self.weather.is_lane_taken = lambda: self.is_lane_taken

    def close(self) -> None:
        """Close the connections to the twin."""
        self._connector.client.close()

    def key(self, name: str) -> int:
        """Return the id of an entity's row."""
        return self._keys[name]

    # Changing

    def calm(self) -> None:
        """Let nothing more go wrong, nor the twin by itself, and what was left be carried on."""
        super().calm()
        faults_switching.switch_off(self.pair.twin)
        self._carry_on()

    def set(self, settings: Settings) -> None:
        """Change the settings of an entity; pairs are filtered by what they join."""
        super().set(settings)
        query = settings.inside.query
        text = "" if query is None or settings.entity == PAIR else fetchxml_writer.write(query)
        SyncedEntity.objects.filter(pk=self.key(settings.entity)).update(
            sync_deletion=settings.deletes,
            leaving=settings.leaving,
            conflict_rule=settings.rule,
            filter_xml=text,
        )
        if settings.entity == ACCOUNT and PAIR in self.settings:
            pairs = self.settings[PAIR]
            if pairs.inside.query is not query:
                super().set(pairs._replace(inside=_of_pairs(settings.inside)))

    def take_over(self) -> None:
        """Run Update Server."""
        with self.server.fair():
            service.carry_out(self.connection)
        for organization in (self.server, self.client):
            self.known[organization.side] = dict(organization.entities)

    def expire_checkpoints(self) -> None:
        """Let the twin refuse the next change tokens of all entities."""
        kind, values = TwinFault.Kind.EXPIRED_DELTA, {"probability": 1.0, "count": len(NAMES)}
        faults_switching.switch_on(self.pair.twin, kind, values)

    def befall(self, fault: Fault, number: int) -> bool:
        """Let the twin go wrong, for more requests in a row than a connector has patience."""
        kinds = _OWN_FAULTS.get(fault)
        if kinds is None:
            return False
        kind = kinds[number % len(kinds)]
        values = {"probability": 1.0, "count": 1 + number % _STRIKES}
        faults_switching.switch_on(self.pair.twin, kind, values)
        self.weather.count(f"twin: {TwinFault.Kind(kind).label.lower()}")
        return True

    def make_backup(self) -> None:
        """Not possible."""

    def restore_backup(self) -> bool:
        """Not possible."""
        return False

    # Moving

    def run_all(self, *, full: bool, dry_run: bool) -> Run:
        """Carry on what another worker left, then, if that was not under way here, a new run."""
        if dry_run:
            _next_second()
        left = self._carry_on()
        if left is not None and (self._running or _is_left(left)):
            return left
        made = RunRow.objects.create(
            connection=self.connection,
            kind=RunRow.Kind.SYNC,
            reason="chaos",
            options={"full": full, "dry_run": dry_run},
        )
        return self._work(made)

    def run_delivery(self) -> Run:
        """Collect and push under the lane."""
        state = DeliveryState(self.connection, self._boundaries)
        return ended(lambda: self._sync(state, None, self.instant))

    def _carry_on(self) -> Run | None:
        """Carry on the run that a worker left, or has under way; None: there is none."""
        rows = RunRow.objects.filter(connection=self.connection, state__in=RunRow.ACTIVE)
        left = rows.order_by("created").first()
        return None if left is None else self._work(left)

    def _work(self, row: RunRow) -> Run:
        """Claim a run, as a worker does after the lease of another one ended, and carry it."""
        RunRow.objects.filter(pk=row.pk).exclude(lease_until=None).update(lease_until=row.created)
        claimed = lease.claim(row.pk, "chaos")
        if claimed is None:
            raise LostLease(f"Run {row.pk} cannot be claimed.")
        self._running += 1
        try:
            run = ended(lambda: self._sync(RunState(claimed, self._boundaries), claimed, NAMES))
        finally:
            self._running -= 1
        if not _is_left(run):
            state = RunRow.State.FAILED if run.ended else RunRow.State.SUCCEEDED
            lease.finish(claimed, state, run.ended)
        return run

    def _sync(
        self, state: RunState | DeliveryState, row: RunRow | None, names: Sequence[str]
    ) -> list[Report]:
        self._poison()
        # The engine looks for cycles before it begins: without this it looks through everything.
        gc.freeze()
        client = StormyClient(self.client, self.weather, origin=str(self.connection.pk))
        run = row or RunRow(connection=self.connection)
        reporter = DatabaseReporter(run, look_every=0) if row else Quiet(self.connection.name)
        chosen = self.connection.entities.filter(name__in=names)
        tasks = entity_tasks.told(list(chosen), client, reporter, "NotCarried")
        return sync(
            self._connector,
            client,
            tasks,
            state,
            reporter,
            queue=BreakingQueue(self.connection, self._boundaries),
            guard=BreakingGuard(run, state) if isinstance(state, RunState) else None,
            full=bool(run.options.get("full")),
            dry_run=bool(run.options.get("dry_run")),
            lane=self._lane,
            only_deliver=row is None,
            options=self._options(attempts=5 if row else 1),
        )

    @contextmanager
    def _lane(self) -> Iterator[None]:
        with lane.lane(self.connection.pk):
            self.is_lane_taken = True
            try:
                yield
            finally:
                self.is_lane_taken = False

    def _poison(self) -> None:
        """Let the client's tables refuse what they never take, where that is new."""
        if self._poisoned != self.client.faults.always_rejected:
            self._poisoned = set(self.client.faults.always_rejected)
            self.client.poison()

    def _options(self, attempts: int) -> Options:
        return Options(
            page_size=self.setting.page_size,
            read_ahead=False,
            attempts=attempts,
            sleep=lambda seconds: None,
            clock=lambda: self.now,
        )


def _is_left(run: Run) -> bool:
    """Return whether the worker is gone, and the run is for another one to carry on."""
    return run.ended.startswith(("Crash", "LostLease"))


def _next_second() -> None:
    """Wait until nothing was written in the second that runs now.

    Records are stamped with seconds: what is written in the one of a dry run is equal by chance.
    """
    time.sleep(1 - time.time() % 1)


def _of_pairs(accounts: SyncFilter) -> SyncFilter:
    """Return which pairs are inside where only these accounts are."""
    if accounts.query is None:
        return NO_FILTER

    def admits(tables: Tables, values: Values) -> bool:
        account = tables[ACCOUNT].get(str(values.get("accountid")))
        return account is not None and accounts.admits(tables, account)

    return SyncFilter(accounts.query, admits)


@contextmanager
def world(door: Door, setting: Setting) -> Iterator[RealWorld]:
    """Have a world in which nothing was carried yet, in this installation."""
    with ExitStack() as ends:
        pair = ends.enter_context(making.pair(door.base, is_strict=setting.is_strict))
        ledger = Ledger()
        user = ends.enter_context(closing(TwinUser(*pair.login, door.requests())))
        made = RealWorld(
            setting=setting,
            server=RealServer(pair.twin, ledger, user),
            client=RealClient(Side.CLIENT, pair.client, ledger),
            ledger=ledger,
            pair=pair,
            door=door,
        )
        ends.enter_context(closing(made))
        made.take_over()
        begin(made)
        yield made
