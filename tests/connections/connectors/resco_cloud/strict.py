"""The strict Resco Cloud server as a place for the contract, and what its tests start from."""

from __future__ import annotations

from typing import Any

from connections.addresses import Allowlist
from connections.connectors.base import Connector
from connections.connectors.http import Patience
from connections.connectors.resco_cloud.connector import RescoCloudConnector
from connections.egress import Session
from tests.connections.connectors.place import Place, Values
from tests.fakes.resco.records import Organization, Row
from tests.fakes.resco.service import PASSWORD, USER, StrictResco
from tests.fakes.resco.tables import Attribute


class StrictRescoPlace(Place):
    """An organization that shares no code with the product; set `url` once it is served."""

    can_link = False

    def __init__(self, *, is_older: bool = False, is_atomic: bool = False) -> None:
        self.is_atomic = is_atomic
        self.organization = Organization()
        self.service = StrictResco(self.organization, is_older=is_older)
        self.url = ""
        self.waits: list[float] = []

    def connector(self) -> Connector:
        session = Session(allow=Allowlist.of(["127.0.0.1"]))
        patience = Patience(sleep=self.waits.append, chance=lambda: 1.0)
        url = f"{self.url}/strict"
        return RescoCloudConnector(
            url,
            USER,
            PASSWORD,
            session=session,
            patience=patience,
            is_atomic=self.is_atomic,
        )

    def create(self, entity: str, values: Values, record_id: str = "") -> str:
        table = self.organization.table(entity)
        made = self.organization.create(table, record_id, self._wire(entity, values))
        self.organization.writes.pop()
        return made

    def update(self, entity: str, record_id: str, values: Values) -> None:
        table = self.organization.table(entity)
        self.organization.update(table, record_id, self._wire(entity, values))
        self.organization.writes.pop()

    def delete(self, entity: str, record_id: str) -> None:
        self.organization.delete(self.organization.table(entity), record_id)
        self.organization.writes.pop()

    def associate(self, thing: str, note: str) -> None:
        self.create("thingnote", {"thingid": thing, "noteid": note})

    def disassociate(self, thing: str, note: str) -> None:
        ends = {"thingid": f"thing:{thing}", "noteid": f"note:{note}"}
        pairs = self.organization.table("thingnote")
        self.delete("thingnote", self.organization.pair(pairs, ends))

    def expire(self) -> None:
        self.organization.version -= 1

    def spoil(self, record_id: str) -> bool:
        self.organization.rows["thing"][record_id]["whole"] = "no number"
        return True

    def unacceptable(self, record_id: str) -> Values:
        return {"choice": 99}

    def _wire(self, entity: str, values: Values) -> Row:
        table = self.organization.table(entity)
        row: Row = {}
        for name, value in values.items():
            attribute = table.attribute(name)
            if attribute is not None:
                row[name] = _text(attribute, value, values)
        return row


def _text(attribute: Attribute, value: Any, values: Values) -> str:
    if value is None:
        return ""
    if attribute.type == "Lookup":
        target = values.get(f"{attribute.name}__type") or attribute.targets[0]
        return f"{target}:{value}"
    if attribute.type == "DateTime":
        return f"{value}T00:00:00Z" if attribute.name == "day" else f"{value.removesuffix('Z')}Z"
    return str(value)
