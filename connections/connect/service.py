"""Connecting: from a proven request to a connection, and from a connection to its metadata.

1. `proof.prove` checks the request against the server; nothing is saved yet.
2. `connect` writes everything in one transaction: the client organization and its administrator
   where new, both endpoints, the connection, the entities chosen and their filters.
3. `carry_out`, in a job, takes over the metadata, makes the tables and says "ready".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils import timezone

from connections import registry, secrets
from connections.connect import taking
from connections.connect.clients import Client as Client
from connections.connect.clients import NewClient as NewClient
from connections.connect.errors import ClientTaken
from connections.connect.proof import Proof
from connections.connect.request import EntityChoice
from connections.connectors.base import Connector, EntitySummary
from connections.errors import ConnectorError, PlanChanged, Refused, UnknownEntity
from connections.metadata import carried
from connections.metadata.impact import StoreImpact
from connections.metadata.plan import MetadataPlan
from connections.metadata.remote import RemoteUpdate
from connections.metadata.stamps import Stamp, is_due
from connections.metadata.update import MetadataUpdate, Progress, silent
from connections.models import Connection, Endpoint, SyncedEntity
from connections.naming import choosing
from connections.naming.names import Names
from organizations import catalog
from organizations.catalog import Catalog
from organizations.errors import AlreadyExists, OrganizationError, SchemaConflict
from organizations.models import Organization
from organizations.schema import Entity

_ROWS_AT_ONCE = 200


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
    request = proof.request
    connection = check_free(client.name, request.backend, request.url)
    if connection is None:
        connection = _make_connection(proof, client)
        _choose(connection, proof.entities or _usual(proof.listed), proof.listed)
    else:
        _check_again(connection, proof, client)
        if proof.entities is not None:
            _choose(connection, proof.entities, proof.listed)
    _save_server(connection.server, proof)
    if proof.request.write_offline is not None:
        connection.write_mode = _write_mode(offline=proof.request.write_offline)
        connection.save(update_fields=["write_mode", "modified"])
    if proof.filters is not None:
        _save_filters(connection, proof.filters)
    return connection


def carry_out(
    connection: Connection,
    *,
    approved: MetadataPlan | None = None,
    full: bool = False,
    progress: Progress = silent,
) -> MetadataPlan:
    """Take over the server's metadata and make the connection ready (Update Server).

    `full`: read everything, also where the server says that it did not change. Raises connector
    errors and errors of organizations; then the connection says why, and can be tried again.
    """
    organization = connection.client.organization
    try:
        if organization is None:
            plan = _take_over_elsewhere(connection, approved, progress)
        else:
            plan = _take_over(connection, organization, approved, full=full, progress=progress)
    except PlanChanged:  # says nothing of the connection: look at the new plan
        raise
    except (Refused, OrganizationError) as error:
        _stopped(connection, Connection.State.FAILED, str(error))
        raise
    except ConnectorError as error:
        _stopped(connection, Connection.State.SETTING_UP, str(error))
        raise
    if (connection.state, connection.problem) != (Connection.State.READY, ""):
        _set_state(connection, Connection.State.READY, "")
    return plan


def _take_over(
    connection: Connection,
    organization: Organization,
    approved: MetadataPlan | None,
    *,
    full: bool,
    progress: Progress,
) -> MetadataPlan:
    with registry.connector(connection.server, origin=str(connection.id)) as server:
        update = _update(connection, organization, server, full=full, progress=progress)
        plan = update.apply(approved)
    if not update.scope.is_nothing:
        choosing.keep(connection, update.names)
        refresh_entities(connection, update.listed)
        choosing.settle(connection)
    enable_tables(connection)
    _remember(connection, update, plan)
    return plan


def _take_over_elsewhere(
    connection: Connection, approved: MetadataPlan | None, progress: Progress
) -> MetadataPlan:
    with _both(connection) as (server, client):
        names = _names_elsewhere(connection, server, client)
        update = RemoteUpdate(connection, choosing.named(server, names), client, progress)
        plan = update.apply(approved)
    choosing.keep(connection, names)
    refresh_entities(connection, update.listed)
    return plan


def _names_elsewhere(connection: Connection, server: Connector, client: Connector) -> Names:
    """Return the names, with suggestions for enabled entities that the client has already."""

    def known(name: str) -> Entity | None:
        try:
            return next(iter(client.describe([name])))
        except UnknownEntity:
            return None

    enabled = connection.entities.filter(enabled=True).values_list("name", flat=True)
    return choosing.with_suggestions(connection, server, enabled, known)


@contextmanager
def _both(connection: Connection) -> Iterator[tuple[Connector, Connector]]:
    """Open server and client, after both proved to be the organizations that were connected."""
    origin = str(connection.id)
    with (
        registry.connector(connection.server, origin=origin) as server,
        registry.connector(connection.client, origin=origin) as client,
    ):
        _check_identity(connection.server, server.identify().organization_id)
        _check_identity(connection.client, client.identify().organization_id)
        yield server, client


def cancelled(connection: Connection) -> None:
    """Say on a connection that was being set up that somebody stopped it."""
    if connection.state != Connection.State.READY:
        problem = "Setting up was cancelled. Update Server goes on with it."
        _set_state(connection, Connection.State.SETTING_UP, problem)


def preview(
    connection: Connection, *, full: bool = False, progress: Progress = silent
) -> MetadataPlan:
    """Return what Update Server would do now; writes nothing."""
    organization = connection.client.organization
    if organization is None:
        with _both(connection) as (server, client):
            renamed = choosing.named(server, _names_elsewhere(connection, server, client))
            return RemoteUpdate(connection, renamed, client, progress).preview()
    with registry.connector(connection.server, origin=str(connection.id)) as server:
        return _update(connection, organization, server, full=full, progress=progress).preview()


def _update(
    connection: Connection,
    organization: Organization,
    server: Connector,
    *,
    full: bool,
    progress: Progress,
) -> MetadataUpdate:
    """Return the update, after proving which organization the server is.

    That is asked only when something is to be read: "nothing changed" is one request, and what
    writes nothing can take over nothing from a stranger.
    """
    before = Stamp(
        text="" if full else connection.metadata_stamp,
        behind=tuple(connection.metadata_behind),
        at=connection.metadata_stamped,
    )
    impact = StoreImpact(organization)

    def naming(listed: Sequence[EntitySummary]) -> Names:
        names = (summary.name for summary in listed)
        known = Catalog(organization).find
        return choosing.with_suggestions(connection, server, names, known)

    update = MetadataUpdate(server, organization, impact, progress, before, naming)
    if not update.scope.is_nothing:
        _check_identity(connection.server, server.identify().organization_id)
    return update


def _remember(connection: Connection, update: MetadataUpdate, plan: MetadataPlan) -> None:
    """Keep the stamp, unless nothing changed and the one we have is young."""
    now = timezone.now()
    if update.scope.is_nothing and not is_due(update.before, now):
        return
    stamp = update.stamp(plan)
    if stamp.text == connection.metadata_stamp == "":
        return
    connection.metadata_stamp, connection.metadata_stamped = stamp.text, now
    connection.metadata_behind = list(stamp.behind)
    connection.save(
        update_fields=["metadata_stamp", "metadata_stamped", "metadata_behind", "modified"]
    )


def refresh_entities(connection: Connection, listed: Sequence[EntitySummary]) -> None:
    """Bring the connection's grid up to date with the entities the server lists."""
    for start in range(0, len(listed), _ROWS_AT_ONCE):
        SyncedEntity.objects.bulk_create(
            [_row(connection, summary) for summary in listed[start : start + _ROWS_AT_ONCE]],
            update_conflicts=True,
            unique_fields=["connection", "name"],
            update_fields=["label", "is_intersect", "problem", "note"],
        )
    gone = connection.entities.exclude(name__in=[summary.name for summary in listed])
    gone.update(enabled=False, problem="The server has no such entity any more.")


