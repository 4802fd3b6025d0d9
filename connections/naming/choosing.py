"""The names kept with a connection: read, and suggested where nobody decided yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from connections import registry
from connections.connectors.base import Connector
from connections.models import Connection, Endpoint, SyncedEntity
from connections.naming.names import Names
from connections.naming.renamed import Renamed
from connections.naming.suggesting import is_native, suggested
from organizations.schema import Entity, Origin

MOST_TOLD = 10
"""Entities whose names a job's message lists."""

Known = Callable[[str], Entity | None]
"""Entity name → what the client has of that name; None where it has nothing."""


def names_of(connection: Connection | UUID) -> Names:
    """Return the names of a connection, or of that with this id."""
    rows = SyncedEntity.objects.filter(connection=connection, names__isnull=False)
    rows = rows.exclude(names={})
    return Names({name: pairs or {} for name, pairs in rows.values_list("name", "names")})


def server_of(connection: Connection, *, origin: str = "") -> Connector:
    """Return the (not yet opened) connector of a connection's server, in the client's names.

    Raises Refused as `registry.connector` does.
    """
    return named(registry.connector(connection.server, origin=origin), names_of(connection))


def named(server: Connector, names: Names) -> Connector:
    """Return a server in the client's names; the very same connector if all are the same."""
    return Renamed(server, names) if names else server


def with_suggestions(
    connection: Connection, server: Connector, listed: Iterable[str], known: Known
) -> Names:
    """Return the names of a connection, and suggestions for what nobody decided on yet.

    Those are entities of `listed`, what the server has, that the client had before it was
    connected. The server is asked for their metadata.
    """
    chosen = dict(names_of(connection).of)
    decided = connection.entities.filter(names__isnull=False)
    names = sorted(set(listed) - set(decided.values_list("name", flat=True)))
    had = {name: entity for name in names if (entity := known(name)) is not None}
    wanted = [name for name, entity in had.items() if _may_differ(connection, entity)]
    for entity in server.describe(wanted) if wanted else ():
        if pairs := suggested(entity, had[entity.name]):
            chosen[entity.name] = pairs
    return Names(chosen)


def _may_differ(connection: Connection, entity: Entity) -> bool:
    """Return whether a server may have other names; Dynamics never has the native key."""
    if entity.is_hidden or entity.is_view or entity.origin is Origin.LOCAL:
        return False
    return is_native(entity) or connection.server.backend != Endpoint.Backend.DYNAMICS


def keep(connection: Connection, names: Names) -> None:
    """Save what was decided by taking metadata over: these names, and no others."""
    SyncedEntity.objects.bulk_create(
        [
            SyncedEntity(connection=connection, name=entity, names=dict(pairs))
            for entity, pairs in names.of.items()
        ],
        update_conflicts=True,
        unique_fields=["connection", "name"],
        update_fields=["names"],
    )


def settle(connection: Connection) -> None:
    """Remember of all other entities that they have the same names on both sides."""
    connection.entities.filter(names__isnull=True).update(names={})


def told(names: Names) -> str:
    """Return names as a sentence for the job that connects, '' where all are the same."""
    each = [
        f"{entity}: {', '.join(f'{here} → {there}' for here, there in sorted(pairs.items()))}"
        for entity, pairs in sorted(names.of.items())
    ]
    if not each:
        return ""
    more = f"; and {len(each) - MOST_TOLD} entities more" if len(each) > MOST_TOLD else ""
    listed = "; ".join(each[:MOST_TOLD])
    return f"Names suggested, server → client: {listed}{more}. They can be changed under Names."
