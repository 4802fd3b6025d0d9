"""A hosted client of a Dynamics twin, spoken to over real HTTP, whose changes are delivered."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from connections.connect import service
from connections.models import Connection
from organizations.models import ChangeLog, Organization
from organizations.records import RecordValue, Reference
from organizations.store import Store
from syncjobs import kinds
from syncjobs.models import OfflineTransaction, Run
from tests.connections.connect.live import Live
from tests.fakes.faulty import Faulty
from tests.fakes.server import Answer, Request, serve
from tests.syncjobs.making import make_run


@dataclass
class Watching(Faulty):
    """Keeps what was sent; strikes only when it is told to."""

    sent: list[Request] = field(default_factory=list)
    only: str = ""

    def __call__(self, request: Request) -> Answer:
        self.sent.append(request)
        if self.only and request.method != self.only:
            return self.forward(request)
        return super().__call__(request)

    def strike(self, *names: str, every: int = 1, only: str = "") -> None:
        """Let these faults strike from now on, `only` requests of this method; none ends it."""
        self.names, self.every, self.only, self.struck = names, every, only, []
        self._turns = itertools.cycle(names)

    def written(self) -> str:
        """Return all bodies of requests, those of batches too."""
        return "\n".join(request.body.decode() for request in self.sent)


@dataclass
class Field:
    """Both organizations, the connection between them, and the proxy it goes through."""

    connection: Connection
    server: Store
    client: Store
    proxy: Watching

    def sync(self) -> str:
        """Run Sync All to its end; return what its page says."""
        return self._run(Run.Kind.SYNC)

    def deliver(self) -> str:
        """Deliver the client's changes, and no more; return what the run's page says."""
        return self._run(Run.Kind.DELIVER)

    def rule(self, rule: str) -> None:
        """Let this rule decide conflicts."""
        self.connection.entities.update(conflict_rule=rule)

    def due(self) -> None:
        """Let all that waits be tried again at once."""
        self.connection.transactions.update(next_attempt=None)

    def transactions(self) -> list[OfflineTransaction]:
        """Return all transactions, oldest first."""
        return list(self.connection.transactions.all())

    def values(self, side: str, entity: str, record: str, *names: str) -> list[RecordValue]:
        """Return values of a record of one side."""
        found = self._store(side).get(entity, record).values
        return [found.get(name) for name in names]

    def has(self, side: str, entity: str, record: str) -> bool:
        """Return whether one side has a record."""
        store = self._store(side)
        definition = store.catalog.entity(entity)
        return bool(store.fetch(definition, [definition.primary_id], [record]))

    def writes(self, record: str) -> list[str]:
        """Return what was done to a record of the server, in order."""
        log = ChangeLog.objects.filter(organization=self.server.organization, record=record)
        return list(log.order_by("version").values_list("action", flat=True))

    def _store(self, side: str) -> Store:
        return self.server if side == "server" else self.client

    def _run(self, kind: str) -> str:
        run = make_run(self.connection, kind=kind, state=Run.State.RUNNING, fence=1)
        try:
            return kinds.sync_all(run).message
        finally:
            Run.objects.filter(pk=run.pk).update(state=Run.State.SUCCEEDED)


@contextmanager
def making(live: Live, *entities: str) -> Iterator[Field]:
    """Connect the client to the twin, through a proxy, and take over the twin's metadata."""
    base, _, path = live.url.partition("/dynamics/")
    proxy = Watching(base)
    with serve(proxy) as url:
        near = replace(live, url=f"{url}/dynamics/{path}")
        connection = near.connect(*entities)
        service.carry_out(connection)
        organization = Organization.objects.get(name="field")
        yield Field(connection, Store(live.twin), Store(organization), proxy)


def to(entity: str, record: str) -> Reference:
    """Return a lookup's value."""
    return Reference(entity, record)
