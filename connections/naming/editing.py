"""Looking at the names of one entity, changing them, and going back to what is suggested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from django.db import transaction

from connections.metadata.missing import is_alike, is_carried
from connections.models import Connection, ServerDefinition, SyncedEntity
from connections.naming import metadata
from connections.naming.names import Names, Pairs
from connections.naming.suggesting import suggested
from organizations import definitions
from organizations.catalog import Catalog
from organizations.errors import InvalidRequest
from organizations.schema import Attribute, Entity, Origin

FIELD = "names"
_NO_METADATA = (
    "The server's attributes of '{}' are not known yet. Run Update Server first; it suggests names "
    "where they differ."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The names of one entity: those that count, those suggested, and what there is to name.

    `server` has the server's own names, as it was taken over; None before that. `client` is what
    the client has; None where it is not hosted here, so that only it knows.
    """

    row: SyncedEntity
    pairs: Pairs
    suggestion: Pairs
    server: Entity | None
    client: Entity | None

    @property
    def is_suggested(self) -> bool:
        """Return whether the names are just those that are suggested."""
        return dict(self.pairs) == dict(self.suggestion)

    def server_attributes(self) -> list[Attribute]:
        """Return what the server has, by name."""
        return _sorted(self.server)

    def client_attributes(self) -> list[Attribute]:
        """Return what the client has that is not its own alone, by name."""
        return [item for item in _sorted(self.client) if item.origin is not Origin.LOCAL]


def look(row: SyncedEntity) -> Named:
    """Return the names of an entity."""
    pairs = dict(sorted((row.names or {}).items()))
    names = Names({row.name: pairs})
    client = _client(row)
    server = _server(row, client, names)
    suggestion: Pairs = {}
    if server is not None and client is not None:
        suggestion = suggested(server, _before(server, client, pairs))
    return Named(row=row, pairs=pairs, suggestion=suggestion, server=server, client=client)


def listed(connection: Connection) -> list[SyncedEntity]:
    """Return the entities that have attributes with other names."""
    rows = connection.entities.filter(names__isnull=False).exclude(names={})
    found = list(rows.order_by("label", "name"))
    for row in found:
        row.names = dict(sorted((row.names or {}).items()))
    return found


def find(connection: Connection, name: str) -> SyncedEntity:
    """Return an entity of a connection. Raises InvalidRequest (`entity`)."""
    row = connection.entities.filter(name=name).first()
    if row is None:
        raise InvalidRequest(
            f"'{connection.name}' has no entity '{name}'. Give a logical name of its grid.",
            "entity",
        )
    return row


@transaction.atomic
def save(row: SyncedEntity, wanted: Mapping[str, str]) -> bool:
    """Keep these names, server attribute → client attribute; return whether they are others.

    Update Server then takes the metadata over by them. Raises InvalidRequest (`names`).
    """
    pairs = {here: there for here, there in wanted.items() if here != there}
    found = look(row)
    _check(found, pairs)
    if row.names is not None and pairs == dict(found.pairs):
        return False
    row.names = pairs
    row.save(update_fields=["names"])
    # Whatever the server says did not change has to be taken over by the new names all the same.
    Connection.objects.filter(pk=row.connection_id).update(metadata_stamp="")
    return True


def reset(row: SyncedEntity) -> bool:
    """Go back to the names that are suggested; return whether they are others."""
    found = look(row)
    if found.server is None:
        raise InvalidRequest(_NO_METADATA.format(row.name), FIELD)
    return save(row, found.suggestion)


def _client(row: SyncedEntity) -> Entity | None:
    organization = row.connection.client.organization
    return None if organization is None else Catalog(organization).find(row.name)


def _server(row: SyncedEntity, client: Entity | None, names: Names) -> Entity | None:
    """Return the server's definition in its own names, of what was taken over."""
    if row.connection.client.organization is None:
        kept = ServerDefinition.objects.filter(connection=row.connection_id, name=row.name).first()
        taken = None if kept is None else definitions.load(kept.document)
    else:
        taken = client if client is not None and client.origin is Origin.SERVER else None
    if taken is None:
        return None
    own = [item for item in taken.attributes if item.origin is Origin.SERVER and not item.is_hidden]
    return metadata.renamed(replace(taken, attributes=tuple(own)), names.inverse)


def _before(server: Entity, client: Entity, pairs: Pairs) -> Entity:
    """Return the client's entity without what the server brought under its own names."""
    brought = {item.name for item in server.attributes} - set(pairs)
    kept = [
        replace(item, is_hidden=False) for item in client.attributes if item.name not in brought
    ]
    return replace(client, attributes=tuple(kept))


def _check(found: Named, pairs: Pairs) -> None:
    if found.server is None:
        raise InvalidRequest(_NO_METADATA.format(found.row.name), FIELD)
    for problem in _problems(found, found.server, pairs):
        raise InvalidRequest(problem, FIELD)


def _problems(found: Named, server: Entity, pairs: Pairs) -> Iterator[str]:
    for here in pairs:
        if server.attribute(here) is None:
            yield f"The server's '{server.name}' has no attribute '{here}'."
    for there in pairs.values():
        both = sorted(here for here, other in pairs.items() if other == there)
        if len(both) > 1:
            yield f"'{both[0]}' and '{both[1]}' cannot both be '{there}' on the client."
        if server.attribute(there) is not None and there not in pairs:
            yield (
                f"The server has an attribute '{there}' too, which would have no name on the "
                "client. Give that one another name, or choose another one here."
            )
    if found.client is not None:
        yield from _client_problems(found.client, server, pairs)


def _client_problems(client: Entity, server: Entity, pairs: Pairs) -> Iterator[str]:
    for here, there in pairs.items():
        own, served = client.attribute(there), server.attribute(here)
        if own is None:
            yield f"The client's '{client.name}' has no attribute '{there}'."
        elif own.origin is Origin.LOCAL:
            yield f"'{there}' is the client's own attribute; the server's values cannot go there."
        elif served is not None and is_carried(served) and not is_alike(own, served):
            yield (
                f"'{here}' is {served.type} and '{there}' is {own.type}; only attributes of one "
                "kind can hold the same values."
            )
    key = pairs.get(server.primary_id, server.primary_id)
    if key != client.primary_id:
        yield (
            f"The key of '{client.name}' is '{client.primary_id}' on the client, so it must be "
            f"the server's key: '{server.primary_id}' → '{client.primary_id}'."
        )


def _sorted(entity: Entity | None) -> list[Attribute]:
    found = () if entity is None else entity.attributes
    return sorted((item for item in found if item.is_stored), key=lambda item: item.name)
