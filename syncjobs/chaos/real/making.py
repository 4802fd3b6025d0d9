"""Making the two organizations of a world and the connection between them, and removing them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from connections import secrets as sealing
from connections.connect import service
from connections.models import Connection, Endpoint, SyncedEntity
from organizations import deletions
from organizations.catalog import create_organization, define, delete_organization, enable
from organizations.models import Application, Organization
from syncjobs.chaos.memory_guard import LIMITS
from syncjobs.chaos.real.entities import NAMES, make_entities

SERVER, CLIENT = "chaos-server", "chaos-client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Both organizations, the connection, and the twin's address, user name and secret."""

    twin: Organization
    client: Organization
    connection: Connection
    login: tuple[str, str, str]


@contextmanager
def pair(base: str, *, is_strict: bool) -> Iterator[Pair]:
    """Have an empty twin, served at `base`, and a client connected to it, ready and empty."""
    remove()
    try:
        yield _make(base, is_strict=is_strict)
    finally:
        remove()


def _make(base: str, *, is_strict: bool) -> Pair:
    twin = create_organization(SERVER, Organization.Kind.DYNAMICS_TWIN)
    define(twin, make_entities(is_strict=is_strict))
    enable(twin, NAMES)
    application, secret = Application(organization=twin, name="chaos"), secrets.token_urlsafe()
    application.set_secret(secret)
    application.save()
    login = (f"{base}/dynamics/{SERVER}", str(application.pk), secret)
    client = create_organization(CLIENT, Organization.Kind.CLIENT)
    deletions.define(client)
    connection = _connect(client, *login)
    return Pair(twin=twin, client=client, connection=connection, login=login)


def _connect(client: Organization, url: str, user_name: str, secret: str) -> Connection:
    server = Endpoint(backend=Endpoint.Backend.DYNAMICS, url=url, user_name=user_name)
    server.sealed_secret = sealing.seal(secret, str(server.pk))
    server.save()
    near = Endpoint.objects.create(backend=Endpoint.Backend.HOSTED, organization=client)
    connection = Connection.objects.create(
        name=client.name,
        server=server,
        client=near,
        delete_limit=LIMITS.most,
        delete_floor=LIMITS.floor,
        delete_percent=LIMITS.percent,
    )
    rows = [SyncedEntity(connection=connection, name=name, enabled=True) for name in NAMES]
    SyncedEntity.objects.bulk_create(rows)
    service.carry_out(connection)
    return Connection.objects.get(pk=connection.pk)


def remove() -> None:
    """Remove both organizations and the connection, as far as they are there."""
    Connection.objects.filter(name=CLIENT).delete()
    Endpoint.objects.filter(server_connection=None, clients=None).delete()
    for organization in Organization.objects.filter(name__in=(SERVER, CLIENT)):
        delete_organization(organization)
