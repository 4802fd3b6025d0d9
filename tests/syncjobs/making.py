"""Rows for the tests of runs and doors."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID, uuid4

from django.db import connection as database

from connections.models import Connection, Endpoint, SyncedEntity
from organizations.catalog import create_organization, define, enable
from organizations.models import Member, Organization
from organizations.query.nodes import Query
from organizations.schema import Attribute, AttributeType, Entity
from organizations.store import Store
from syncjobs.causes import cause_of
from syncjobs.models import OfflineTransaction, Run, SyncJob

PASSWORD = "correct horse battery"


def make_organization(name: str, kind: str = Organization.Kind.CLIENT) -> Organization:
    return Organization.objects.create(name=name, kind=kind)


def make_member(organization: Organization, email: str, *, is_administrator: bool = True) -> Member:
    member = Member(organization=organization, email=email, is_administrator=is_administrator)
    member.set_password(PASSWORD)
    member.save()
    return member


def make_connection(
    name: str = "field", *, entities: tuple[str, ...] = ("account",), **more: Any
) -> Connection:
    """A connection between two rows of organizations that hold nothing."""
    server = Endpoint.objects.create(
        backend=Endpoint.Backend.HOSTED,
        organization=make_organization(f"{name}-server", Organization.Kind.DYNAMICS_TWIN),
    )
    client = Endpoint.objects.create(
        backend=Endpoint.Backend.HOSTED, organization=make_organization(name)
    )
    connection = Connection.objects.create(
        name=name, server=server, client=client, **{"state": Connection.State.READY} | more
    )
    for entity in entities:
        SyncedEntity.objects.create(
            connection=connection, name=entity, label=entity.title(), enabled=True
        )
    return connection


def make_run(connection: Connection, **more: Any) -> Run:
    values: dict[str, Any] = {"kind": Run.Kind.SYNC, "reason": "test"}
    return Run.objects.create(connection=connection, **values | more)


def make_transaction(connection: Connection, **more: Any) -> OfflineTransaction:
    """A change of the first entity that was not accepted, unless `more` says otherwise."""
    values: dict[str, Any] = {
        "entity": connection.entities.earliest("pk"),
        "client_id": uuid4(),
        "action": "update",
        "changes": {"name": ["Old", "New"]},
        "version": 1,
        "first_version": 1,
        "status": "error",
        "code": "0x80048408",
        "message": "State code is invalid.",
    } | more
    if values["status"] == "error":
        values["cause"] = cause_of(values["code"], values["message"])
    return OfflineTransaction.objects.create(connection=connection, **values)


def make_job(connection: Connection, **more: Any) -> SyncJob:
    return SyncJob.objects.create(connection=connection, **more)


def basic(user_name: str, password: str = PASSWORD) -> dict[str, str]:
    """Headers of Basic authentication, for Django's test client."""
    token = base64.b64encode(f"{user_name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def make_entity(name: str = "account") -> Entity:
    """An entity with an id and a name."""
    return Entity(
        name=name,
        primary_id=f"{name}id",
        primary_name="name",
        set_name=f"{name}s",
        attributes=(
            Attribute(name=f"{name}id", type=AttributeType.UNIQUEIDENTIFIER, is_primary_id=True),
            Attribute(name="name", type=AttributeType.STRING, max_length=100, is_primary_name=True),
        ),
    )


def make_pair(name: str = "field", *, entities: tuple[str, ...] = ("account",)) -> Connection:
    """A connection between two hosted organizations with the same metadata and no records."""
    ends = []
    for side in (f"{name}-server", name):
        organization = create_organization(side, Organization.Kind.CLIENT)
        define(organization, [make_entity(entity) for entity in entities])
        enable(organization, entities)
        ends.append(
            Endpoint.objects.create(backend=Endpoint.Backend.HOSTED, organization=organization)
        )
    connection = Connection.objects.create(
        name=name, server=ends[0], client=ends[1], state=Connection.State.READY
    )
    for entity in entities:
        SyncedEntity.objects.create(connection=connection, name=entity, enabled=True)
    return connection


def server_store(connection: Connection) -> Store:
    assert connection.server.organization is not None
    return Store(connection.server.organization)


def client_store(connection: Connection) -> Store:
    assert connection.client.organization is not None
    return Store(connection.client.organization)


def fill(connection: Connection, count: int, *, entity: str = "account") -> None:
    """Write that many records to the server."""
    rows = [(str(UUID(int=number)), f"{entity} {number}") for number in range(1, count + 1)]
    server_store(connection).load(entity, (f"{entity}id", "name"), rows)


def names(store: Store, entity: str = "account") -> dict[str, Any]:
    """Id → name of all records."""
    found = store.query(Query(entity=entity, select_all=True, count=100_000))
    return {str(row[f"{entity}id"]): row["name"] for row in found.rows}


def drop_organizations() -> None:
    """Remove the schemas of organizations, which the emptying of tables between tests leaves."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace "
            "WHERE nspname LIKE 'org\\_%'"
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