def _row(connection: Connection, summary: EntitySummary) -> SyncedEntity:
    return SyncedEntity(
        connection=connection,
        name=summary.name,
        label=summary.label.text(fallback=summary.name)[:256],
        is_intersect=summary.is_intersect,
        problem=summary.problem,
        note=summary.note,
    )


def enable_tables(connection: Connection) -> None:
    """Make the tables of all enabled entities, and of the parties of enabled activities.

    A client that is not hosted here has its own; Update Server says what it lacks.
    """
    organization = connection.client.organization
    if organization is None:
        return
    known = catalog.Catalog(organization)
    names = list(connection.entities.filter(enabled=True).values_list("name", flat=True))
    if any(known.entity(name).is_activity for name in names) and "activityparty" in known.names():
        names.append("activityparty")
    catalog.enable(organization, names)


def _make_connection(proof: Proof, client: Client) -> Connection:
    """Make it all, or find that another request was quicker: unique names decide."""
    try:
        with transaction.atomic():
            request = proof.request
            return Connection.objects.create(
                name=client.name,
                client=taking.take(client, proof.identity.organization_id),
                server=Endpoint.objects.create(backend=request.backend, url=request.url),
            )
    except (AlreadyExists, IntegrityError) as error:
        raise _overtaken(client.name) from error
    except SchemaConflict as error:
        raise ClientTaken(str(error)) from error


