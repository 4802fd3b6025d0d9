"""The records of the fake: texts by attribute, as they travel, under one growing row version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from tests.fakes.resco.tables import TABLES, Attribute, Table

Row = dict[str, Any]
"""Texts by attribute; a party list is a list of pairs of text and address."""

_FORMS = {
    "Boolean": r"True|False",
    "Integer": r"-?\d{1,10}",
    "Picklist": r"-?\d{1,10}",
    "PicklistMap": r"-?\d{1,10}",
    "BigInt": r"-?\d{1,19}",
    "Money": r"-?\d+(\.\d+)?",
    "Decimal": r"-?\d+(\.\d+)?",
    "Float": r"-?\d+(\.\d+)?",
    "DateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
    "UniqueIdentifier": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}


class FaultError(Exception):
    """What the server answers instead of a result."""

    def __init__(self, code: int, reason: str, detail: str = "") -> None:
        self.code, self.reason, self.detail = code, reason, detail
        super().__init__(reason)


class Organization:
    """One organization, its records and what was done to them."""

    def __init__(self) -> None:
        self.id, self.user = str(uuid4()), str(uuid4())
        self.tables = {table.name: table for table in TABLES}
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in self.tables}
        self.version = 1000
        self.writes: list[tuple[str, str, str]] = []
        """Action, entity and id, with the values of a change, of every write carried out."""

    def table(self, name: str) -> Table:
        if name not in self.tables:
            raise FaultError(101, f"Unknown entity {name}.")
        return self.tables[name]

    def next_version(self) -> str:
        self.version += 1
        return str(self.version)

    def create(self, table: Table, record_id: str, values: Row) -> str:
        made = record_id or str(uuid4())
        if made in self.rows[table.name]:
            raise FaultError(201, f"Duplicate key {made}.")
        for other in self.rows[table.name].values():
            if table.flags == "Intersect" and values.items() <= other.items():
                raise FaultError(201, "The pair exists.")
        self._check(table, values)
        row = {table.key: made, **values, "versionnumber": self.next_version()}
        self.rows[table.name][made] = row
        self.writes.append(("create", table.name, made))
        return made

    def update(self, table: Table, record_id: str, values: Row) -> None:
        row = self.existing(table, record_id)
        self._check(table, values)
        row |= values
        row["versionnumber"] = self.next_version()
        self.writes.append(("change", table.name, f"{record_id} {sorted(values.items())}"))

    def delete(self, table: Table, record_id: str) -> None:
        self.existing(table, record_id)
        del self.rows[table.name][record_id]
        gone, version = str(uuid4()), self.next_version()
        if "trackingdelete" in self.tables:
            self.rows["trackingdelete"][gone] = {
                "id": gone,
                "entityname": table.name,
                "objectid": record_id,
                "versionnumber": version,
            }
        self.writes.append(("delete", table.name, record_id))

    def existing(self, table: Table, record_id: str) -> Row:
        found = self.rows[table.name].get(record_id)
        if found is None:
            raise FaultError(202, f"No {table.name} {record_id}.")
        return found

    def pair(self, table: Table, ends: Mapping[str, str]) -> str:
        for record_id, row in self.rows[table.name].items():
            if ends.items() <= row.items():
                return record_id
        raise FaultError(202, "No such pair.")

    def _check(self, table: Table, values: Row) -> None:
        for name, value in values.items():
            attribute = table.attribute(name)
            if attribute is None:
                raise FaultError(102, f"Unknown attribute {name}.", name)
            if value is not None and value != "":
                _check_value(attribute, value)
        if "statuscode" in values:
            values["statecode"] = _state(table, values["statuscode"])


def _check_value(attribute: Attribute, value: Any) -> None:
    fault = FaultError(103, f"Invalid value for {attribute.name}.", attribute.name)
    if attribute.type == "PartyList":
        if not isinstance(value, list):
            raise fault
        return
    if attribute.type == "Lookup":
        entity, _, key = value.partition(":")
        if entity not in attribute.targets or str(UUID(key)) != key:
            raise fault
        return
    if not re.fullmatch(_FORMS.get(attribute.type, r"(?s).*"), value):
        raise fault
    options = attribute.more.get("OptionSetValues", "").replace(",", ";").split(";")
    if attribute.type == "Picklist" and options != [""] and value not in options:
        raise fault
    if len(value) > int(attribute.more.get("Length", "1000000")):
        raise fault


def _state(table: Table, status: str) -> str:
    attribute = table.attribute("statuscode")
    assert attribute is not None
    for group in attribute.more["OptionSetValues"].split(";"):
        state, *statuses = group.split(",")
        if status in statuses:
            return state
    raise FaultError(103, "Invalid status.", "statuscode")
