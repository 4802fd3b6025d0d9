"""What a run carries: one `EntityTask` per enabled entity, from rows and metadata.

A hosted client's definitions are the metadata both sides agreed on at the last Update Server; what
is local to the client is left out, as is what a client elsewhere lacks. The server's own metadata
are not read again in every run: an organization's are many megabytes, and a change met while
reading ends that entity by itself ("metadata changed", design 5.1.11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from connections import filters
from connections.connectors.base import Connector
from connections.connectors.dynamics import tracking
from connections.errors import UnknownEntity
from connections.metadata.agreed import Definitions
from connections.models import Connection, Endpoint, SyncedEntity
from connections.naming.choosing import names_of
from connections.naming.names import SAME, Names
from organizations.errors import InvalidRequest
from organizations.query.nodes import Query
from organizations.schema import VERSION, Attribute, Entity
from syncjobs.engine.protocols import Reporter
from syncjobs.engine.values import ConflictRule, EntityTask, Leaving, Problem


@dataclass(frozen=True, slots=True)
class Unbuilt:
    """An enabled entity that cannot be carried, and why."""

    name: str
    reason: str


def chosen(connection: Connection, names: Sequence[str]) -> list[SyncedEntity]:
    """Return the enabled entities, only those of `names` if any; the engine orders them.

    What the server tracks belongs to every run: deletions of any entity may stand there.
    """
    rows = connection.entities.filter(enabled=True)
    return list(rows.filter(name__in=[*names, tracking.ENTITY]) if names else rows)


def told(
    rows: Iterable[SyncedEntity], client: Connector, reporter: Reporter, code: str
) -> list[EntityTask]:
    """Return the tasks of rows of one connection.

    What cannot be built is a problem of that code, and a failed entity.
    """
    tasks = []
    rows = list(rows)
    advanced = bool(rows) and is_tracked(rows[0].connection)
    for built in build(rows, client, advanced=advanced):
        if isinstance(built, EntityTask):
            tasks.append(built)
        else:
            reporter.problem(Problem(entity=built.name, record="", code=code, message=built.reason))
            reporter.entity_finished(built.name, failed=built.reason)
    return tasks


def build(
    rows: Iterable[SyncedEntity], client: Connector, *, advanced: bool = False
) -> Iterator[EntityTask | Unbuilt]:
    """Yield a task, or the reason why there is none, for each row of a connection in order.

    `advanced`: the server's own tracking is read (`is_tracked`).
    """
    rows = list(rows)
    definitions = Definitions(client, _elsewhere(rows))
    names = names_of(rows[0].connection_id) if rows and rows[0].connection_id else SAME
    for row in rows:
        yield _build(row, definitions, names, is_tracked=advanced)


def _elsewhere(rows: Sequence[SyncedEntity]) -> Connection | None:
    """Return the rows' connection if its client is not hosted here."""
    if not rows or rows[0].connection_id is None:
        return None
    connection = rows[0].connection
    return connection if connection.client.organization_id is None else None


def is_tracked(connection: Connection) -> bool:
    """Return whether the server's own tracking is read: Advanced Sync Deletion (mission.md D23)."""
    is_dynamics = connection.server.backend == Endpoint.Backend.DYNAMICS
    return is_dynamics and connection.entities.filter(name=tracking.ENTITY, enabled=True).exists()


def _build(
    row: SyncedEntity, definitions: Definitions, names: Names, *, is_tracked: bool
) -> EntityTask | Unbuilt:
    if row.problem:
        return Unbuilt(row.name, row.problem)
    try:
        both = definitions.agreed(row.name)
        query = _query(row, both.server, definitions.schema, names)
    except UnknownEntity:
        return Unbuilt(
            row.name, f"The client has no definition of '{row.name}' yet. Run Update Server."
        )
    except InvalidRequest as error:
        return Unbuilt(row.name, f"The sync filter cannot be used: {error}")
    served = tuple(sorted(both.server.attributes, key=_place))
    return EntityTask(
        key=row.pk,
        server=replace(both.server, attributes=served),
        client=both.client,
        attributes=tuple(attribute for attribute in served if attribute.name != VERSION),
        query=query,
        sync_deletion=row.sync_deletion,
        is_tracked=is_tracked and not row.sync_deletion and row.name != tracking.ENTITY,
        is_tracking=is_tracked and row.name == tracking.ENTITY,
        leaving=Leaving(row.leaving or Leaving.DELETE),
        conflict_rule=ConflictRule(row.conflict_rule),
        names=names.digest(row.name),
    )


def _query(
    row: SyncedEntity, both: Entity, entity: Callable[[str], Entity], names: Names
) -> Query | None:
    """Return the entity's filter; that of pairs is made of the filters of what they join."""
    pair = both.intersect
    if pair is None:
        return filters.read(row.filter_xml, row.name, entity, names)
    joined = SyncedEntity.objects.filter(
        connection=row.connection_id, name__in=(pair.entity1, pair.entity2), enabled=True
    )
    found = ((end.name, filters.read(end.filter_xml, end.name, entity, names)) for end in joined)
    return filters.of_pairs(pair, {name: query for name, query in found if query}, entity)


def _place(attribute: Attribute) -> tuple[bool, str]:
    """Sort as the engine's layout does, so that rows need no rearranging."""
    return not attribute.is_primary_id, attribute.name
