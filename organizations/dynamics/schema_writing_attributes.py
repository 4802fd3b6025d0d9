"""New, changed and removed attributes, and the alternate keys of an entity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from organizations.dynamics import schema_writing_options as option_sets
from organizations.dynamics.call import Call
from organizations.dynamics.codec import attribute_from_json, attribute_to_json
from organizations.dynamics.codec.attribute_types import cast_of, type_from_json
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
    CHILD_ATTRIBUTE,
    DUPLICATE_ATTRIBUTE,
    NOT_CUSTOM_ATTRIBUTE,
    PRIMARY_ATTRIBUTE,
    in_use,
    invalid,
)
from organizations.schema import (
    LOOKUP_TYPES,
    OPTION_TYPES,
    Attribute,
    AttributeType,
    Entity,
    Label,
)

T = AttributeType
_SETS = ("OptionSet", "GlobalOptionSet")
_DEFAULTS: Mapping[AttributeType, Json] = {
    T.STRING: {"MaxLength": 100},
    T.MEMO: {"MaxLength": 2000},
    T.INTEGER: {"MinValue": -2_147_483_648, "MaxValue": 2_147_483_647},
    T.DECIMAL: {"MinValue": -100_000_000_000, "MaxValue": 100_000_000_000, "Precision": 2},
    T.DOUBLE: {"MinValue": -100_000_000_000, "MaxValue": 100_000_000_000, "Precision": 2},
    T.MONEY: {
        "MinValue": -922_337_203_685_477,
        "MaxValue": 922_337_203_685_477,
        "Precision": 2,
    },
}
_NOT_MADE = LOOKUP_TYPES | {
    T.STATE,
    T.STATUS,
    T.PARTYLIST,
    T.ENTITYNAME,
    T.VIRTUAL,
    T.MANAGED_PROPERTY,
    T.CALENDAR_RULES,
}
_FIRST_COLUMN = 10_000


def made(call: Call, entity: str, raw: Mapping[str, Any], column: int) -> Attribute:
    """Return the attribute of a body that asks for a new one. Raises WebApiError 400."""
    kind = kind_of(raw)
    if kind in _NOT_MADE:
        raise invalid(f"Attribute of type {cast_of(kind)} cannot be created through the SDK.")
    return of_kind(call, entity, raw, kind, column)


def of_kind(
    call: Call, entity: str, raw: Mapping[str, Any], kind: AttributeType, column: int
) -> Attribute:
    """Return the attribute of a body, of a type that is known already."""
    name = schema_name(raw, "attribute")
    body = {key: value for key, value in clean(call, raw).items() if key not in _SETS}
    check_names(body, _known(kind), cast_of(kind))
    document = _DEFAULTS.get(kind, {}) | {k: v for k, v in body.items() if v is not None}
    document |= {
        **born(),
        "LogicalName": name.lower(),
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "EntityLogicalName": entity,
        "IsCustomAttribute": True,
        "ColumnNumber": _FIRST_COLUMN + column,
        "RequiredLevel": _level(document),
    }
    found = attribute_from_json(document, entity, "")
    if kind not in OPTION_TYPES:
        return found
    local = f"{entity}_{found.name}"
    return replace(found, option_set=option_sets.of_attribute(call, raw, kind, local))


def kind_of(raw: Mapping[str, Any]) -> AttributeType:
    """Return the type that a body names. Raises WebApiError 400."""
    known = {"@odata.type", "AttributeType", "AttributeTypeName"}
    if not known & raw.keys():
        raise invalid(
            f"Attribute '{raw.get('SchemaName')}' needs '@odata.type', such as "
            "Microsoft.Dynamics.CRM.StringAttributeMetadata."
        )
    cast = str(raw.get("@odata.type") or "").lstrip("#")
    if cast and not cast.endswith("AttributeMetadata"):
        raise invalid(f"'{cast}' is not a type of attributes.")
    found = type_from_json({**raw, "@odata.type": f"#{cast}"} if cast else raw)
    if found is T.VIRTUAL and "UniqueIdentifier" in cast:
        return T.UNIQUEIDENTIFIER
    return found


def _known(kind: AttributeType) -> set[str]:
    document = attribute_to_json(Attribute(name="x", type=kind), "x")
    return {*document, *_SETS, "SourceTypeMask", "FormulaDefinition"}


def _level(document: Mapping[str, Any]) -> Json:
    given = document.get("RequiredLevel") or {}
    return {
        "Value": given.get("Value", "None"),
        "CanBeChanged": given.get("CanBeChanged", True),
        "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
    }


def companions(attribute: Attribute) -> Iterator[Attribute]:
    """Yield the attributes that come with one: the text of a choice, the name of a lookup."""
    if attribute.type in OPTION_TYPES:
        yield _shadow(attribute, T.VIRTUAL, "Name")
    elif attribute.is_lookup:
        yield _shadow(attribute, T.STRING, "Name")
    elif attribute.type is T.MONEY and not attribute.name.endswith("_base"):
        yield _base(attribute)
    elif attribute.type is T.FILE:
        yield _shadow(attribute, T.STRING, "_Name")


def _shadow(attribute: Attribute, kind: AttributeType, suffix: str) -> Attribute:
    schema = f"{attribute.schema_name}{suffix}"
    return Attribute(
        name=schema.lower(),
        schema_name=schema,
        type=kind,
        attribute_of=attribute.name,
        is_creatable=False,
        is_updatable=False,
        is_custom=True,
    )


def _base(attribute: Attribute) -> Attribute:
    label = Label.of({lcid: f"{text} (Base)" for lcid, text in attribute.label.texts})
    return replace(
        attribute,
        name=f"{attribute.name}_base",
        schema_name=f"{attribute.schema_name}_Base",
        label=label,
        is_creatable=False,
        is_updatable=False,
        extras={"MetadataId": str(uuid4())},
    )


def create(draft: Draft, entity: Entity, raw: Mapping[str, Any]) -> Attribute:
    """Add an attribute to an entity. Raises WebApiError 400."""
    attribute = made(draft.call, entity.name, raw, len(entity.attributes))
    add(draft, entity.name, attribute)
    return attribute


def add(draft: Draft, entity: str, attribute: Attribute) -> None:
    """Add an attribute with those that come with it. Raises WebApiError 400 for a known name."""
    check_new(draft.entity(entity), attribute)
    draft.add_attributes(entity, attribute, *companions(attribute))


def check_new(entity: Entity, attribute: Attribute) -> None:
    """Refuse a name the entity has already. Raises WebApiError 400."""
    found = entity.attribute(attribute.name)
    if found is not None and not found.is_hidden:
        raise bad_request(
            f"An attribute with the specified name {attribute.name} already exists",
            DUPLICATE_ATTRIBUTE,
        )


def update(draft: Draft, entity: Entity, before: Attribute, raw: Mapping[str, Any]) -> None:
    """Change an attribute by a whole definition. Options are changed by their own actions."""
    call = draft.call
    if "@odata.type" in raw and cast_of(kind_of(raw)) != cast_of(before.type):
        raise invalid(f"The type of attribute '{before.name}' cannot be changed.")
    body = {key: value for key, value in clean(call, raw).items() if key not in _SETS}
    check_names(body, _known(before.type), cast_of(before.type))
    document = attribute_to_json(before, entity.name)
    fixed = {key: document[key] for key in ("LogicalName", "SchemaName", "MetadataId")}
    changed = merged(document, body, keep_labels=keeps_labels(call)) | fixed
    changed["ModifiedOn"] = now()
    found = attribute_from_json(changed, entity.name, entity.primary_id)
    draft.put_attribute(entity.name, replace(found, option_set=before.option_set))


def delete(draft: Draft, entity: Entity, attribute: Attribute) -> None:
    """Remove a custom attribute with all its values. Raises WebApiError 400."""
    if attribute.is_primary_id or attribute.is_primary_name:
        raise bad_request("The Primary UI Attribute is not valid for deletion", PRIMARY_ATTRIBUTE)
    if attribute.attribute_of is not None:
        raise bad_request("The Child Attribute is not valid for deletion", CHILD_ATTRIBUTE)
    if not attribute.is_custom:
        raise bad_request("The specified attribute is not a custom attribute", NOT_CUSTOM_ATTRIBUTE)
    keys = [key for key in entity.keys if attribute.name in key.attributes]
    if keys:
        raise in_use("Attribute", attribute.name, len(keys))
    for relationship in entity.many_to_one:
        if relationship.referencing_attribute == attribute.name:
            draft.remove_relationship(relationship)
    draft.remove_attribute(entity.name, attribute.name)
