"""Rows for the tests of runs and doors."""

from __future__ import annotations

import base64
from typing import Any

from connections.models import Connection, Endpoint, SyncedEntity
from organizations.models import Member, Organization
from syncjobs.models import Run, SyncJob

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


def make_job(connection: Connection, **more: Any) -> SyncJob:
    return SyncJob.objects.create(connection=connection, **more)


def basic(user_name: str, password: str = PASSWORD) -> dict[str, str]:
    """Headers of Basic authentication, for Django's test client."""
    token = base64.b64encode(f"{user_name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}
