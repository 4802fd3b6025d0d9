"""The places in which the connector contract is tried."""

from __future__ import annotations

from uuid import uuid4

from django.db import connection

from connections.addresses import Allowlist
from connections.connectors.base import Connector
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.connectors.hosted import HostedConnector
from connections.connectors.memory import MemoryConnector, MemoryOrganization
from connections.egress import Session
from organizations.dynamics.changes import expire
from organizations.models import Application, Organization
from organizations.records import RecordValue, Reference
from organizations.store import Store
from tests.connections.connectors.place import Place, Values
from tests.connections.connectors.sample import ENTITIES
from tests.organizations.making import make_organization


class MemoryPlace(Place):
    """An organization in memory."""

    can_link = False

    def __init__(self) -> None:
        self.organization = MemoryOrganization.of("contract", ENTITIES)

    def connector(self) -> Connector:
        return MemoryConnector(self.organization, origin="contract")

    def neighbour(self) -> Connector | None:
        return MemoryConnector(self.organization, origin="neighbour")

    def create(self, entity: str, values: Values, record_id: str = "") -> str:
        return self.organization.create(entity, values, id=record_id)

    def update(self, entity: str, record_id: str, values: Values) -> None:
        self.organization.update(entity, record_id, values)

    def delete(self, entity: str, record_id: str) -> None:
        self.organization.delete(entity, record_id)

    def associate(self, thing: str, note: str) -> None:
        self.organization.associate("thing_note", thing, note)

    def disassociate(self, thing: str, note: str) -> None:
        self.organization.disassociate("thing_note", thing, note)

    def expire(self) -> None:
        self.organization.expire_checkpoints()

    def spoil(self, record_id: str) -> bool:
        self.organization.faults.unreadable.add(record_id)
        return True

    def unacceptable(self, record_id: str) -> Values:
        self.organization.faults.always_rejected.add(record_id)
        return {"text": "refused"}


class HostedPlace(Place):
    """An organization on PostgreSQL."""

    kind = Organization.Kind.CLIENT

    def __init__(self) -> None:
        self.organization = make_organization(*ENTITIES, kind=self.kind)
        self.store = Store(self.organization)

    def connector(self) -> Connector:
        return HostedConnector(self.organization, origin="contract")

    def neighbour(self) -> Connector | None:
        return HostedConnector(self.organization, origin="neighbour")

    def create(self, entity: str, values: Values, record_id: str = "") -> str:
        return self.store.create(entity, _references(values), id=record_id or None).id

    def update(self, entity: str, record_id: str, values: Values) -> None:
        self.store.update(entity, record_id, _references(values))

    def delete(self, entity: str, record_id: str) -> None:
        self.store.delete(entity, record_id)

    def associate(self, thing: str, note: str) -> None:
        self.store.associate("thing_note", thing, note)

    def disassociate(self, thing: str, note: str) -> None:
        self.store.disassociate("thing_note", thing, note)

    def expire(self) -> None:
        expire(self.organization)

    def spoil(self, record_id: str) -> bool:
        """Hosted tables hold canonical values only."""
        return False

    def unacceptable(self, record_id: str) -> Values:
        return {"whole": 2**40}


class TwinPlace(HostedPlace):
    """A Dynamics twin, spoken to over real HTTP."""

    kind = Organization.Kind.DYNAMICS_TWIN

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = f"{url}/dynamics/{self.organization.name}/"
        self.secret = str(uuid4())
        self.application = Application(organization=self.organization, name="contract")
        self.application.set_secret(self.secret)
        self.application.save()

    def connector(self) -> Connector:
        session = Session(allow=Allowlist.of(["localhost", "127.0.0.1"]))
        user = str(self.application.pk)
        return DynamicsConnector(self.url, user, self.secret, session=session)

    def neighbour(self) -> Connector | None:
        return None

    def spoil(self, record_id: str) -> bool:
        """Give the record a character that JSON carries and XML does not."""
        schema = f"org_{self.organization.name}".replace('"', "")
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{schema}"."thing" SET "text" = %s WHERE "thingid" = %s',  # noqa: S608
                ["a\x01b", record_id],
            )
        return True

    def unacceptable(self, record_id: str) -> Values:
        return {"choice": 99}


def _references(values: Values) -> dict[str, RecordValue]:
    found: dict[str, RecordValue] = {}
    for name, value in values.items():
        target = values.get(f"{name}__type")
        if not name.endswith("__type"):
            found[name] = Reference(str(target), str(value)) if target and value else value
    return found
