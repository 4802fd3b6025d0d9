"""Metadata over the Web API, entity by entity (dataverse.md §2).

Several entities in full come with one RetrieveMetadataChanges (`metadata_changes`). Where a
server does not have that function, an entity takes one request for itself with attributes, keys
and relationships, and one per kind of attribute whose properties come only after a cast (option
sets always do).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from connections.connectors.base import (
    EntitySummary,
)
from connections.connectors.dynamics import difficult, metadata_changes
from connections.connectors.dynamics.client import DynamicsClient, parsed, with_query
from connections.connectors.dynamics.faults import fault
from connections.connectors.dynamics.parties import MASKS
from connections.connectors.facts import DefinitionChanges
from connections.errors import MetadataChanged, UnknownEntity
from organizations.dynamics.codec import entity_from_json
from organizations.dynamics.codec.labels import label_from_json
from organizations.dynamics.codec.properties import plain
from organizations.errors import InvalidRequest
from organizations.schema import AttributeType, Entity

FIRST_PORTION = 4
LARGEST_PORTION = 20
WANTED_BYTES = 4 << 20
"""How much of definitions one answer should hold: little enough to be in memory as objects."""

_LISTED = (
    "LogicalName",
    "EntitySetName",
    "DisplayName",
    "IsIntersect",
    "IsActivity",
    "IsCustomEntity",
    "ChangeTrackingEnabled",
    "CanChangeTrackingBeEnabled",
    "TableType",
)
_EXPANDED = "Attributes,Keys,OneToManyRelationships,ManyToOneRelationships,ManyToManyRelationships"
_OPTION_KINDS = ("Picklist", "MultiSelectPicklist", "State", "Status", "Boolean")
_MARKS: Mapping[str, str] = {
    "String": "MaxLength",
    "Memo": "MaxLength",
    "Integer": "MinValue",
    "BigInt": "MinValue",
    "Decimal": "Precision",
    "Double": "Precision",
    "Money": "Precision",
    "DateTime": "DateTimeBehavior",
    "Lookup": "Targets",
}
"""Per kind a property that shows whether the answer holds what is particular to the kind."""

Document = dict[str, Any]


class Definitions:
    """The metadata of one organization."""

    def __init__(self, client: DynamicsClient) -> None:
        """`client` is its web service."""
        self._client = client
        self._has_function = True

    def summaries(self) -> Iterator[EntitySummary]:
        """List the entities that have a collection to read; one request, no paging."""
        path = with_query("EntityDefinitions", select=",".join(_LISTED))
        for item in self._client.get_json(path).get("value", ()):
            if item.get("EntitySetName"):
                yield _summary(item)

    def changes(self, since: str) -> DefinitionChanges | None:
        """Return what changed since a stamp; None if the server cannot tell."""
        found = metadata_changes.changes(self._client, since)
        self._has_function = found is not None
        return found

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        """Yield entities in full, one after the other. Raises UnknownEntity, MetadataChanged."""
        return map(_entity, self._documents(iter(names)))

    def _documents(self, names: Iterator[str]) -> Iterator[Document]:
        size = FIRST_PORTION
        while self._has_function and (portion := list(islice(names, size))):
            found = metadata_changes.in_full(self._client, portion)
            if found is None:
                self._has_function = False
                names = chain(portion, names)
                break
            size = max(1, min(LARGEST_PORTION, WANTED_BYTES * len(portion) // found.size))
            yield from _in_order(portion, found.entities)
        for name in names:
            yield _whole(self._client, name)


def _in_order(names: list[str], found: list[Document]) -> Iterator[Document]:
    """Yield the documents one by one, none of which is kept."""
    known = {item["LogicalName"]: item for item in found}
    found.clear()
    for name in names:
        if name not in known:
            raise UnknownEntity(name)
        yield known.pop(name)


def _summary(item: Document) -> EntitySummary:
    found = difficult.treatment(item["LogicalName"], table_type=item.get("TableType") or "")
    return EntitySummary(
        name=item["LogicalName"],
        label=label_from_json(item.get("DisplayName")),
        is_intersect=bool(item.get("IsIntersect")),
        is_activity=bool(item.get("IsActivity")),
        is_custom=bool(item.get("IsCustomEntity")),
        tracks_changes=bool(item.get("ChangeTrackingEnabled")),
        can_track_changes=bool(plain(item.get("CanChangeTrackingBeEnabled"))),
        problem=found.problem if found else "",
        note=found.note if found else "",
    )


def _entity(document: Document) -> Entity:
    try:
        return _readable(entity_from_json(document))
    except InvalidRequest as error:
        name = document.get("LogicalName")
        raise MetadataChanged(f"The definition of '{name}' cannot be read: {error}") from error


def _whole(client: DynamicsClient, name: str) -> Document:
    document = _definition(client, name)
    _complete(client, name, document.get("Attributes") or [])
    return document


def _readable(entity: Entity) -> Entity:
    """Call a party list unreadable when nothing is known of its participation mask.

    Such a list has no column then, which metadata show, instead of one that is always empty.
    """
    unknown = [
        item.name
        for item in entity.attributes
        if item.type is AttributeType.PARTYLIST and item.name not in MASKS
    ]
    attributes = (
        replace(item, is_readable=False) if item.name in unknown else item
        for item in entity.attributes
    )
    return replace(entity, attributes=tuple(attributes)) if unknown else entity


def _definition(client: DynamicsClient, name: str) -> Document:
    reply = client.send("GET", with_query(_path(name), expand=_EXPANDED))
    if reply.status == 404:
        raise UnknownEntity(name)
    if reply.status != 200:
        raise fault(reply)
    return parsed(reply.body, client.root)


def _complete(client: DynamicsClient, name: str, found: list[Document]) -> None:
    """Put into the attributes what only casts tell."""
    known = {item.get("LogicalName"): item for item in found}
    for kind in _wanted_kinds(found):
        expand = "OptionSet,GlobalOptionSet" if kind in _OPTION_KINDS else ""
        cast = f"{_path(name)}/Attributes/Microsoft.Dynamics.CRM.{kind}AttributeMetadata"
        for item in client.get_json(with_query(cast, expand=expand)).get("value", ()):
            if item.get("LogicalName") in known:
                known[item["LogicalName"]].update(_without_control(item))


def _wanted_kinds(found: Iterable[Document]) -> list[str]:
    wanted: dict[str, None] = {}
    for item in found:
        kind = _kind(item)
        if kind in _OPTION_KINDS or (kind in _MARKS and _MARKS[kind] not in item):
            wanted[kind] = None
    return list(wanted)


def _kind(item: Document) -> str:
    kind = str(item.get("@odata.type", ""))
    return kind.removeprefix("#Microsoft.Dynamics.CRM.").removesuffix("AttributeMetadata")


def _without_control(item: Document) -> Document:
    """A cast's answer names its type in the context, not in each item: keep the item's own."""
    return {name: value for name, value in item.items() if not name.startswith("@odata.")}


def _path(name: str) -> str:
    return f"EntityDefinitions(LogicalName='{name.replace(chr(39), chr(39) * 2)}')"
