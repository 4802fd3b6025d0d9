"""A server that names the attributes of the connectors' sample in its own way."""

from __future__ import annotations

from connections.connectors.base import Connector
from connections.connectors.hosted import HostedConnector
from connections.naming import metadata
from connections.naming.names import Names
from connections.naming.renamed import Renamed
from organizations.store import Store
from tests.connections.connectors.place import Values
from tests.connections.connectors.places import HostedPlace
from tests.connections.connectors.sample import ENTITIES
from tests.organizations.making import make_organization

NAMES = Names(
    {
        "thing": {"id": "thingid", "name": "text", "boss": "parent", "buyer": "customer"},
        "note": {"id": "noteid", "name": "title"},
        "thingnote": {"id": "thingnoteid", "first": "thingid"},
    }
)
"""The server's names → those of the sample, which the client has."""


class RenamedPlace(HostedPlace):
    """An organization with other names, seen in those of the sample."""

    def __init__(self) -> None:
        served = (metadata.renamed(entity, NAMES.inverse) for entity in ENTITIES)
        self.organization = make_organization(*served)
        self.store = Store(self.organization)

    def connector(self) -> Connector:
        return Renamed(HostedConnector(self.organization, origin="contract"), NAMES)

    def neighbour(self) -> Connector | None:
        return Renamed(HostedConnector(self.organization, origin="neighbour"), NAMES)

    def create(self, entity: str, values: Values, record_id: str = "") -> str:
        return super().create(entity, _theirs(entity, values), record_id)

    def update(self, entity: str, record_id: str, values: Values) -> None:
        super().update(entity, record_id, _theirs(entity, values))


def _theirs(entity: str, values: Values) -> Values:
    return {NAMES.inverse.column(entity, name): value for name, value in values.items()}
