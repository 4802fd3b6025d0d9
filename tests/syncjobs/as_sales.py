"""A client that was made as Sales, connected to a twin over HTTP (case 1b).

It is made once for all tests that share it; each makes records of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connections.connect import proof, service
from connections.connect.request import ConnectRequest, EntityChoice
from connections.models import Connection, Endpoint
from organizations import deletions
from organizations.catalog import (
    Catalog,
    create_organization,
    define,
    delete_organization,
    enable,
)
from organizations.errors import NotFound
from organizations.models import Application, Organization
from organizations.samples import contoso, sales
from organizations.schema import Entity
from organizations.store import Store
from syncjobs import dispatch, filter_changes, runner
from syncjobs.models import Run, RunEntity

SECRET = "a secret of the twin"
ENTITIES = ("account", "lead", "competitor", "leadcompetitors", "appointment")
NATIVE = (*ENTITIES, "activityparty", "opportunity")
"""What the client has before; that the template makes all of it is tried with the command."""


@dataclass(frozen=True)
class AsSales:
    """The twin, and the client, which has native entities of its own."""

    twin: Organization
    organization: Organization

    @property
    def connection(self) -> Connection:
        return Connection.objects.get(name=self.organization.name)

    @property
    def server(self) -> Store:
        return Store(self.twin)

    @property
    def client(self) -> Store:
        return Store(self.organization)

    def entity(self, name: str) -> Entity:
        """What the client has."""
        return Catalog(self.organization).entity(name)

    def filtered(self, entity: str, text: str) -> str:
        """Set the filter of an entity, after it was checked; return it as it is kept."""
        row = self.connection.entities.get(name=entity)
        row.filter_xml = filter_changes.checked(row, text)
        row.save()
        return row.filter_xml

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


def make_client(name: str) -> Organization:
    organization = create_organization(name, Organization.Kind.CLIENT)
    deletions.define(organization)
    native = [entity for entity in sales.entities() if entity.name in NATIVE]
    define(organization, native)
    enable(organization, NATIVE)
    return organization


def make_twin(name: str) -> tuple[Organization, Application]:
    organization = create_organization(name, Organization.Kind.DYNAMICS_TWIN)
    served = (*ENTITIES, "activityparty")
    define(organization, [entity for entity in contoso.entities() if entity.name in served])
    enable(organization, served)
    application = Application(organization=organization, name="test")
    application.set_secret(SECRET)
    application.save()
    return organization, application


def connected(base: str, name: str = "as-sales") -> AsSales:
    """Make both organizations, connect them, and take the server's metadata over."""
    twin, application = make_twin(f"{name}-twin")
    request = ConnectRequest(
        backend="dynamics",
        url=f"{base}/dynamics/{twin.name}",
        user_name=str(application.pk),
        password=SECRET,
        entities=tuple(EntityChoice(name=entity) for entity in ENTITIES),
    )
    client = make_client(name)
    service.connect(proof.prove(request), client)
    made = AsSales(twin, client)
    made.run(Run.Kind.CONNECT)
    return made


def removed(made: AsSales) -> None:
    """Leave nothing behind."""
    made.connection.delete()
    Endpoint.objects.filter(server_connection=None, clients=None).delete()
    for organization in (made.twin, made.organization):
        delete_organization(organization)
