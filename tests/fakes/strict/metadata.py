"""EntityDefinitions of the strict Dataverse, from real ones, as the documents say they come."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.strict.records import Refusal
from tests.fakes.strict.tables import Json, Table

_ONE = re.compile(
    r"EntityDefinitions\(LogicalName='(\w+)'\)"
    r"(?:/Attributes/Microsoft\.Dynamics\.CRM\.(\w+)AttributeMetadata)?\Z"
)
_COLLECTIONS = {
    "Attributes",
    "Keys",
    "OneToManyRelationships",
    "ManyToOneRelationships",
    "ManyToManyRelationships",
}
_CAST_ONLY = {
    "OptionSet",
    "GlobalOptionSet",
    "Targets",
    "MaxLength",
    "Precision",
    "DateTimeBehavior",
}
"""Comes only after a cast to the attribute's type."""
_OPTION_SETS = ("OptionSet", "GlobalOptionSet")


def definitions(tables: list[Table], path: str, query: dict[str, str]) -> Any:
    """Answer a GET of definitions. Refuses what the service does not have."""
    if path == "EntityDefinitions":
        names = query["$select"].split(",")
        return {"value": [_picked(table.definition, names) for table in tables]}
    found = _ONE.match(path)
    table = next((t for t in tables if found and t.name == found.group(1)), None)
    if found is None or table is None:
        raise Refusal(404, "0x80060888", "Could not find an entity with specified entity key.")
    if found.group(2):
        return {"value": _cast(table, found.group(2), query)}
    if "$select" in query:
        return _picked(table.definition, query["$select"].split(","))
    return _whole(table, set(query.get("$expand", "").split(",")))


def _picked(definition: Json, names: list[str]) -> Json:
    for name in names:
        if name not in definition or name in _COLLECTIONS:
            message = f"Could not find a property named '{name}' on 'EntityMetadata'."
            raise Refusal(400, "0x80060888", message)
    return {name: definition[name] for name in [*names, "MetadataId"]}


def _whole(table: Table, expanded: set[str]) -> Json:
    if unknown := expanded - _COLLECTIONS - {""}:
        raise Refusal(400, "0x80060888", f"{unknown} cannot be expanded.")
    found = {k: v for k, v in table.definition.items() if k not in _COLLECTIONS}
    for name in expanded & _COLLECTIONS:
        found[name] = table.definition.get(name, [])
    if "Attributes" in expanded:
        found["Attributes"] = [
            {k: v for k, v in item.items() if k not in _CAST_ONLY} for item in found["Attributes"]
        ]
    return found


def _cast(table: Table, kind: str, query: dict[str, str]) -> list[Json]:
    if kind == "Enum":
        raise Refusal(400, "0x80060888", "The cast to EnumAttributeMetadata is refused.")
    expanded = set(query.get("$expand", "").split(","))
    wanted = f"#Microsoft.Dynamics.CRM.{kind}AttributeMetadata"
    found = []
    for item in table.definition["Attributes"]:
        if item.get("@odata.type") == wanted:
            shown = {k: v for k, v in item.items() if k != "@odata.type"}
            found.append({k: v for k, v in shown.items() if k not in _OPTION_SETS or k in expanded})
    return found
