"""The connector contract against the strict Dataverse, which knows nothing of the product."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import uuid4

from connections.addresses import Allowlist
from connections.connectors.base import Connector
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.connectors.http import Patience
from connections.egress import Session
from tests.connections.connectors.place import Place, Values
from tests.fakes.strict.records import Organization
from tests.fakes.strict.service import StrictDataverse
from tests.fakes.strict.tables import Table, is_lookup, make_sample
from tests.organizations.dynamics.shared_data import definition

CLIENT_ID = "11111111-2222-3333-4444-555555555555"


class StrictPlace(Place):
    """Tables made of real definitions; what a test does here, another user did."""

    can_link = False

    def __init__(self) -> None:
        self.organization = Organization(_tables())
        self.service = StrictDataverse(self.organization)
        self.waits: list[float] = []

    def connector(self) -> Connector:
        session = Session(allow=Allowlist.of(["127.0.0.1"]))
        patience = Patience(sleep=self.waits.append, chance=lambda: 1.0)
        url = self.service.url
        return DynamicsConnector(url, CLIENT_ID, "secret", session=session, patience=patience)

    def create(self, entity: str, values: Values, record_id: str = "") -> str:
        made = record_id or str(uuid4())
        self._put(entity, made, values)
        return made

    def update(self, entity: str, record_id: str, values: Values) -> None:
        self._put(entity, record_id, values)

    def delete(self, entity: str, record_id: str) -> None:
        self.organization.remove(self.organization.by_name(entity), record_id)

    def associate(self, thing: str, note: str) -> None:
        self.create("thingnote", {"thingid": thing, "noteid": note})

    def disassociate(self, thing: str, note: str) -> None:
        rows = self.organization.of(self.organization.by_name("thingnote"))
        pair = {"thingid": thing, "noteid": note}
        for row_id in [row_id for row_id, row in rows.items() if pair.items() <= row.items()]:
            self.delete("thingnote", row_id)

    def expire(self) -> None:
        self.organization.oldest = self.organization.version + 1

    def spoil(self, record_id: str) -> bool:
        self._put("thing", record_id, {"text": "a\x01b"})
        return True

    def unacceptable(self, record_id: str) -> Values:
        return {"choice": 99}

    def _put(self, entity: str, record_id: str, values: Values) -> None:
        table = self.organization.by_name(entity)
        given: dict[str, Any] = {}
        for name, value in values.items():
            if not name.endswith("__type"):
                given[name] = _wire(table.attributes[name], value, values)
        self.organization.put(table, record_id, given)


@cache
def _tables() -> list[Table]:
    return make_sample(definition("lead"))


def _wire(attribute: dict[str, Any], value: Any, values: Values) -> Any:
    name = attribute["LogicalName"]
    if value is None:
        return None
    if is_lookup(attribute):
        return values.get(f"{name}__type") or attribute["Targets"][0], value
    if name == "wall":
        return f"{value}Z"
    return float(value) if attribute["AttributeType"] in {"Money", "Decimal"} else value
