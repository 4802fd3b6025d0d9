"""New, changed and removed relationships: 1:N with their lookup, N:N with their intersect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from organizations.dynamics import schema_writing_attributes as attributes
from organizations.dynamics.call import Call
from organizations.dynamics.codec import relationship_from_json, relationship_to_json
from organizations.dynamics.codec.properties import Json
from organizations.dynamics.errors import bad_request
from organizations.dynamics.schema_writing_bodies import (
    born,
    check_names,
    clean,
    keeps_labels,
    merged,
    required,
    schema_name,
)
from organizations.dynamics.schema_writing_draft import Draft
from organizations.dynamics.schema_writing_entities import remove_pairs
from organizations.dynamics.schema_writing_faults import (
    NOT_CUSTOM_RELATIONSHIP,
    duplicate,
    invalid,
)
from organizations.errors import NotFound
from organizations.schema import (
    VERSION,
    Attribute,
    AttributeType,
    Entity,
    ManyToMany,
    OneToMany,
    Ownership,
    Relationship,
)

_ONE, _MANY = "OneToManyRelationshipMetadata", "ManyToManyRelationshipMetadata"
_LATER = frozenset({"Lookup", "Description", "DisplayName"})
_CASCADES = frozenset({"NoCascade", "Cascade", "Active", "UserOwned", "RemoveLink", "Restrict"})
_FIXED_ONE = (
    *("SchemaName", "MetadataId", "ReferencedEntity", "ReferencedAttribute"),
    *("ReferencingEntity", "ReferencingAttribute", "RelationshipType"),
)
_FIXED_MANY = (
    *("SchemaName", "MetadataId", "Entity1LogicalName", "Entity2LogicalName"),
    *("Entity1IntersectAttribute", "Entity2IntersectAttribute", "IntersectEntityName"),
    "RelationshipType",
)


def create(draft: Draft, raw: Mapping[str, Any]) -> Relationship:
    """Make a relationship of a body. Raises WebApiError 400."""
    name = schema_name(raw, "relationship")
    if _exists(draft.call, name):
        raise duplicate(name)
    kind = _kind(raw)
    body = {key: value for key, value in clean(draft.call, raw).items() if value is not None}
    _check(body, kind)
    return _one(draft, raw, body) if kind == _ONE else _many(draft, body)


def _exists(call: Call, name: str) -> bool:
    try:
        call.catalog.relationship(name)
    except NotFound:
        return False
    return True


def _kind(raw: Mapping[str, Any]) -> str:
    cast = str(raw.get("@odata.type", "")).lstrip("#").rpartition(".")[2]
    kind = cast.removeprefix("Complex") or ("Entity1LogicalName" in raw and _MANY) or _ONE
    if kind not in (_ONE, _MANY):
        raise invalid(f"'{cast}' is not a type of relationships.")
    return kind


def _check(body: Mapping[str, Any], kind: str) -> None:
    document = relationship_to_json(_SAMPLES[kind])
    check_names(body, {*document, *_LATER}, kind)
    for action, value in (body.get("CascadeConfiguration") or {}).items():
        if value is not None and value not in _CASCADES:
            raise invalid(f"CascadeConfiguration.{action} cannot be '{value}'.")


_SAMPLES: Mapping[str, Relationship] = {
    _ONE: OneToMany(
        name="x",
        referenced_entity="x",
        referenced_attribute="x",
        referencing_entity="x",
        referencing_attribute="x",
    ),
    _MANY: ManyToMany(
        name="x", entity1="x", attribute1="x", entity2="x", attribute2="x", intersect_entity="x"
    ),
}


def _one(draft: Draft, raw: Mapping[str, Any], body: Json) -> OneToMany:
    referenced = draft.entity(required(body, "ReferencedEntity", "A relationship"))
    referencing = draft.entity(required(body, "ReferencingEntity", "A relationship"))
    if not isinstance(raw.get("Lookup"), Mapping):
        raise invalid("A new 1:N relationship needs a Lookup.")
    lookup = _lookup(draft.call, referencing, referenced, raw["Lookup"])
    attributes.add(draft, referencing.name, lookup)
    own = {
        **_shared(body),
        "ReferencedAttribute": referenced.primary_id,
        "ReferencingAttribute": lookup.name,
        "ReferencingEntityNavigationPropertyName": lookup.schema_name,
    }
    own.setdefault("ReferencedEntityNavigationPropertyName", own["SchemaName"])
    found = relationship_from_json(own)
    if not isinstance(found, OneToMany):
        raise invalid("A 1:N relationship has no IntersectEntityName.")
    draft.put_relationship(found)
    return found


def _lookup(
    call: Call, referencing: Entity, referenced: Entity, raw: Mapping[str, Any]
) -> Attribute:
    kind = AttributeType.LOOKUP
    column = len(referencing.attributes)
    found = attributes.of_kind(call, referencing.name, raw, kind, column)
    return replace(found, type=kind, targets=(referenced.name,))


def _shared(body: Mapping[str, Any]) -> Json:
    own = {key: value for key, value in body.items() if key not in _LATER}
    return own | {"MetadataId": born()["MetadataId"], "IsCustomRelationship": True}


def _many(draft: Draft, body: Json) -> ManyToMany:
    first = draft.entity(required(body, "Entity1LogicalName", "A relationship"))
    second = draft.entity(required(body, "Entity2LogicalName", "A relationship"))
    name = str(body.get("IntersectEntityName") or body["SchemaName"]).lower()
    schema_name({"SchemaName": name}, "entity")
    if draft.find(name) is not None:
        raise duplicate(name)
    ends = (first.primary_id, second.primary_id)
    if ends[0] == ends[1]:
        ends = (f"{ends[0]}one", f"{ends[1]}two")
    own = {
        **_shared(body),
        "IntersectEntityName": name,
        "Entity1IntersectAttribute": ends[0],
        "Entity2IntersectAttribute": ends[1],
    }
    found = relationship_from_json(own)
    if not isinstance(found, ManyToMany):
        raise invalid("An N:N relationship needs an IntersectEntityName.")
    draft.put(_intersect(found), is_new=True)
    draft.put_relationship(found)
    return found


def _intersect(relationship: ManyToMany) -> Entity:
    name = relationship.intersect_entity
    kind = AttributeType.UNIQUEIDENTIFIER
    ids = (f"{name}id", relationship.attribute1, relationship.attribute2)
    fixed: Json = {"is_creatable": False, "is_updatable": False}
    return Entity(
        name=name,
        schema_name=name,
        set_name=f"{name}set",
        primary_id=ids[0],
        ownership=Ownership.NONE,
        is_intersect=True,
        is_custom=True,
        attributes=(
            *(Attribute(name=i, type=kind, is_primary_id=i == ids[0], **fixed) for i in ids),
            Attribute(name=VERSION, type=AttributeType.BIGINT, **fixed),
        ),
    )


def update(draft: Draft, before: Relationship, raw: Mapping[str, Any]) -> None:
    """Change how a relationship cascades and is shown; its ends stay."""
    kind = _ONE if isinstance(before, OneToMany) else _MANY
    body = clean(draft.call, raw)
    _check(body, kind)
    document = relationship_to_json(before)
    fixed = {key: document[key] for key in (_FIXED_ONE if kind == _ONE else _FIXED_MANY)}
    own = {key: value for key, value in body.items() if key not in _LATER}
    changed = merged(document, own, keep_labels=keeps_labels(draft.call)) | fixed
    draft.put_relationship(relationship_from_json(changed))


def delete(draft: Draft, relationship: Relationship) -> None:
    """Remove a custom relationship with its lookup or its pairs. Raises WebApiError 400."""
    if not relationship.is_custom:
        raise bad_request(
            "The specified relationship is not a custom relationship", NOT_CUSTOM_RELATIONSHIP
        )
    draft.remove_relationship(relationship)
    if isinstance(relationship, ManyToMany):
        remove_pairs(draft, relationship)
        return
    entity = draft.entity(relationship.referencing_entity)
    attribute = entity.attribute(relationship.referencing_attribute)
    others = (
        [i for i in entity.many_to_one if i.referencing_attribute == attribute.name]
        if (attribute)
        else []
    )
    if attribute is not None and attribute.is_custom and not others:
        attributes.delete(draft, entity, attribute)
