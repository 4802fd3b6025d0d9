"""RC1 and RC2, both hosted here and both reached by their services only, as if they were not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from connections.connect import clients, proof, service
from connections.connect.clients import RemoteLogin
from connections.connect.request import ConnectRequest, EntityChoice
from connections.models import Connection
from organizations import deletions
from organizations.catalog import create_organization, define, enable
from organizations.members import add_member
from organizations.models import ChangeLog, Organization
from organizations.schema import Attribute, AttributeType, Entity, Label, Origin
from organizations.store import Store
from syncjobs import dispatch, runner
from syncjobs.models import Link, Run
from tests.syncjobs.making import make_entity, names

USER, PASSWORD = "admin@rc.example", "a long enough phrase"
RESCO_CLOUD = "2f7b6a1e-0c55-4d0e-9a3b-6f1f1f0f5a01"
T = AttributeType


def make_account() -> Entity:
    """An entity with a label, a text and a lookup to another entity."""
    plain = make_entity()
    more = (
        Attribute(name="city", type=T.STRING, max_length=40, label=Label.of({1033: "City"})),
        Attribute(name="parentid", type=T.LOOKUP, targets=("account",)),
    )
    return replace(plain, attributes=(*plain.attributes, *more), label=Label.of({1033: "Account"}))


def make_organization(name: str, *entities: Entity) -> Organization:
    """An organization with services, deletions told, and an administrator."""
    organization = create_organization(name, Organization.Kind.CLIENT)
    define(organization, entities)
    enable(organization, [entity.name for entity in entities])
    deletions.define(organization)
    add_member(organization, USER, PASSWORD, is_administrator=True)
    return organization


@dataclass(frozen=True)
class Elsewhere:
    """This installation's address, RC1 the server with an account, RC2 the client without."""

    base: str
    server: Organization
    client: Organization

    @classmethod
    def at(cls, base: str) -> Elsewhere:
        """Make both."""
        server = make_organization("rc1", make_account())
        return cls(base, server, make_organization("rc2"))

    @property
    def there(self) -> Store:
        """RC1's records, by its newest metadata."""
        return Store(Organization.objects.get(pk=self.server.pk))

    @property
    def here(self) -> Store:
        """RC2's records, by its newest metadata."""
        return Store(Organization.objects.get(pk=self.client.pk))

    def names(self) -> set[str]:
        """What RC1's accounts are called."""
        return set(names(self.there).values())

    @property
    def connection(self) -> Connection:
        return Connection.objects.get(name="remote")

    def written(self) -> tuple[Any, ...]:
        """Return what any write of a run would move, on both sides."""
        links = list(Link.objects.order_by("server_id", "pk").values())
        versions = Organization.objects.order_by("name").values_list("name", "row_version")
        return ChangeLog.objects.count(), list(versions), links

    def login(self, **changed: str) -> RemoteLogin:
        given = {"name": "remote", "url": f"{self.base}/rc2", "user_name": USER}
        return RemoteLogin(**{**given, "password": PASSWORD, **changed})

    def wanted(self, *entities: str) -> ConnectRequest:
        names = entities or ("account",)
        return ConnectRequest(
            backend="resco_cloud",
            url=f"{self.base}/rc1",
            user_name=USER,
            password=PASSWORD,
            entities=tuple(EntityChoice(name=name, sync_deletion=True) for name in names),
        )

    def save(self, *entities: str, **changed: str) -> Connection:
        """Prove both ends, and save."""
        who = clients.prove(self.login(**changed))
        return service.connect(proof.prove(self.wanted(*entities)), who)

    def connect(self, *entities: str, **changed: str) -> Connection:
        """Prove both ends, save, and carry the job out."""
        connection = self.save(*entities, **changed)
        work(connection, Run.Kind.CONNECT)
        connection.refresh_from_db()
        return connection


def work(connection: Connection, kind: str, *, ends: str = Run.State.SUCCEEDED) -> Run:
    """Carry a run out to its end."""
    run = dispatch.start(connection, kind, reason="test", inline=True)
    runner.work(UUID(str(run.pk)))
    run.refresh_from_db()
    told = [run.message, *run.errors.values_list("entity", "code", "message")]
    assert run.state == ends, told
    return run


def moved(run: Run) -> dict[str, dict[str, int]]:
    """Return what a run moved, of each entity that moved anything."""
    names = ("created", "updated", "deleted", "pushed")
    rows = {item.name: {n: getattr(item, n) for n in names} for item in run.entities.all()}
    kept = {name: {n: v for n, v in counts.items() if v} for name, counts in rows.items()}
    return {name: counts for name, counts in kept.items() if counts}


LOCAL = Attribute(name="mine", type=T.STRING, max_length=20, origin=Origin.LOCAL)