def _check_again(connection: Connection, proof: Proof, client: Client) -> None:
    """Raise ClientTaken unless the request may change what is connected already."""
    # Somebody who came to make the client has not proved to be its administrator.
    if isinstance(client, NewClient):
        raise _overtaken(client.name)
    Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    taking.check_same(connection, client)
    seen = connection.server.organization_id_seen
    if seen and seen != proof.identity.organization_id:
        raise ClientTaken(
            f"The client '{connection.name}' is connected to another organization that was at "
            f"{connection.server.url} (id {seen}). Disconnect it first."
        )


def _overtaken(name: str) -> ClientTaken:
    return ClientTaken(
        f"The client '{name}' was connected by another request just now. Sign in as its "
        "administrator to change the connection."
    )


def _usual(listed: tuple[EntitySummary, ...]) -> tuple[EntityChoice, ...]:
    return tuple(EntityChoice(name=item.name) for item in listed if carried.is_usual(item))


def _choose(
    connection: Connection, choices: tuple[EntityChoice, ...], listed: tuple[EntitySummary, ...]
) -> None:
    refresh_entities(connection, listed)
    names = {choice.name for choice in choices}
    connection.entities.exclude(name__in=names).update(enabled=False)
    connection.entities.filter(name__in=names).update(enabled=True)
    for switch in (True, False):
        chosen = [item.name for item in choices if item.sync_deletion is switch]
        connection.entities.filter(name__in=chosen).update(sync_deletion=switch)
        chosen = [item.name for item in choices if item.write_offline is switch]
        mode = _write_mode(offline=switch)
        connection.entities.filter(name__in=chosen).update(write_mode=mode)
    _keep_names(connection, choices)


def _keep_names(connection: Connection, choices: tuple[EntityChoice, ...]) -> None:
    """Keep the names that were told; the job takes the metadata over by them."""
    for choice in choices:
        if choice.names is not None:
            pairs = {here: there for here, there in choice.names.items() if here != there}
            connection.entities.filter(name=choice.name).update(names=pairs)
            Connection.objects.filter(pk=connection.pk).update(metadata_stamp="")


def _write_mode(*, offline: bool) -> str:
    return Connection.WriteMode.OFFLINE if offline else Connection.WriteMode.INSTANT


def _save_filters(connection: Connection, filters: Mapping[str, str]) -> None:
    connection.entities.exclude(name__in=filters).update(filter_xml="")
    for name, text in filters.items():
        connection.entities.filter(name=name).update(filter_xml=text)


def _save_server(endpoint: Endpoint, proof: Proof) -> None:
    endpoint.url = proof.request.url
    endpoint.user_name = proof.request.user_name
    endpoint.login_kind = proof.request.login_kind
    endpoint.authority = proof.request.authority
    endpoint.sealed_secret = secrets.seal(proof.request.password, str(endpoint.id))
    endpoint.organization_id_seen = proof.identity.organization_id
    endpoint.organization_name_seen = proof.identity.organization_name
    endpoint.save()


def _check_identity(endpoint: Endpoint, organization_id: str) -> None:
    if endpoint.organization_id_seen and endpoint.organization_id_seen != organization_id:
        raise Refused(
            f"What is at {endpoint.url} is another organization than the one that was "
            f"connected (id {organization_id}, not {endpoint.organization_id_seen}). If this is "
            "wanted, disconnect and connect again."
        )


def _stopped(connection: Connection, state: str, problem: str) -> None:
    """Say why setting up stopped; a connection that was ready goes on with what it has."""
    if connection.state == Connection.State.READY:
        state = Connection.State.READY
    _set_state(connection, state, problem)


def _set_state(connection: Connection, state: str, problem: str) -> None:
    Connection.objects.filter(id=connection.id).update(state=state, problem=problem)
    connection.state, connection.problem = state, problem


def _place(url: str) -> tuple[str, int | None, str]:
    parts = urlsplit(url)
    return (parts.hostname or "", parts.port, parts.path.rstrip("/").lower())
