"""Connecting: from a proven request to a connection, and from a connection to its metadata.

1. `proof.prove` checks the request against the server; nothing is saved yet.
2. `connect` writes everything in one transaction: the client organization and its administrator
   where new, both endpoints, the connection, the entities chosen and their filters.
3. `carry_out`, in a job, takes over the metadata, makes the tables and says "ready".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db import transaction

from connections import registry, secrets
from connections.connect.errors import ClientTaken
from connections.connect.proof import Proof
from connections.connect.request import EntityChoice
from connections.connectors.base import EntitySummary
from connections.errors import Refused
from connections.metadata import carried
from connections.metadata.impact import StoreImpact
from connections.metadata.plan import MetadataPlan
from connections.metadata.update import MetadataUpdate, Progress, silent
from connections.models import Connection, Endpoint, SyncedEntity
from organizations import catalog
from organizations.members import add_member
from organizations.models import Organization


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """A client organization to make, with its first administrator."""

    name: str
    email: str
    password: str
    person: Mapping[str, str]


Client = Organization | NewClient
"""The client of a connection: an organization hosted here, or one to be made with it."""


def check_free(name: str, proof_backend: str, url: str) -> Connection | None:
    """Return the connection of a client if it is to this very server, None if there is none.

    Raises ClientTaken if the client is connected to another host or provider.
    """
    connection = Connection.objects.select_related("server").filter(name=name).first()
    if connection is None:
        return None
    server = connection.server
    if server.backend != proof_backend or _place(server.url) != _place(url):
        raise ClientTaken(
            f"The client '{name}' is connected to {server.get_backend_display()} at "
            f"{server.url} already. A client has one server: disconnect it first."
        )
    return connection


@transaction.atomic
def connect(proof: Proof, client: Client) -> Connection:
    """Save a proven connection, or what has changed of an existing one.

    Raises ClientTaken. The caller starts the job that calls `carry_out`.
    """
    name = client.name
    request = proof.request
    connection = check_free(name, request.backend, request.url)
    if connection is None:
        organization = client if isinstance(client, Organization) else _make_client(client)
        connection = Connection.objects.create(
            name=name,
            server=Endpoint.objects.create(backend=request.backend, url=request.url),
            client=Endpoint.objects.create(
                backend=Endpoint.Backend.HOSTED, organization=organization
            ),
        )
        _choose(connection, proof.entities or _usual(proof.listed), proof.listed)
    elif proof.entities is not None:
        _choose(connection, proof.entities, proof.listed)
    _save_server(connection.server, proof)
    if proof.filters is not None:
        _save_filters(connection, proof.filters)
    return connection


def carry_out(
    connection: Connection, *, approved: MetadataPlan | None = None, progress: Progress = silent
) -> MetadataPlan:
    """Take over the server's metadata and make the connection ready (Update Server).

    Raises connector errors; then the connection says why and can be tried again.
    """
    organization = _hosted_client(connection)
    try:
        with registry.connector(connection.server, origin=str(connection.id)) as server:
            _check_identity(connection.server, server.identify().organization_id)
            update = MetadataUpdate(server, organization, StoreImpact(organization), progress)
            plan = update.apply(approved)
            listed = list(server.entities())
    except Refused as error:
        _set_state(connection, Connection.State.FAILED, str(error))
        raise
    refresh_entities(connection, listed)
    enable_tables(connection)
    _set_state(connection, Connection.State.READY, "")
    return plan


def preview(connection: Connection, *, progress: Progress = silent) -> MetadataPlan:
    """Return what Update Server would do now; writes nothing."""
    organization = _hosted_client(connection)
    with registry.connector(connection.server, origin=str(connection.id)) as server:
        _check_identity(connection.server, server.identify().organization_id)
        return MetadataUpdate(server, organization, StoreImpact(organization), progress).preview()


def refresh_entities(connection: Connection, listed: list[EntitySummary]) -> None:
    """Bring the connection's grid up to date with the entities the server lists."""
    rows = [
        SyncedEntity(
            connection=connection,
            name=summary.name,
            label=summary.label.text(fallback=summary.name)[:256],
            is_intersect=summary.is_intersect,
            problem=carried.problem(summary.name),
        )
        for summary in listed
    ]
    SyncedEntity.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["connection", "name"],
        update_fields=["label", "is_intersect", "problem"],
    )
    gone = connection.entities.exclude(name__in=[summary.name for summary in listed])
    gone.update(enabled=False, problem="The server has no such entity any more.")


def enable_tables(connection: Connection) -> None:
    """Make the tables of all enabled entities, and of the parties of enabled activities."""
    organization = _hosted_client(connection)
    known = catalog.Catalog(organization)
    names = list(connection.entities.filter(enabled=True).values_list("name", flat=True))
    if any(known.entity(name).is_activity for name in names) and "activityparty" in known.names():
        names.append("activityparty")
    catalog.enable(organization, names)


def _hosted_client(connection: Connection) -> Organization:
    organization = connection.client.organization
    if organization is None:
        raise Refused(
            f"The client '{connection.name}' is not hosted here; its metadata cannot be updated."
        )
    return organization


def _make_client(client: NewClient) -> Organization:
    organization = catalog.create_organization(
        client.name,
        Organization.Kind.CLIENT,
        display_name=client.person.get("company", ""),
    )
    member = add_member(organization, client.email, client.password, is_administrator=True)
    for name, text in client.person.items():
        setattr(member, name, text)
    member.save()
    return organization


def _usual(listed: tuple[EntitySummary, ...]) -> tuple[EntityChoice, ...]:
    return tuple(EntityChoice(name=item.name) for item in listed if carried.is_usual(item))


def _choose(
    connection: Connection, choices: tuple[EntityChoice, ...], listed: tuple[EntitySummary, ...]
) -> None:
    refresh_entities(connection, list(listed))
    names = {choice.name for choice in choices}
    connection.entities.exclude(name__in=names).update(enabled=False)
    connection.entities.filter(name__in=names).update(enabled=True)
    for switch in (True, False):
        chosen = [item.name for item in choices if item.sync_deletion is switch]
        connection.entities.filter(name__in=chosen).update(sync_deletion=switch)


def _save_filters(connection: Connection, filters: Mapping[str, str]) -> None:
    connection.entities.exclude(name__in=filters).update(filter_xml="")
    for name, text in filters.items():
        connection.entities.filter(name=name).update(filter_xml=text)


def _save_server(endpoint: Endpoint, proof: Proof) -> None:
    endpoint.url = proof.request.url
    endpoint.user_name = proof.request.user_name
    endpoint.sealed_secret = secrets.seal(proof.request.password, str(endpoint.id))
    endpoint.organization_id_seen = proof.identity.organization_id
    endpoint.organization_name_seen = proof.identity.organization_name
    endpoint.save()


def _check_identity(endpoint: Endpoint, organization_id: str) -> None:
    if endpoint.organization_id_seen and endpoint.organization_id_seen != organization_id:
        raise Refused(
            f"The server at {endpoint.url} is another organization than the one that was "
            f"connected (id {organization_id}, not {endpoint.organization_id_seen}). If this is "
            "wanted, disconnect and connect again."
        )


def _set_state(connection: Connection, state: str, problem: str) -> None:
    if state == Connection.State.FAILED and connection.state == Connection.State.READY:
        state = Connection.State.READY
    Connection.objects.filter(id=connection.id).update(state=state, problem=problem)
    connection.state, connection.problem = state, problem


def _place(url: str) -> tuple[str, int | None, str]:
    parts = urlsplit(url)
    return (parts.hostname or "", parts.port, parts.path.rstrip("/").lower())
