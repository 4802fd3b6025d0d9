"""Records of the strict Dataverse, and what each type of attribute takes in JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.strict.tables import Json, Table, is_lookup

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_BIND = re.compile(r"/?([A-Za-z0-9_]+)\(([0-9a-fA-F-]{36})\)\Z")
MALFORMED = "0x80048d19"
NOT_FOUND = "0x80040217"
DUPLICATE = "0x80040237"


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


@dataclass
class Organization:
    """All records. A row: logical name → value; a lookup's is (table, id)."""

    tables: list[Table]
    rows: dict[str, dict[str, Json]] = field(default_factory=dict)
    gone: dict[str, dict[str, int]] = field(default_factory=dict)
    version: int = 1000
    oldest: int = 0
    writes: list[tuple[str, str, str]] = field(default_factory=list)

    def by_set(self, name: str) -> Table:
        for table in self.tables:
            if table.set_name == name:
                return table
        raise Refusal(404, "0x8006088a", f"Resource not found for the segment '{name}'.")

    def by_name(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)

    def of(self, table: Table) -> dict[str, Json]:
        return self.rows.setdefault(table.name, {})

    def row(self, table: Table, record_id: str) -> Json:
        try:
            return self.of(table)[record_id.lower()]
        except KeyError:
            message = f"Entity '{table.name}' With Id = {record_id} Does Not Exist"
            raise Refusal(404, NOT_FOUND, message) from None

    def put(self, table: Table, record_id: str, values: Json) -> None:
        """Store values with a new version."""
        self.version += 1
        kind = "change" if record_id in self.of(table) else "create"
        self.writes.append((kind, table.name, record_id))
        row = self.of(table).setdefault(record_id, {table.primary_id: record_id})
        row.update(values, versionnumber=self.version)

    def remove(self, table: Table, record_id: str) -> None:
        self.row(table, record_id)
        self.version += 1
        self.writes.append(("delete", table.name, record_id))
        del self.of(table)[record_id.lower()]
        self.gone.setdefault(table.name, {})[record_id.lower()] = self.version

    def values(self, table: Table, body: Any, *, creating: bool) -> Json:
        """Return what a body sets. Refuses unknown names and wrong types."""
        if not isinstance(body, dict):
            raise Refusal(400, MALFORMED, "The body is no JSON object.")
        found: Json = {}
        for name, value in body.items():
            if name.endswith("@odata.bind") or name in table.navigations:
                attribute, target = self._bound(table, name.removesuffix("@odata.bind"), value)
                found[attribute] = target
                continue
            attribute_of = table.attributes.get(name)
            if attribute_of is None or is_lookup(attribute_of):
                message = f"Invalid property '{name}' was found in entity '{table.name}'."
                raise Refusal(400, MALFORMED, message)
            check(attribute_of, value)
            # Dataverse ignores what cannot be written.
            if attribute_of["IsValidForCreate" if creating else "IsValidForUpdate"]:
                found[name] = value
        return found

    def _bound(self, table: Table, navigation: str, value: Any) -> tuple[str, Any]:
        relationship = table.navigations.get(navigation)
        if relationship is None:
            message = f"An undeclared property '{navigation}' was found in the payload."
            raise Refusal(400, MALFORMED, message)
        attribute = str(relationship["ReferencingAttribute"])
        if value is None:
            return attribute, None
        bind = _BIND.match(value) if isinstance(value, str) else None
        if bind is None:
            raise Refusal(400, MALFORMED, f"'{value}' is no reference.")
        target = self.by_set(bind.group(1))
        if relationship["ReferencedEntity"] not in {target.name, "owner"}:
            raise Refusal(400, MALFORMED, f"'{navigation}' does not lead to {target.name}.")
        self.row(target, bind.group(2))
        return attribute, (target.name, bind.group(2).lower())


def check(attribute: Json, value: Any) -> None:
    """Refuse a value that the attribute's type does not take."""
    if value is None:
        return
    kind = _kind(attribute)
    if not _FORMS[kind](attribute, value):
        raise Refusal(400, MALFORMED, f"{value!r} is no {kind} for '{attribute['LogicalName']}'.")
    if kind in {"String", "Memo"} and len(value) > attribute["MaxLength"]:
        raise Refusal(400, "0x80044331", f"'{attribute['LogicalName']}' is too long.")
    chosen = [int(item) for item in str(value).split(",")] if kind in _CHOICES else []
    known = {item["Value"] for item in attribute["OptionSet"]["Options"]} if chosen else set()
    if not known.issuperset(chosen):
        raise Refusal(400, "0x8004431a", f"'{attribute['LogicalName']}' has no choice {value}.")


def _kind(attribute: Json) -> str:
    if attribute["AttributeType"] == "Virtual":
        return str(attribute["@odata.type"]).split(".")[-1].removesuffix("AttributeMetadata")
    return str(attribute["AttributeType"])


def _is_whole(_: Json, value: Any) -> bool:
    return type(value) is int


def _is_number(_: Json, value: Any) -> bool:
    return type(value) in (int, float)


def _is_moment(attribute: Json, value: Any) -> bool:
    is_day = attribute["DateTimeBehavior"]["Value"] == "DateOnly"
    return isinstance(value, str) and bool((_DAY if is_day else _MOMENT).match(value))


_CHOICES = ("Picklist", "State", "Status", "MultiSelectPicklist")
_FORMS: dict[str, Any] = {
    "String": lambda _, value: isinstance(value, str),
    "Memo": lambda _, value: isinstance(value, str),
    "Boolean": lambda _, value: isinstance(value, bool),
    "Uniqueidentifier": lambda _, value: isinstance(value, str) and bool(_GUID.match(value)),
    "MultiSelectPicklist": lambda _, value: bool(re.fullmatch(r"-?\d+(,-?\d+)*", str(value))),
    "DateTime": _is_moment,
    "Integer": lambda it, value: type(value) is int and it["MinValue"] <= value <= it["MaxValue"],
    **dict.fromkeys(("BigInt", "Picklist", "State", "Status"), _is_whole),
    **dict.fromkeys(("Money", "Decimal", "Double"), _is_number),
}
