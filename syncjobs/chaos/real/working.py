"""How runs and deliveries are carried in a world of rows.

In two ways: here, where every boundary of the engine's transactions can break, and by workers that
are called as the product calls them (`workers`).
"""

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection as database
from django.db.models import F
from django.utils import timezone

from connections.models import Connection
from organizations.models import Organization
from syncjobs import dispatch, entity_tasks, instant, lane, lease
from syncjobs.chaos.ledger import By, RunBegan
from syncjobs.chaos.oracle import Violation
from syncjobs.chaos.real import making
from syncjobs.chaos.real.connectors import HiredServer, StormyClient, StormyServer
from syncjobs.chaos.real.doors import Door
from syncjobs.chaos.real.entities import NAMES
from syncjobs.chaos.real.mail import Call, Mailbox
from syncjobs.chaos.real.memory import (
    Boundaries,
    BreakingGuard,
    BreakingQueue,
    DeliveryState,
    RunState,
)
from syncjobs.chaos.real.organizations import RealClient, RealServer
from syncjobs.chaos.real.workers import Workers
from syncjobs.chaos.world import Run, World, ended
from syncjobs.deliver import Quiet
from syncjobs.engine.sync import sync
from syncjobs.engine.values import LinkState, Options, Report
from syncjobs.errors import LostLease
from syncjobs.models import Link
from syncjobs.models import Run as RunRow
from syncjobs.reporter import DatabaseReporter

_ACTIVE = {"state__in": RunRow.ACTIVE}
_HELD = {"lease_until__isnull": False}


@dataclass
class Working(World):
    """A world whose runs are rows. `pair` are its organizations and its connection.

    `late` is what was violated by workers that were called while others worked.
    """

    server: RealServer
    client: RealClient
    pair: making.Pair = field(kw_only=True)
    door: Door = field(kw_only=True)

    def __post_init__(self) -> None:
        """Look at the connection."""
        self.now = timezone.now()
        self.connection = self.pair.connection
        self._keys = dict(self.connection.entities.values_list("name", "pk"))
        self._boundaries = Boundaries(self.weather.boundary)
        self._connector = StormyServer(
            self.server, self.weather, self.pair.login, self.door.session()
        )
        self._connector.mark(str(self.connection.pk))
        self._poisoned: set[str] = set()
        self._modes: tuple[bool, frozenset[str]] = (False, frozenset())
        self._running = 0
        self.late: list[Violation] = []
        self.mail = Mailbox()
        self.workers = Workers(
            server=self._hired_server,
            client=self._hired_client,
            is_apart=self._is_apart,
            count=self.weather.count,
        )
        self.weather.is_inside = lambda: database.in_atomic_block
        self.weather.is_lane_taken = lambda: self.is_lane_taken or self._is_delivering()
        self.weather.was_read = self._was_read

    def close(self) -> None:
        """Close the connections to the twin, and send the workers home."""
        self._connector.client.close()
        self.workers.close()

    def key(self, name: str) -> int:
        """Return the id of an entity's row."""
        return self._keys[name]

    def run_all(self, *, full: bool, dry_run: bool) -> Run:
        """Carry on what other workers left, then, if nothing was under way here, a new run."""
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
        """Collect and push under the lane, every other time as a worker does."""
        if self.number % 2:
            return self._call(Call(instant.TASK, str(self.connection.pk)))
        state = DeliveryState(self.connection, self._boundaries)
        return ended(lambda: self._sync(state, None, self.instant))

    def call(self, call: Call) -> Run:
        """Let a worker have a call; return how that ended, '' where there was nothing to do."""
        if not self._running:
            self.ledger.add(RunBegan(False))
        return self._call(call)

    def is_over(self, call: Call) -> bool:
        """Return whether a call is to a run that has ended."""
        is_to_run = call.task == dispatch.WAKE_TASK
        return is_to_run and not self.connection.runs.filter(pk=call.key, **_ACTIVE).exists()

    def end_leases(self) -> None:
        """Let so much time go by that workers that are gone hold nothing any more."""
        if not self._running:
            self.connection.runs.exclude(lease_until=None).update(lease_until=F("created"))

    def tell_modes(self) -> None:
        """Write down which entities' changes are delivered at once, where that is new."""
        modes = (self.setting.is_instant, frozenset(self.offline))
        if modes != self._modes:
            self._modes = modes
            instantly, offline = Connection.WriteMode.INSTANT, Connection.WriteMode.OFFLINE
            self.connection.write_mode = instantly if modes[0] else offline
            self.connection.save(update_fields=["write_mode"])
            rows = self.connection.entities
            rows.update(write_mode="")
            rows.filter(name__in=modes[1]).update(write_mode=offline)

    def _call(self, call: Call) -> Run:
        self._poison()
        gc.freeze()
        self._running += 1
        try:
            run = self.workers.carry(call)
        finally:
            self._running -= 1
        # Whoever dies right after a commit tells nobody any more.
        self.client.tell(By.ENGINE)
        if self.is_over(call) and self._is_whole(call):
            self.weather.pending.clear()
        return run

    def _is_whole(self, call: Call) -> bool:
        whole = self.connection.runs.filter(
            pk=call.key, kind=RunRow.Kind.SYNC, state=RunRow.State.SUCCEEDED
        )
        return any(not run.options.get("dry_run") for run in whole)

    def _carry_on(self) -> Run | None:
        """Carry on what workers left, or have under way, in turn; None: there is nothing."""
        run = None
        while (left := self._left()) is not None:
            run = self._carried(left)
            if self._running or _is_left(run):
                break
        return run

    def _left(self) -> RunRow | None:
        return self.connection.runs.filter(**_ACTIVE).order_by("created").first()

    def _carried(self, left: RunRow) -> Run:
        is_plain = left.kind == RunRow.Kind.SYNC and not {"dry_run", "plan"} & {
            name for name, value in left.options.items() if value
        }
        if is_plain:
            return self._work(left)
        RunRow.objects.filter(pk=left.pk, **_HELD).update(lease_until=F("created"))
        run = self._call(Call(dispatch.WAKE_TASK, str(left.pk)))
        left.refresh_from_db()
        return Run(ended="LostLease: the run goes on.", reports=()) if left.is_active else run

    def _work(self, row: RunRow) -> Run:
        """Claim a run, as a worker does after the lease of another one ended, and carry it."""
        RunRow.objects.filter(pk=row.pk, **_HELD).update(lease_until=row.created)
        claimed = lease.claim(row.pk, "chaos")
        if claimed is None:
            return Run(ended=f"LostLease: run {row.pk} cannot be claimed.", reports=())
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

    def _hired_server(self, url: str, user_name: str, secret: str) -> StormyServer:
        login = (url, user_name, secret)
        return HiredServer(self.server, self.weather, login, self.door.session())

    def _hired_client(self, organization: Organization, origin: str) -> StormyClient:
        return StormyClient(self.client, self.weather, origin=origin)

    def _is_apart(self) -> bool:
        """Return whether statements are those of a user, of another worker, or our own looks."""
        return self.weather.is_busy or self.server.is_telling or self.client.is_telling

    def _is_delivering(self) -> bool:
        """Return whether this worker has the lane: whoever shares its session would get it too."""
        try:
            lane.check(self.connection.pk)
        except LostLease:
            return False
        return True

    def _was_read(self, name: str) -> bool:
        links = Link.objects.filter(entity=self.key(name), state=LinkState.CURRENT)
        return links.exists()

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
