"""What server and client of a connection both know of an entity, each in its own words.

A hosted client's definitions are those of the server, and more; so nothing else is asked. Of a
client elsewhere the attributes count that the server had at the last Update Server, and that the
client has now, holding values of the same kind. What such a client writes by itself, and lets
nobody else write, is its own: carried, it would come back changed for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from connections.connectors.base import Connector
from connections.errors import UnknownEntity
from connections.metadata.missing import is_alike, is_carried
from connections.models import Connection, ServerDefinition
from organizations import definitions
from organizations.catalog import Catalog
from organizations.errors import NotFound
from organizations.schema import VERSION, Attribute, Entity, Origin

Schema = Callable[[str], Entity]
"""Entity name → definition; raises UnknownEntity or NotFound."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """An entity as the server and as the client have it: the same attributes to carry."""

    server: Entity
    client: Entity


@dataclass(slots=True)
class Definitions:
    """The definitions of one connection, each looked up once. `client` is asked for its own.

    `elsewhere` is the connection if its client is not hosted here.
    """

    client: Connector
    elsewhere: Connection | None = None
    _known: dict[str, Entity] = field(default_factory=dict)
    _served: dict[str, Entity | None] = field(default_factory=dict)

    def schema(self, name: str) -> Entity:
        """Return what filters may name. Raises UnknownEntity."""
        return self._server(name) or self._client(name)

    def agreed(self, name: str) -> Agreed:
        """Return what both sides have of an entity. Raises UnknownEntity."""
        client, server = self._client(name), self._server(name)
        if server is not None:
            return _common(server, client, takes_all=self.client.takes_all())
        if self.elsewhere is not None:
            raise UnknownEntity(name)
        served = tuple(filter(_is_served, client.attributes))
        return Agreed(replace(client, attributes=served), client)

    def _client(self, name: str) -> Entity:
        if name not in self._known:
            try:
                self._known[name] = next(iter(self.client.describe([name])))
            except NotFound as error:
                raise UnknownEntity(name) from error
        return self._known[name]

    def _server(self, name: str) -> Entity | None:
        if self.elsewhere is None:
            return None
        if name not in self._served:
            rows = ServerDefinition.objects.filter(connection=self.elsewhere, name=name)
            row = rows.first()
            self._served[name] = None if row is None else definitions.load(row.document)
        return self._served[name]


def schema_of(connection: Connection) -> Schema:
    """Return the server's definitions as they are known here; raises NotFound for others."""
    organization = connection.client.organization
    if organization is not None:
        return Catalog(organization).entity

    def kept(name: str) -> Entity:
        row = ServerDefinition.objects.filter(connection=connection, name=name).first()
        if row is None:
            raise NotFound("entity", name)
        return definitions.load(row.document)

    return kept


def _is_served(attribute: Attribute) -> bool:
    """Return whether the server has it, and records bring its value."""
    return is_carried(attribute) and attribute.origin is Origin.SERVER


def _common(server: Entity, client: Entity, *, takes_all: bool) -> Agreed:
    """Both sides read and write a value as the server defines it; permissions are each its own.

    `takes_all`: the client takes from us also what nobody else may write there.
    """
    takes_all = takes_all or client.is_intersect
    given = {item.name: item for item in server.attributes if is_carried(item)}
    both = {
        item.name: item
        for item in client.attributes
        if is_carried(item)
        and item.name in given
        and is_alike(item, given[item.name])
        and (takes_all or _is_taken(item))
    }
    attributes = tuple(
        _as_served(item, given[item.name], takes_all=takes_all) if item.name in both else item
        for item in client.attributes
    )
    served = tuple(item for name, item in given.items() if name in both)
    return Agreed(replace(server, attributes=served), replace(client, attributes=attributes))


def _is_taken(attribute: Attribute) -> bool:
    """Return whether we may write the attribute, or never do: its id is given, its version made."""
    is_ours = attribute.is_creatable or attribute.is_updatable
    return is_ours or attribute.is_primary_id or attribute.name == VERSION


def _as_served(own: Attribute, served: Attribute, *, takes_all: bool) -> Attribute:
    return replace(
        served,
        is_creatable=takes_all or own.is_creatable,
        is_updatable=takes_all or own.is_updatable,
        is_primary_id=own.is_primary_id,
        is_primary_name=own.is_primary_name,
    )
