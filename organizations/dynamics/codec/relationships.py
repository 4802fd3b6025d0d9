"""Relationships 1:N, N:1 and N:N, and alternate keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from organizations.dynamics.codec.labels import label_from_json, label_shadow, label_to_json
from organizations.dynamics.codec.properties import (
    INTRODUCED,
    NO_LABEL,
    Json,
    extras,
    managed,
    metadata_id,
    text,
)
from organizations.errors import InvalidRequest
from organizations.schema import ENGLISH, Key, ManyToMany, OneToMany, Relationship

_ONE_TO_MANY = {
    "SchemaName": "name",
    "ReferencedEntity": "referenced_entity",
    "ReferencedAttribute": "referenced_attribute",
    "ReferencingEntity": "referencing_entity",
    "ReferencingAttribute": "referencing_attribute",
}
_NAVIGATIONS = {
    "ReferencedEntityNavigationPropertyName": "referenced_navigation",
    "ReferencingEntityNavigationPropertyName": "referencing_navigation",
}
_MANY_TO_MANY = {
    "SchemaName": "name",
    "Entity1LogicalName": "entity1",
    "Entity1IntersectAttribute": "attribute1",
    "Entity2LogicalName": "entity2",
    "Entity2IntersectAttribute": "attribute2",
    "IntersectEntityName": "intersect_entity",
}
_MANY_NAVIGATIONS = {
    "Entity1NavigationPropertyName": "navigation1",
    "Entity2NavigationPropertyName": "navigation2",
}
ONE_TO_MANY_TYPE = "#Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata"
MANY_TO_MANY_TYPE = "#Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata"
_OWNED = frozenset(
    {
        "@odata.type",
        "RelationshipType",
        "IsCustomRelationship",
        "IsHierarchical",
        "CascadeConfiguration",
        *_ONE_TO_MANY,
        *_NAVIGATIONS,
        *_MANY_TO_MANY,
        *_MANY_NAVIGATIONS,
    }
)


def relationship_from_json(raw: Mapping[str, Any]) -> Relationship:
    """Return a relationship; a document with IntersectEntityName is N:N. Raises InvalidRequest."""
    name = text(raw, "SchemaName", "A relationship")
    if "IntersectEntityName" in raw:
        return ManyToMany(
            **_names(raw, _MANY_TO_MANY, name),
            **_navigations(raw, _MANY_NAVIGATIONS),
            is_custom=bool(raw.get("IsCustomRelationship")),
            extras=extras(raw, _many_defaults(name), _OWNED),
        )
    return OneToMany(
        **_names(raw, _ONE_TO_MANY, name),
        **_navigations(raw, _NAVIGATIONS),
        is_custom=bool(raw.get("IsCustomRelationship")),
        is_hierarchical=bool(raw.get("IsHierarchical")),
        cascade=dict(raw.get("CascadeConfiguration") or {}),
        extras=extras(raw, _one_defaults(name), _OWNED),
    )


def _names(raw: Mapping[str, Any], names: Mapping[str, str], name: str) -> dict[str, Any]:
    where = f"Relationship '{name}'"
    return {field: text(raw, key, where) for key, field in names.items()}


def _navigations(raw: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {field: raw.get(key) or "" for key, field in names.items()}


def relationship_to_json(relationship: Relationship, *, typed: bool = False) -> Json:
    """Return the full document; `typed` adds the @odata.type that only mixed lists carry."""
    if isinstance(relationship, ManyToMany):
        kind, own = MANY_TO_MANY_TYPE, _many_to_json(relationship)
    else:
        kind, own = ONE_TO_MANY_TYPE, _one_to_json(relationship)
    return {"@odata.type": kind, **own} if typed else own


def _one_to_json(relationship: OneToMany) -> Json:
    names = {key: getattr(relationship, field) for key, field in _ONE_TO_MANY.items()}
    cascade = _NO_CASCADE | dict(relationship.cascade)
    return {
        **_one_defaults(relationship.name),
        **relationship.extras,
        **names,
        "RelationshipType": "OneToManyRelationship",
        "ReferencedEntityNavigationPropertyName": relationship.referenced_navigation
        or relationship.name,
        "ReferencingEntityNavigationPropertyName": relationship.referencing_navigation
        or relationship.referencing_attribute,
        "IsCustomRelationship": relationship.is_custom,
        "IsHierarchical": relationship.is_hierarchical,
        "CascadeConfiguration": cascade,
    }


def _many_to_json(relationship: ManyToMany) -> Json:
    names = {key: getattr(relationship, field) for key, field in _MANY_TO_MANY.items()}
    return {
        **_many_defaults(relationship.name),
        **relationship.extras,
        **names,
        "RelationshipType": "ManyToManyRelationship",
        "Entity1NavigationPropertyName": relationship.navigation1 or relationship.name,
        "Entity2NavigationPropertyName": relationship.navigation2 or relationship.name,
        "IsCustomRelationship": relationship.is_custom,
    }


_NO_CASCADE = dict.fromkeys(
    ("Archive", "Assign", "Delete", "Merge", "Reparent", "RollupView", "Share", "Unshare"),
    "NoCascade",
)


def _common_defaults(name: str) -> Json:
    return {
        "MetadataId": metadata_id("relationship", name),
        "HasChanged": None,
        "IsCustomizable": managed("iscustomizable", True),
        "IsManaged": False,
        "IsValidForAdvancedFind": True,
        "SecurityTypes": "Append",
        "IntroducedVersion": INTRODUCED,
    }


def _one_defaults(name: str) -> Json:
    return _common_defaults(name) | {
        "AssociatedMenuConfiguration": _menu(),
        "DenormalizedAttributeName": None,
        "EntityKey": None,
        "IsDenormalizedLookup": None,
        "IsRelationshipAttributeDenormalized": False,
        "RelationshipAttributes": [],
        "RelationshipBehavior": 1,
    }


def _many_defaults(name: str) -> Json:
    return _common_defaults(name) | {
        "Entity1AssociatedMenuConfiguration": _menu(),
        "Entity2AssociatedMenuConfiguration": _menu(),
    }


def _menu() -> Json:
    return {
        "Behavior": "DoNotDisplay",
        "Group": "Details",
        "Label": NO_LABEL,
        "Order": None,
        "AvailableOffline": True,
        "Icon": None,
        "IsCustomizable": False,
        "MenuId": None,
        "QueryApi": None,
        "ViewId": "00000000-0000-0000-0000-000000000000",
    }


_KEY_OWNED = frozenset({"LogicalName", "KeyAttributes", "DisplayName"})


def key_from_json(raw: Mapping[str, Any], entity: str) -> Key:
    """Return an alternate key. Raises InvalidRequest when name or attributes are missing."""
    name = raw.get("LogicalName") or text(raw, "SchemaName", f"A key of entity '{entity}'").lower()
    attributes = tuple(raw.get("KeyAttributes") or ())
    if not attributes:
        raise InvalidRequest(f"Key '{name}' of entity '{entity}' names no attributes.", "Keys")
    kept = extras(raw, _key_defaults(name, entity), _KEY_OWNED)
    if shadow := label_shadow(raw.get("DisplayName")):
        kept["DisplayName"] = shadow
    label = label_from_json(raw.get("DisplayName"))
    return Key(name=name, attributes=attributes, label=label, extras=kept)


def key_to_json(key: Key, entity: str, *, language: int = ENGLISH) -> Json:
    """Return the full document of an alternate key; its index is always Active."""
    path = ("key", entity, key.name, "DisplayName")
    label = label_to_json(key.label, key.extras.get("DisplayName"), language=language, path=path)
    return {
        **_key_defaults(key.name, entity),
        **key.extras,
        "LogicalName": key.name,
        "KeyAttributes": list(key.attributes),
        "DisplayName": label,
    }


def _key_defaults(name: str, entity: str) -> Json:
    return {
        "MetadataId": metadata_id("key", entity, name),
        "HasChanged": None,
        "SchemaName": name,
        "EntityLogicalName": entity,
        "EntityKeyIndexStatus": "Active",
        "AsyncJob": None,
        "IntroducedVersion": INTRODUCED,
        "IsCustomizable": managed("iscustomizable", True),
        "IsManaged": False,
        "IsExportKey": False,
        "IsSecondaryKey": False,
        "IsSynchronous": False,
    }
