"""RetrieveMetadataChanges: definitions in full, several in one request, and what changed.

A GET function with an EntityQueryExpression in JSON (dataverse.md §2.4). Unlike EntityDefinitions
it gives what is particular to a type of attribute, option sets among it, without a cast, and
labels in all languages when no LabelQuery limits them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from connections.connectors.dynamics.client import DynamicsClient, parsed
from connections.connectors.dynamics.faults import fault
from connections.connectors.facts import DefinitionChanges
from connections.errors import CheckpointExpired

Document = dict[str, Any]

_NOT_SERVED = frozenset({404, 501})
_ALL: Document = {"Properties": {"AllProperties": True}}
_PARTS = (
    "Attributes",
    "Keys",
    "OneToManyRelationships",
    "ManyToOneRelationships",
    "ManyToManyRelationships",
)
_TEXTS = ("DisplayName", "Description")
_COMPLEX, _PLAIN = b'"#Microsoft.Dynamics.CRM.Complex', b'"#Microsoft.Dynamics.CRM.'
_BASE = "#Microsoft.Dynamics.CRM.AttributeMetadata"


@dataclass(frozen=True, slots=True)
class Found:
    """An answer: the server's stamp, entities as EntityDefinitions shows them, what is gone.

    `size` is the answer's length in bytes.
    """

    stamp: str
    entities: list[Document]
    deleted: frozenset[str]
    size: int


def in_full(client: DynamicsClient, names: Iterable[str]) -> Found | None:
    """Return these entities with everything; None if the server has no such function."""
    criteria = {"FilterOperator": "Or", "Conditions": [_is(name) for name in names]}
    parts = {f"{part}Query": _ALL for part in ("Attribute", "Relationship", "Key")}
    return _ask(client, {"Criteria": criteria, **_ALL, **parts})


def changes(client: DynamicsClient, since: str) -> DefinitionChanges | None:
    """Return what changed since a stamp; everything if there is none, or it has expired.

    None if the server has no such function, or gives no stamps.
    """
    try:
        found = _ask(client, _CHANGED if since else _STAMP, since)
    except CheckpointExpired:
        return changes(client, "")
    if found is None or not found.stamp:
        return None
    if not since:
        return DefinitionChanges(stamp=found.stamp, is_everything=True)
    return DefinitionChanges(
        stamp=found.stamp,
        entities=frozenset(item["LogicalName"] for item in found.entities),
        deleted=found.deleted,
    )


def _ask(client: DynamicsClient, query: Document, since: str = "") -> Found | None:
    """Ask the server's database, not one server's cache, which may be older than our stamp."""
    reply = client.send("GET", _path(query, since), headers={"Consistency": "Strong"})
    if reply.status in _NOT_SERVED:
        return None
    if reply.status != 200:
        raise fault(reply)
    answer = parsed(reply.body.replace(_COMPLEX, _PLAIN), client.root)
    return Found(
        stamp=str(answer.get("ServerVersionStamp") or ""),
        entities=[_as_definition(item) for item in answer.get("EntityMetadata") or ()],
        deleted=_deleted(answer.get("DeletedMetadata")),
        size=len(reply.body),
    )


def _path(query: Document, since: str) -> str:
    given = {"Query": orjson.dumps(query).decode()}
    if since:
        given["ClientVersionStamp"] = "'" + since.replace("'", "''") + "'"
        given["DeletedMetadataFilters"] = "Microsoft.Dynamics.CRM.DeletedMetadataFilters'All'"
    named = ",".join(f"{name}=@p{number}" for number, name in enumerate(given, 1))
    values = (
        f"@p{number}={quote(value, safe='')}" for number, value in enumerate(given.values(), 1)
    )
    return f"RetrieveMetadataChanges({named})?{'&'.join(values)}"


def _deleted(document: Mapping[str, Any] | None) -> frozenset[str]:
    """Gather the ids of all kinds; whose they were is found where they are kept."""
    groups = (document or {}).get("Values") or ()
    return frozenset(str(item).lower() for group in groups for item in group.get("Items") or ())


def _as_definition(entity: Document) -> Document:
    """A plain attribute has no type of its own in EntityDefinitions (dataverse.md §2.1)."""
    for attribute in entity.get("Attributes") or ():
        if attribute.get("@odata.type") == _BASE:
            del attribute["@odata.type"]
    return entity


def _is(name: str) -> Document:
    value = {"Type": "System.String", "Value": name}
    return {"PropertyName": "LogicalName", "ConditionOperator": "Equals", "Value": value}


def _only(*names: str) -> Document:
    return {"Properties": {"AllProperties": False, "PropertyNames": list(names)}}


_STAMP: Document = {
    "Criteria": {"FilterOperator": "And", "Conditions": [_is("systemuser")]},
    **_only("LogicalName"),
}
"""As little as can be asked: only the stamp is wanted."""

_CHANGED: Document = {
    **_only("LogicalName", "DisplayCollectionName", *_TEXTS, *_PARTS),
    "AttributeQuery": _only("LogicalName", "OptionSet", *_TEXTS),
    "RelationshipQuery": _only("SchemaName"),
    "KeyQuery": _only("LogicalName", "DisplayName"),
}
"""Only names matter, but labels and options that are not asked for may not count as changes
(assumed)."""
