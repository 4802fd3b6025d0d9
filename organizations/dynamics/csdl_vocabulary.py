"""Types of the CSDL document that describe metadata themselves: EntityMetadata, Label, enums…

The property lists are those the codec serves, so that what is declared is what is answered.
Names and bases are those of Dataverse (dataverse.md 2.1 to 2.3); members of enumerations are
numbered as their documents say, where clients use numbers, else in order ("assumed").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from lxml import etree

from organizations.dynamics.codec import attribute_to_json, entity_to_json
from organizations.dynamics.codec.attribute_types import cast_of
from organizations.dynamics.csdl_complex import COMPLEX_TYPES, ENUM_TYPES
from organizations.dynamics.csdl_xml import ALIAS, element
from organizations.schema import (
    Attribute,
    AttributeType,
    Entity,
    Key,
    ManyToMany,
    OneToMany,
    OptionSet,
)

T = AttributeType
_BASE = frozenset({"MetadataId", "HasChanged", "@odata.type"})
_OPTION_SETS = frozenset({"OptionSet", "GlobalOptionSet"})
_NAVIGATIONS = {
    "Attributes": "AttributeMetadata",
    "Keys": "EntityKeyMetadata",
    "ManyToManyRelationships": "ManyToManyRelationshipMetadata",
    "ManyToOneRelationships": "OneToManyRelationshipMetadata",
    "OneToManyRelationships": "OneToManyRelationshipMetadata",
}
_TYPES = {
    "OwnershipType": "OwnershipTypes",
    "AttributeType": "AttributeTypeCode",
    "AttributeTypeName": "AttributeTypeDisplayName",
    "RequiredLevel": "AttributeRequiredLevelManagedProperty",
    "RelationshipType": "RelationshipType",
    "SecurityTypes": "SecurityTypes",
    "CascadeConfiguration": "CascadeConfiguration",
    "AssociatedMenuConfiguration": "AssociatedMenuConfiguration",
    "Entity1AssociatedMenuConfiguration": "AssociatedMenuConfiguration",
    "Entity2AssociatedMenuConfiguration": "AssociatedMenuConfiguration",
    "EntityKeyIndexStatus": "EntityKeyIndexStatus",
    "OptionSetType": "OptionSetType",
    "DateTimeBehavior": "DateTimeBehavior",
    "FormatName": "StringFormatName",
    "ImeMode": "ImeMode",
}
_SIMPLE = {
    "CreatedOn": "Edm.DateTimeOffset",
    "ModifiedOn": "Edm.DateTimeOffset",
    "LinkedAttributeId": "Edm.Guid",
    "DataProviderId": "Edm.Guid",
    "DataSourceId": "Edm.Guid",
    "OwnerId": "Edm.Guid",
    "OwningBusinessUnit": "Edm.Guid",
    "ColumnNumber": "Edm.Int32",
    "SourceType": "Edm.Int32",
    "DaysSinceRecordLastModified": "Edm.Int32",
    "ObjectTypeCode": "Edm.Int32",
    "IsDenormalizedLookup": "Edm.Boolean",
}
_NUMBERS = {T.BIGINT: "Edm.Int64", T.DECIMAL: "Edm.Decimal", T.MONEY: "Edm.Double"}
_ENUMS = frozenset({T.PICKLIST, T.MULTISELECT, T.STATE, T.STATUS, T.ENTITYNAME})


def metadata_types() -> Iterator[etree._Element]:
    """Yield all entity types, complex types and enumerations of metadata."""
    yield _base("MetadataBase", key="MetadataId")
    yield _entity_metadata()
    yield from _attribute_types()
    yield from _relationship_types()
    yield from _option_set_types()
    for name, (base, properties) in COMPLEX_TYPES.items():
        yield _complex(name, base, properties)
    for name, members in ENUM_TYPES.items():
        yield _enum(name, members)


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    """Return what the codec serves of an entity that has one of everything."""
    kinds = [kind for kind in AttributeType if kind is not T.UNIQUEIDENTIFIER]
    entity = Entity(
        name="x",
        primary_id="xid",
        type_code=1,
        attributes=(
            Attribute(name="xid", type=T.UNIQUEIDENTIFIER, is_primary_id=True),
            *(_sample(kind.lower(), kind) for kind in kinds),
        ),
        keys=(Key(name="k", attributes=("string",)),),
        relationships=(
            OneToMany(
                name="one",
                referenced_entity="x",
                referenced_attribute="xid",
                referencing_entity="x",
                referencing_attribute="lookup",
            ),
            ManyToMany(
                name="many",
                entity1="x",
                attribute1="a",
                entity2="x",
                attribute2="b",
                intersect_entity="xx",
            ),
        ),
    )
    return entity_to_json(entity)


def _sample(name: str, kind: AttributeType) -> Attribute:
    """Return an attribute whose whole numbers show that they are such."""
    return Attribute(
        name=name,
        type=kind,
        max_length=1,
        minimum=1,
        maximum=1,
        precision=1,
        option_set=OptionSet(name=name),
    )


def _base(name: str, base: str = "", *, key: str = "") -> etree._Element:
    found = element("EntityType", Name=name)
    if base:
        found.set("BaseType", f"{ALIAS}.{base}")
    if key:
        found.set("Abstract", "true")
        parent = element("Key")
        parent.append(element("PropertyRef", Name=key))
        found.append(parent)
        found.append(element("Property", Name=key, Type="Edm.Guid", Nullable="false"))
        found.append(element("Property", Name="HasChanged", Type="Edm.Boolean"))
    return found


def _with_properties(
    found: etree._Element, document: Mapping[str, Any], without: frozenset[str] = frozenset()
) -> etree._Element:
    for name, value in document.items():
        if name not in _BASE | _OPTION_SETS | without and not name.startswith("@"):
            found.append(element("Property", Name=name, Type=_type(name, value)))
    return found


def _type(name: str, value: Any) -> str:
    if name in _TYPES:
        return f"{ALIAS}.{_TYPES[name]}"
    if name in _SIMPLE:
        return _SIMPLE[name]
    if isinstance(value, dict):
        kind = "Label" if "LocalizedLabels" in value else "BooleanManagedProperty"
        return f"{ALIAS}.{kind}"
    if isinstance(value, list):
        kind = f"{ALIAS}.SecurityPrivilegeMetadata" if name == "Privileges" else "Edm.String"
        return f"Collection({kind})"
    if isinstance(value, bool):
        return "Edm.Boolean"
    return "Edm.Int32" if isinstance(value, int) else "Edm.String"


def _link(name: str, kind: str, *, many: bool = False) -> etree._Element:
    full = f"{ALIAS}.{kind}"
    return element("NavigationProperty", Name=name, Type=f"Collection({full})" if many else full)


def _entity_metadata() -> etree._Element:
    document = _document()
    found = _with_properties(
        _base("EntityMetadata", "MetadataBase"), document, frozenset(_NAVIGATIONS)
    )
    for name, kind in _NAVIGATIONS.items():
        found.append(_link(name, kind, many=True))
    return found


def _attribute_types() -> Iterator[etree._Element]:
    virtual = attribute_to_json(Attribute(name="v", type=T.VIRTUAL), "x")
    yield _with_properties(_base("AttributeMetadata", "MetadataBase"), virtual)
    enum = _base("EnumAttributeMetadata", "AttributeMetadata")
    enum.set("Abstract", "true")
    enum.append(element("Property", Name="DefaultFormValue", Type="Edm.Int32"))
    for name in sorted(_OPTION_SETS):
        enum.append(_link(name, "OptionSetMetadata"))
    yield enum
    seen = {"AttributeMetadata"}
    for kind in AttributeType:
        cast = cast_of(kind)
        if cast not in seen:
            seen.add(cast)
            yield _attribute_type(kind, cast, frozenset(virtual))
    yield _base("UniqueIdentifierAttributeMetadata", "AttributeMetadata")


def _attribute_type(kind: AttributeType, cast: str, common: frozenset[str]) -> etree._Element:
    document = attribute_to_json(_sample("x", kind), "x")
    own = {name: value for name, value in document.items() if name not in common}
    if kind in _NUMBERS:
        own = {n: v for n, v in own.items() if n not in ("MinValue", "MaxValue")}
    is_enum = kind in _ENUMS
    found = _base(cast, "EnumAttributeMetadata" if is_enum else "AttributeMetadata")
    _with_properties(found, own, frozenset({"DefaultFormValue"} if is_enum else ()))
    if kind in _NUMBERS:
        for name in ("MinValue", "MaxValue"):
            found.append(element("Property", Name=name, Type=_NUMBERS[kind]))
    if kind is T.BOOLEAN:
        for name in sorted(_OPTION_SETS):
            found.append(_link(name, "BooleanOptionSetMetadata"))
    return found


def _relationship_types() -> Iterator[etree._Element]:
    one = _document()["OneToManyRelationships"][0]
    many = _document()["ManyToManyRelationships"][0]
    common = frozenset(one) & frozenset(many)
    base = {name: one[name] for name in one if name in common}
    yield _with_properties(_base("RelationshipMetadataBase", "MetadataBase"), base)
    for name, document in (("OneToMany", one), ("ManyToMany", many)):
        own = _base(f"{name}RelationshipMetadata", "RelationshipMetadataBase")
        yield _with_properties(own, document, common)
    yield _with_properties(_base("EntityKeyMetadata", "MetadataBase"), _document()["Keys"][0])


def _option_set_types() -> Iterator[etree._Element]:
    kinds = {item["LogicalName"]: item for item in _document()["Attributes"]}
    options = kinds["picklist"]["OptionSet"]
    own = frozenset({"Options", "ParentOptionSetName"})
    yield _with_properties(_base("OptionSetMetadataBase", "MetadataBase"), options, own)
    found = _base("OptionSetMetadata", "OptionSetMetadataBase")
    found.append(element("Property", Name="Options", Type=f"Collection({ALIAS}.OptionMetadata)"))
    found.append(element("Property", Name="ParentOptionSetName", Type="Edm.String"))
    yield found
    two = _base("BooleanOptionSetMetadata", "OptionSetMetadataBase")
    for name in ("TrueOption", "FalseOption"):
        two.append(element("Property", Name=name, Type=f"{ALIAS}.OptionMetadata"))
    yield two


def _complex(name: str, base: str, properties: Mapping[str, str]) -> etree._Element:
    found = element("ComplexType", Name=name)
    if base:
        found.set("BaseType", f"{ALIAS}.{base}")
    for key, kind in properties.items():
        found.append(element("Property", Name=key, Type=kind))
    return found


def _enum(name: str, members: Mapping[str, int]) -> etree._Element:
    found = element("EnumType", Name=name)
    if name == "DeletedMetadataFilters":
        found.set("IsFlags", "true")
    for key, value in members.items():
        found.append(element("Member", Name=key, Value=str(value)))
    return found
