"""Entities: one EntityDefinitions document with everything in it, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from organizations.dynamics.codec.attributes import attribute_from_json, attribute_to_json
from organizations.dynamics.codec.entity_defaults import entity_defaults
from organizations.dynamics.codec.labels import label_from_json, label_shadow, label_to_json
from organizations.dynamics.codec.properties import Json, documents, extras, text
from organizations.dynamics.codec.relationships import (
    key_from_json,
    key_to_json,
    relationship_from_json,
    relationship_to_json,
)
from organizations.schema import ENGLISH, Entity, Ownership, Relationship

LABELS = {
    "DisplayName": "label",
    "DisplayCollectionName": "collection_label",
    "Description": "description",
}
RELATIONSHIPS = {
    "OneToManyRelationships": "one_to_many",
    "ManyToOneRelationships": "many_to_one",
    "ManyToManyRelationships": "many_to_many",
}
_OWNED = frozenset({"@odata.context", "LogicalName", "Attributes", "Keys", *LABELS, *RELATIONSHIPS})
"""Not kept in `extras`; @odata.context belongs to the answer, not to the entity."""


def entity_from_json(raw: Mapping[str, Any]) -> Entity:
    """Return an entity from a document of EntityDefinitions with its navigations expanded.

    Absent properties take the vocabulary's defaults, so a partial document is read too. Raises
    InvalidRequest with the name of a property that is missing or has the wrong form.
    """
    name = text(raw, "LogicalName", "An entity definition")
    primary_id = text(raw, "PrimaryIdAttribute", f"Entity '{name}'")
    entity = Entity(
        name=name,
        primary_id=primary_id,
        primary_name=raw.get("PrimaryNameAttribute"),
        schema_name=raw.get("SchemaName") or "",
        set_name=raw.get("EntitySetName") or "",
        type_code=raw.get("ObjectTypeCode"),
        ownership=_ownership(raw.get("OwnershipType")),
        label=label_from_json(raw.get("DisplayName")),
        collection_label=label_from_json(raw.get("DisplayCollectionName")),
        description=label_from_json(raw.get("Description")),
        is_intersect=bool(raw.get("IsIntersect")),
        is_activity=bool(raw.get("IsActivity")),
        is_custom=bool(raw.get("IsCustomEntity")),
        tracks_changes=bool(raw.get("ChangeTrackingEnabled")),
        checks_versions=bool(raw.get("IsOptimisticConcurrencyEnabled", True)),
        attributes=tuple(
            attribute_from_json(item, name, primary_id)
            for item in documents(raw, "Attributes", f"entity '{name}'")
        ),
        keys=tuple(key_from_json(item, name) for item in documents(raw, "Keys", name)),
        relationships=_relationships(raw, name),
    )
    return _with_extras(entity, raw)


def _ownership(value: object) -> Ownership:
    known = {str(item): item for item in Ownership}
    return known.get(str(value), Ownership.NONE if value is None else Ownership.USER)


def _relationships(raw: Mapping[str, Any], name: str) -> tuple[Relationship, ...]:
    """Gather the three lists; one that refers to its own entity stands in two of them."""
    found = {
        item["SchemaName"]: relationship_from_json(item)
        for key in RELATIONSHIPS
        for item in documents(raw, key, f"entity '{name}'")
        if text(item, "SchemaName", f"A relationship of entity '{name}'")
    }
    return tuple(found.values())


def _with_extras(entity: Entity, raw: Mapping[str, Any]) -> Entity:
    kept = extras(raw, _served(entity), _OWNED)
    for name in LABELS:
        if shadow := label_shadow(raw.get(name)):
            kept[name] = shadow
    return replace(entity, extras=kept)


def entity_to_json(entity: Entity, *, language: int = ENGLISH, expand: bool = True) -> Json:
    """Return the full document; without `expand` attributes, keys and relationships are left out.

    `language` is the caller's LCID: it picks each UserLocalizedLabel.
    """
    own = _served(entity) | {
        name: value for name, value in entity.extras.items() if name not in LABELS
    }
    own["LogicalName"] = entity.name
    for name, field in LABELS.items():
        own[name] = label_to_json(
            getattr(entity, field),
            entity.extras.get(name),
            language=language,
            path=("entity", entity.name, name),
        )
    return own | (navigations(entity, language=language) if expand else {})


def navigations(entity: Entity, *, language: int = ENGLISH) -> Json:
    """Return what hangs on an entity document: attributes, keys, relationships, all in full."""
    own: Json = {
        "Attributes": [
            attribute_to_json(item, entity.name, language=language) for item in entity.attributes
        ],
        "Keys": [key_to_json(item, entity.name, language=language) for item in entity.keys],
    }
    return own | {
        name: [relationship_to_json(item) for item in getattr(entity, field)]
        for name, field in RELATIONSHIPS.items()
    }


def _served(entity: Entity) -> Json:
    """Return everything but labels and navigations as the vocabulary and the defaults say it."""
    return entity_defaults(entity) | {
        "PrimaryIdAttribute": entity.primary_id,
        "PrimaryNameAttribute": entity.primary_name,
        "SchemaName": entity.schema_name or entity.name,
        "EntitySetName": entity.set_name,
        "ObjectTypeCode": entity.type_code,
        "OwnershipType": str(entity.ownership),
        "IsIntersect": entity.is_intersect,
        "IsActivity": entity.is_activity,
        "IsCustomEntity": entity.is_custom,
        "ChangeTrackingEnabled": entity.tracks_changes,
        "IsOptimisticConcurrencyEnabled": entity.checks_versions,
    }
