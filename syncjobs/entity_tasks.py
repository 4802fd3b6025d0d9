"""What a run carries: one `EntityTask` per enabled entity, from rows and metadata.

The client's definitions are the metadata both sides agreed on at the last Update Server; what is
local to the client is left out. The server's own metadata are not read again in every run: an
organization's are many megabytes, and a change met while reading ends that entity by itself
("metadata changed", design 5.1.11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from connections import filters
from connections.connectors.base import Connector
from connections.connectors.dynamics import tracking
from connections.errors import UnknownEntity
from connections.models import Connection, Endpoint, SyncedEntity
from organizations.errors import InvalidRequest, NotFound
from organizations.query.nodes import Query
from organizations.schema import VERSION, Attribute, Entity, Origin
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
    """Yield a task, or the reason why there is none, for each row in order.

    `advanced`: the server's own tracking is read (`is_tracked`).
    """
    known: dict[str, Entity] = {}

    def entity(name: str) -> Entity:
        if name not in known:
            known[name] = _described(client, name)
        return known[name]

    for row in rows:
        yield _build(row, entity, is_tracked=advanced)


def is_tracked(connection: Connection) -> bool:
    """Return whether the server's own tracking is read: Advanced Sync Deletion (mission.md D23)."""
    is_dynamics = connection.server.backend == Endpoint.Backend.DYNAMICS
    return is_dynamics and connection.entities.filter(name=tracking.ENTITY, enabled=True).exists()


def _build(
    row: SyncedEntity, entity: Callable[[str], Entity], *, is_tracked: bool
) -> EntityTask | Unbuilt:
    if row.problem:
        return Unbuilt(row.name, row.problem)
    try:
        both = entity(row.name)
        query = _query(row, both, entity)
    except UnknownEntity:
        return Unbuilt(
            row.name, f"The client has no definition of '{row.name}' yet. Run Update Server."
        )
    except InvalidRequest as error:
        return Unbuilt(row.name, f"The sync filter cannot be used: {error}")
    served = tuple(sorted(filter(_is_served, both.attributes), key=_place))
    return EntityTask(
        key=row.pk,
        server=replace(both, attributes=served),
        client=both,
        attributes=tuple(attribute for attribute in served if attribute.name != VERSION),
        query=query,
        sync_deletion=row.sync_deletion,
        is_tracked=is_tracked and not row.sync_deletion and row.name != tracking.ENTITY,
        is_tracking=is_tracked and row.name == tracking.ENTITY,
        leaving=Leaving(row.leaving or Leaving.DELETE),
        conflict_rule=ConflictRule(row.conflict_rule),
    )


def _query(row: SyncedEntity, both: Entity, entity: Callable[[str], Entity]) -> Query | None:
    """Return the entity's filter; that of pairs is made of the filters of what they join."""
    pair = both.intersect
    if pair is None:
        return filters.read(row.filter_xml, row.name, entity)
    joined = SyncedEntity.objects.filter(
        connection=row.connection_id, name__in=(pair.entity1, pair.entity2), enabled=True
    )
    found = ((end.name, filters.read(end.filter_xml, end.name, entity)) for end in joined)
    return filters.of_pairs(pair, {name: query for name, query in found if query}, entity)


def _described(client: Connector, name: str) -> Entity:
    try:
        return next(iter(client.describe([name])))
    except NotFound as error:
        raise UnknownEntity(name) from error


def _is_served(attribute: Attribute) -> bool:
    """Return whether the server has it; its version is never carried, but readers go by it."""
    return attribute.is_stored and not attribute.is_hidden and attribute.origin is Origin.SERVER


def _place(attribute: Attribute) -> tuple[bool, str]:
    """Sort as the engine's layout does, so that rows need no rearranging."""
    return not attribute.is_primary_id, attribute.name
