"""A twin served over HTTP, and a client connected to it without any door."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connections.connect import proof, service
from connections.connect.request import ConnectRequest, EntityChoice
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.errors import Retryable
from connections.metadata.plan import Item, MetadataPlan
from connections.models import Connection
from organizations.catalog import Catalog, create_organization, define, enable, hide
from organizations.models import Application, Organization
from organizations.samples import contoso
from organizations.schema import Attribute, Entity
from organizations.store import Store

SECRET = "a secret of the twin"
SERVED = (
    "account",
    "activityparty",
    "appointment",
    "competitor",
    "lead",
    "leadcompetitors",
    "new_equipment",
)


class BusyConnector(DynamicsConnector):
    """A server that is too busy for the second entity."""

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        yield next(super().describe(names))
        raise Retryable("The server is busy.")


@dataclass(frozen=True)
class Live:
    """One connection of one twin."""

    twin: Organization
    url: str
    client_id: str

    def request(self, **changes: Any) -> ConnectRequest:
        request = ConnectRequest(
            backend="dynamics", url=self.url, user_name=self.client_id, password=SECRET
        )
        return replace(request, **changes)

    def connect(self, *entities: str, **changes: Any) -> Connection:
        """Connect the client `field`: make it, or change what is there."""
        chosen = tuple(EntityChoice(name=name) for name in entities) or None
        proven = proof.prove(self.request(**{"entities": chosen} | changes))
        return service.connect(proven, self._client())

    def _client(self) -> service.Client:
        found = Organization.objects.filter(name="field").first()
        return found or service.NewClient(
            name="field",
            email="admin@field.example",
            password="a long enough phrase",
            person={"company": "Field"},
        )

    def entity(self, name: str) -> Entity:
        """Return the server's definition."""
        return Catalog(self.twin).entity(name)

    def change(self, name: str, **properties: Any) -> None:
        """Change properties of an entity on the server."""
        define(self.twin, [replace(self.entity(name), **properties)])

    def change_attribute(self, entity: str, name: str, **properties: Any) -> None:
        """Change properties of an attribute on the server."""
        self.change(
            entity,
            attributes=tuple(
                replace(item, **properties) if item.name == name else item
                for item in self.entity(entity).attributes
            ),
        )

    def add(self, entity: str, attribute: Attribute) -> None:
        """Add an attribute on the server."""
        self.change(entity, attributes=(*self.entity(entity).attributes, attribute))

    def remove_attribute(self, entity: str, name: str) -> None:
        """Remove an attribute from the server."""
        left = (item for item in self.entity(entity).attributes if item.name != name)
        self.change(entity, attributes=tuple(left))

    def remove(self, entity: str) -> None:
        """Remove an entity from the server."""
        hide(self.twin, [entity])


def client() -> Organization:
    return Organization.objects.get(name="field")


def held(name: str) -> Entity:
    """Return the client's definition."""
    return Catalog(client()).entity(name)


def attribute(entity: str, name: str) -> Attribute:
    found = held(entity).attribute(name)
    assert found is not None, name
    return found


def records() -> Store:
    """Return the client's records, by its newest metadata."""
    return Store(client())


def items(plan: MetadataPlan) -> list[Item]:
    return [item for entity in plan.entities for item in entity.items]


def lines(plan: MetadataPlan) -> list[str]:
    """Return verb, element and name of each item."""
    return [f"{item.verb} {item.element} {item.name}" for item in items(plan)]


@pytest.fixture
def live(transactional_db: None, live_server: LiveServer, settings: Settings) -> Live:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    base = live_server.url.replace("localhost", "127.0.0.1")
    twin = create_organization("contoso", Organization.Kind.DYNAMICS_TWIN)
    define(twin, [entity for entity in contoso.entities() if entity.name in SERVED])
    enable(twin, SERVED)
    application = Application(organization=twin, name="test")
    application.set_secret(SECRET)
    application.save()
    return Live(twin, f"{base}/dynamics/contoso", str(application.id))


@contextmanager
def nothing_written() -> Iterator[None]:
    """Check that the client's metadata and the connection stay as they are."""
    before = _state()
    yield
    assert _state() == before


def _state() -> tuple[Any, ...]:
    connections = list(Connection.objects.values("state", "problem", "modified"))
    return client().schema_version, connections, list(Catalog(client()).entities())
