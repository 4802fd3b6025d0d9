"""A client that was made as Sales, connected to a twin over HTTP (case 1b)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connections.models import Connection
from organizations import deletions
from organizations.catalog import Catalog, create_organization, define, enable
from organizations.errors import NotFound
from organizations.models import Organization
from organizations.samples import sales
from organizations.schema import Entity
from organizations.store import Store
from syncjobs import dispatch, runner
from syncjobs.models import Run, RunEntity
from tests.connections.connect.live import Live

ENTITIES = ("account", "lead", "competitor", "leadcompetitors", "appointment")
NATIVE = (*ENTITIES, "activityparty", "opportunity")
"""What the client has before; that the template makes all of it is tried with the command."""


@dataclass(frozen=True)
class AsSales:
    """The twin, and the client `field`, which has native entities of its own."""

    live: Live

    @property
    def connection(self) -> Connection:
        return Connection.objects.get(name="field")

    @property
    def server(self) -> Store:
        return Store(self.live.twin)

    @property
    def client(self) -> Store:
        return Store(Organization.objects.get(name="field"))

    def entity(self, name: str) -> Entity:
        """What the client has."""
        return Catalog(Organization.objects.get(name="field")).entity(name)

    def run(self, kind: str = Run.Kind.SYNC, **options: Any) -> Run:
        """Carry a run out as a worker does; it succeeds."""
        started = dispatch.start(self.connection, kind, reason="test", options=options)
        runner.work(started.pk)
        run = Run.objects.get(pk=started.pk)
        told = list(run.errors.values_list("entity", "record", "code", "message"))
        assert run.state == Run.State.SUCCEEDED, (run.message, told)
        return run

    def counts(self, run: Run, *names: str) -> tuple[int, ...]:
        """Sum up what a run did."""
        rows = RunEntity.objects.filter(run=run)
        return tuple(sum(getattr(row, name) for row in rows) for name in names)

    def has(self, entity: str, record: str) -> bool:
        try:
            self.client.get(entity, record)
        except NotFound:
            return False
        return True


def make_client() -> Organization:
    organization = create_organization("field", Organization.Kind.CLIENT)
    deletions.define(organization)
    native = [entity for entity in sales.entities() if entity.name in NATIVE]
    define(organization, native)
    enable(organization, NATIVE)
    return organization


def connected(live: Live, *entities: str, **changes: Any) -> AsSales:
    """Make the client, connect it, and take the server's metadata over."""
    make_client()
    live.connect(*(entities or ENTITIES), **changes)
    made = AsSales(live)
    made.run(Run.Kind.CONNECT)
    return made
