"""Taking a client for a connection: made or found, and nobody else's client already."""

from __future__ import annotations

from uuid import UUID

from django.db import connection as database
from django.db.models import Q

from connections import secrets
from connections.connect.clients import BACKEND, Client, NewClient, RemoteClient
from connections.connect.errors import ClientTaken
from connections.models import Connection, Endpoint
from organizations import catalog, deletions
from organizations.members import add_member
from organizations.models import Organization


def take(client: Client, server_id: str) -> Endpoint:
    """Return the endpoint of a client that is to be connected to the server with that id.

    In the caller's transaction. Raises ClientTaken, and AlreadyExists for a name.
    """
    if isinstance(client, RemoteClient):
        return _take_remote(client, server_id)
    organization = client if isinstance(client, Organization) else _make(client)
    _check_free(str(organization.pk), server_id)
    return Endpoint.objects.create(backend=Endpoint.Backend.HOSTED, organization=organization)


def check_same(connection: Connection, client: Client) -> None:
    """Raise ClientTaken unless the client is the one that is connected; keep its newest login."""
    endpoint = connection.client
    if isinstance(client, RemoteClient):
        is_same = endpoint.organization_id_seen == client.identity.organization_id
    else:
        is_same = isinstance(client, Organization) and endpoint.organization_id == client.pk
    if not is_same:
        raise ClientTaken(
            f"The name '{connection.name}' is that of a connection with another client. Choose "
            "another name, or disconnect that one first."
        )
    if isinstance(client, RemoteClient):
        save_login(endpoint, client)


def save_login(endpoint: Endpoint, client: RemoteClient) -> None:
    """Keep how a remote client is reached, and which organization it said it is."""
    endpoint.url, endpoint.user_name = client.login.url, client.login.user_name.strip()
    endpoint.sealed_secret = secrets.seal(client.login.password, str(endpoint.pk))
    endpoint.organization_id_seen = client.identity.organization_id
    endpoint.organization_name_seen = client.identity.organization_name[:160]
    endpoint.save()


def _take_remote(client: RemoteClient, server_id: str) -> Endpoint:
    if Organization.objects.filter(name=client.name).exists():
        raise ClientTaken(
            f"'{client.name}' is the name of an organization hosted here. Choose another name for "
            "the client that is hosted elsewhere."
        )
    _check_free(client.identity.organization_id, server_id)
    endpoint = Endpoint(backend=BACKEND)
    save_login(endpoint, client)
    return endpoint


def _check_free(organization_id: str, server_id: str) -> None:
    """Raise ClientTaken if the organization has a server already, or is the server itself."""
    if organization_id == server_id:
        raise ClientTaken("Server and client are the same organization.")
    with database.cursor() as cursor:
        # Two requests at once for one organization under two names: the second one waits.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [organization_id])
    clients = Endpoint.objects.filter(server_connection__isnull=False)
    own = Q(organization_id_seen=organization_id) | Q(organization=UUID(organization_id))
    if clients.filter(own).exists():
        raise ClientTaken(
            "This client organization is connected to a server already. A client has one server: "
            "disconnect it first."
        )


def _make(client: NewClient) -> Organization:
    organization = catalog.create_organization(
        client.name,
        Organization.Kind.CLIENT,
        display_name=client.person.get("company", ""),
    )
    deletions.define(organization)
    member = add_member(organization, client.email, client.password, is_administrator=True)
    for name, text in client.person.items():
        setattr(member, name, text)
    member.save()
    return organization
