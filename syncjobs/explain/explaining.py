"""Finding the record that is meant, and telling its story."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import Q

from connections import registry
from connections.connectors.base import Connector
from connections.errors import ConnectorError
from connections.models import Connection, SyncedEntity
from connections.naming.choosing import server_of
from organizations.errors import InvalidRequest, OrganizationError
from syncjobs import entity_tasks, undone
from syncjobs.engine.matching import MATCH_KEYS
from syncjobs.engine.values import EntityTask, LinkRow, LinkState
from syncjobs.explain import history, naming
from syncjobs.explain.history import Subject
from syncjobs.explain.naming import Named
from syncjobs.explain.sides import Look
from syncjobs.explain.story import Linked, Story
from syncjobs.models import LeftBehind, Link, OfflineTransaction, Run
from syncjobs.state import DatabaseState

STATES = {
    LinkState.CURRENT: "on both sides",
    LinkState.SERVER_DELETED: "deleted on the server, kept on the client",
    LinkState.LEFT_FILTER: "left the sync filter, kept on the client",
}


def explain(connection: Connection, record: str) -> Story:
    """Tell the story of a record, named by id or URL. Raises InvalidRequest (`record`)."""
    named = naming.parse(record)
    with _connectors(connection) as (server, client):
        entity = _entity(connection, named, server, client)
        return _told(entity, named.id, server, client)


@contextmanager
def _connectors(connection: Connection) -> Iterator[tuple[Connector, Connector]]:
    origin = str(connection.pk)
    with (
        server_of(connection, origin=origin) as server,
        registry.connector(connection.client, origin=origin) as client,
    ):
        yield server, client


def _entity(
    connection: Connection, named: Named, server: Connector, client: Connector
) -> SyncedEntity:
    rows = connection.entities.select_related("connection__client", "connection__server")
    if named.entity:
        enabled = list(rows.filter(enabled=True).values_list("name", flat=True))
        sets = {entity.set_name: entity.name for entity in client.describe(enabled)}
        every = rows.values_list("name", flat=True)
        return rows.get(name=naming.resolve(named.entity, every, sets))
    key = _known(connection, named.id) or _there(connection, named.id, server, client)
    if key is None:
        raise InvalidRequest(
            f"No enabled entity of '{connection.name}' has a record {named.id} on either side, and "
            "nothing is known of one. Name the entity too, if it was deleted: 'account <id>'.",
            "record",
        )
    return rows.get(pk=key)


def _known(connection: Connection, id_: str) -> int | None:
    """Return the entity that our own rows know the id of."""
    both = Q(server_id=id_) | Q(client_id=id_)
    found = (
        Link.objects.filter(both, entity__connection=connection),
        OfflineTransaction.objects.filter(connection=connection, client_id=id_),
        LeftBehind.objects.filter(entity__connection=connection, server_id=id_),
    )
    keys = (rows.values_list("entity", flat=True).first() for rows in found)
    return next((key for key in keys if key is not None), None)


def _there(connection: Connection, id_: str, server: Connector, client: Connector) -> int | None:
    """Return the enabled entity that has the record now, asked of the client first."""
    built = entity_tasks.build(entity_tasks.chosen(connection, ()), client)
    tasks = [task for task in built if isinstance(task, EntityTask)]
    for connector in (client, server):
        for task in tasks:
            primary = task.server.attribute(task.server.primary_id)
            entity = task.server if connector is server else task.client
            try:
                if connector.fetch(entity, (primary,) if primary else (), [id_]).rows:
                    return task.key
            except ConnectorError:
                # One that cannot be read is not where the record is found.
                continue
    return None


def _told(entity: SyncedEntity, id_: str, server: Connector, client: Connector) -> Story:
    link = _link(entity, id_)
    story = Story(
        entity=entity.name,
        server_id=link.server_id if link else id_,
        client_id=link.client_id if link else id_,
        link=_shown(entity, link),
    )
    look = _look(entity, server, client, story, link)
    subject = Subject(
        entity=entity,
        server_id=story.server_id,
        client_id=story.client_id,
        server=look.server.own if look and look.server else None,
        client=look.client.own if look and look.client else None,
    )
    story.waits, story.events = history.waits(subject), history.events(subject)
    if taken_back := undone.reasons(entity.pk, [story.client_id]).get(story.client_id):
        story.summary = story.summary if _is_equal(look) else taken_back
    return story


def _is_equal(look: Look | None) -> bool:
    if look is None or look.server is None or look.client is None:
        return False
    return look.server.digest == look.client.digest


def _look(
    entity: SyncedEntity,
    server: Connector,
    client: Connector,
    story: Story,
    link: LinkRow | None,
) -> Look | None:
    if not entity.enabled:
        story.notes.append("The entity is not enabled, so no run carries it.")
    if entity.names:
        told = ", ".join(f"{there} is {here}" for here, there in sorted(entity.names.items()))
        story.notes.append(f"Names are the client's. On the server {told}.")
    try:
        (task,) = entity_tasks.build([entity], client)
    except (ConnectorError, OrganizationError) as error:
        story.notes.append(f"The entity's metadata cannot be read: {error}")
        return None
    if not isinstance(task, EntityTask):
        story.notes.append(task.reason)
        return None
    state = DatabaseState(Run(connection=entity.connection))
    look = Look(server, client, task, state.translations(MATCH_KEYS), story)
    left = LeftBehind.objects.filter(entity=entity, server_id=story.server_id)
    look.look(link, is_left=left.exists())
    return look


def _link(entity: SyncedEntity, id_: str) -> LinkRow | None:
    state = DatabaseState(Run(connection=entity.connection))
    found = state.links(entity.pk, [id_]).get(id_)
    return found or state.links_by_client(entity.pk, [id_]).get(id_)


def _shown(entity: SyncedEntity, link: LinkRow | None) -> Linked | None:
    if link is None:
        return None
    taken_back = undone.reasons(entity.pk, [link.client_id]).get(link.client_id, "")
    return Linked(
        server_version=link.server_version,
        client_version=max(link.client_version, 0),
        state=STATES[LinkState(link.state)],
        taken_back=taken_back,
    )
