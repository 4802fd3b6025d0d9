"""New, changed and removed entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from organizations.dynamics import schema_writing_attributes as attributes
from organizations.dynamics.codec import entity_from_json, entity_to_json
from organizations.dynamics.codec.properties import Json
from organizations.dynamics.errors import bad_request
from organizations.dynamics.schema_writing_bodies import (
    born,
    check_names,
    clean,
    keeps_labels,
    merged,
    now,
    schema_name,
)
from organizations.dynamics.schema_writing_draft import Draft
from organizations.dynamics.schema_writing_faults import (
    DUPLICATE_ENTITY,
    NO_ATTRIBUTES,
    NOT_CUSTOM_ENTITY,
    WRONG_PRIMARY,
    in_use,
    invalid,
)
from organizations.dynamics.schema_writing_standard import Standard, standard
from organizations.models import EntityDefinition
from organizations.schema import Attribute, AttributeType, Entity, ManyToMany, Ownership

FIRST_TYPE_CODE = 10_000
_KIND = "EntityMetadata"
_OWNERSHIPS = (Ownership.USER, Ownership.ORGANIZATION, Ownership.NONE)
_HISSING = ("s", "x", "z", "ch", "sh")
_VOWELS = "aeiou"
_NAVIGATIONS = (
    "Attributes",
    "Keys",
    "OneToManyRelationships",
    "ManyToOneRelationships",
    "ManyToManyRelationships",
)
_FIXED = (
    "LogicalName",
    "SchemaName",
    "MetadataId",
    "EntitySetName",
    "OwnershipType",
    "PrimaryIdAttribute",
    "PrimaryNameAttribute",
    "ObjectTypeCode",
    "IsActivity",
    "IsIntersect",
    "IsCustomEntity",
    "LogicalCollectionName",
)


def create(draft: Draft, raw: Mapping[str, Any]) -> Entity:
    """Make an entity of a body: its own attributes and the standard ones. Raises WebApiError."""
    call = draft.call
    schema = schema_name(raw, "entity")
    name = schema.lower()
    if draft.find(name) is not None:
        raise bad_request(
            f"An entity with the specified name {name} already exists. Please specify a unique "
            "name.",
            DUPLICATE_ENTITY,
        )
    bodies = raw.get("Attributes")
    if not isinstance(bodies, list) or not bodies:
        raise bad_request("No attributes for Create Entity action.", NO_ATTRIBUTES)
    own = [attributes.made(call, name, body, at) for at, body in enumerate(bodies)]
    entity = _entity(draft, schema, raw, _primary(own))
    given = standard(
        schema,
        entity.label.text(call.organization.language),
        entity.ownership,
        call.organization.language,
    )
    draft.put(replace(entity, attributes=given.attributes), is_new=True)
    for attribute in own:
        attributes.add(draft, name, attribute)
    _relate(draft, given)
    return draft.entity(name)


def _relate(draft: Draft, given: Standard) -> None:
    for relationship in given.relationships:
        draft.put_relationship(relationship)


def _primary(own: Sequence[Attribute]) -> Attribute:
    found = [item for item in own if item.is_primary_name]
    if len(found) != 1:
        raise bad_request(
            f"An entity needs exactly one attribute with IsPrimaryName true; {len(found)} are "
            "given.",
            WRONG_PRIMARY,
        )
    if found[0].type is not AttributeType.STRING:
        raise bad_request("Primary UI Attribute has to be of type String", WRONG_PRIMARY)
    return found[0]


def _entity(draft: Draft, schema: str, raw: Mapping[str, Any], primary: Attribute) -> Entity:
    found = clean(draft.call, raw).items()
    body = {k: v for k, v in found if k not in _NAVIGATIONS and v is not None}
    check_names(body, _known(), _KIND)
    if body.get("IsActivity"):
        raise invalid("New activity entities cannot be made in this organization.")
    if not body.get("DisplayName"):
        raise invalid("A new entity needs a DisplayName.")
    ownership = body.get("OwnershipType", "UserOwned")
    if ownership not in _OWNERSHIPS:
        raise invalid(f"OwnershipType '{ownership}' is not one of {', '.join(_OWNERSHIPS)}.")
    name = schema.lower()
    document: Json = {
        **body,
        **born(),
        "LogicalName": name,
        "PrimaryIdAttribute": f"{name}id",
        "PrimaryNameAttribute": primary.name,
        "EntitySetName": body.get("EntitySetName") or plural(name),
        "CollectionSchemaName": plural(schema),
        "ObjectTypeCode": _type_code(draft),
        "OwnershipType": ownership,
        "IsCustomEntity": True,
        "IntroducedVersion": "1.0",
    }
    return entity_from_json(document)


def _known() -> set[str]:
    document = entity_to_json(Entity(name="x", primary_id="xid", attributes=()))
    return {*document, "IsOptimisticConcurrencyEnabled"}


def plural(name: str) -> str:
    """Return the name of the collection of an entity, as the service forms it."""
    if name.lower().endswith(_HISSING):
        return f"{name}es"
    if name[-1:].lower() == "y" and name[-2:-1].lower() not in _VOWELS:
        return f"{name[:-1]}ies"
    return f"{name}s"


def _type_code(draft: Draft) -> int:
    rows = EntityDefinition.objects.filter(organization=draft.call.organization)
    known = rows.values_list("document__type_code", flat=True)
    codes = [code for code in (*known, *draft.type_codes()) if code]
    return int(max([FIRST_TYPE_CODE - 1, *codes])) + 1


def update(draft: Draft, before: Entity, raw: Mapping[str, Any]) -> None:
    """Change an entity by a whole definition; attributes and relationships stay."""
    call = draft.call
    body = {k: v for k, v in clean(call, raw).items() if k not in _NAVIGATIONS}
    check_names(body, _known(), _KIND)
    document = entity_to_json(before, expand=False)
    fixed = {key: document[key] for key in _FIXED}
    changed = merged(document, body, keep_labels=keeps_labels(call)) | fixed
    if before.tracks_changes:
        changed["ChangeTrackingEnabled"] = True
    changed["ModifiedOn"] = now()
    found = entity_from_json(changed)
    draft.put(
        replace(
            found,
            attributes=before.attributes,
            keys=before.keys,
            relationships=before.relationships,
            origin=before.origin,
        )
    )


def delete(draft: Draft, entity: Entity) -> None:
    """Remove a custom entity with its records, unless others' lookups point to it."""
    if not entity.is_custom:
        raise bad_request("The specified entity is not customizable", NOT_CUSTOM_ENTITY)
    pointing = [i for i in entity.one_to_many if i.referencing_entity != entity.name]
    if pointing:
        raise in_use("Entity", entity.name, len(pointing))
    for relationship in entity.relationships:
        draft.remove_relationship(relationship)
        if isinstance(relationship, ManyToMany):
            remove_pairs(draft, relationship)
    draft.drop(entity.name)


def remove_pairs(draft: Draft, relationship: ManyToMany) -> None:
    """Remove the intersect entity of an N:N relationship, if it is here."""
    if draft.find(relationship.intersect_entity) is not None:
        draft.drop(relationship.intersect_entity)
