"""A world over a hosted client, a Dynamics twin over HTTP, and the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from connections.connect import service
from connections.models import SyncedEntity
from organizations.dynamics import faults_switching
from organizations.models import TwinFault
from organizations.query import fetchxml_writer
from syncjobs.chaos.filters import NO_FILTER, SyncFilter, Tables, Values
from syncjobs.chaos.ledger import Ledger, Settings
from syncjobs.chaos.memory_world import begin
from syncjobs.chaos.program import Setting
from syncjobs.chaos.real import backups, making
from syncjobs.chaos.real.backups import Backup
from syncjobs.chaos.real.doors import Door
from syncjobs.chaos.real.entities import NAMES
from syncjobs.chaos.real.organizations import RealClient, RealServer
from syncjobs.chaos.real.remembered import Remembered
from syncjobs.chaos.real.users import TwinUser
from syncjobs.chaos.real.working import Working
from syncjobs.chaos.schema import ACCOUNT, PAIR
from syncjobs.chaos.weather import Fault
from syncjobs.engine.values import Side

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
class RealWorld(Working):
    """A world of rows, which administrators and the twin itself change."""

    _backup: Backup | None = None

    def __post_init__(self) -> None:
        """Look at what the connection remembers."""
        super().__post_init__()
        self.memory = Remembered(self.connection)

    # Changing

    def calm(self) -> None:
        """Let nothing more go wrong, nor the twin by itself, and what was left be carried on."""
        super().calm()
        self.workers.calm()
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
        """Run Update Server, where the server's definitions are not those that were taken over."""
        if self.server.is_altered:
            with self.server.fair():
                service.carry_out(self.connection)
        self.server.is_altered = False
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
        """Keep a copy of the twin's records."""
        self._backup = backups.take(self.pair.twin)

    def restore_backup(self) -> bool:
        """Let the twin become its copy; return whether there was one."""
        if self._backup is None:
            return False
        self.server.restore(self._backup)
        self._backup = None
        return True


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
