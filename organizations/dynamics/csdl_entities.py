"""Entity types of the CSDL document, one at a time: key, properties, navigations."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from organizations.dynamics.csdl_index import ACTIVITY, PRINCIPAL, Index, Link
from organizations.dynamics.csdl_xml import ALIAS, annotation, element, permissions
from organizations.dynamics.names import Shape, property_name
from organizations.schema import Attribute, AttributeType, DateBehavior, Entity, Key

T = AttributeType
_EDM = {
    T.UNIQUEIDENTIFIER: "Edm.Guid",
    T.INTEGER: "Edm.Int32",
    T.BIGINT: "Edm.Int64",
    T.DECIMAL: "Edm.Decimal",
    T.MONEY: "Edm.Decimal",
    T.DOUBLE: "Edm.Double",
    T.BOOLEAN: "Edm.Boolean",
    T.DATETIME: "Edm.DateTimeOffset",
    T.PICKLIST: "Edm.Int32",
    T.STATE: "Edm.Int32",
    T.STATUS: "Edm.Int32",
    T.LOOKUP: "Edm.Guid",
    T.CUSTOMER: "Edm.Guid",
    T.OWNER: "Edm.Guid",
    T.IMAGE: "Edm.Binary",
    T.FILE: "Edm.Guid",
}
_DESCRIPTION = "Org.OData.Core.V1.Description"
_COMPUTED = "Org.OData.Core.V1.Computed"
_ALTERNATE = "OData.Community.Keys.V1"


def entity_type(entity: Entity, index: Index, *, annotated: bool = False) -> etree._Element:
    """Return the EntityType of an entity; `annotated` adds descriptions and permissions."""
    known = index.known(entity.name)
    found = element("EntityType", Name=entity.name, BaseType=f"{ALIAS}.{known.base}")
    inherited = index.inherited(entity.name)
    if known.base not in (ACTIVITY, PRINCIPAL):
        _key(found, entity.primary_id)
    for name, attribute in Shape(entity).properties.items():
        if name not in inherited:
            found.append(_property(name, attribute, annotated=annotated))
    for link in index.links(entity.name).values():
        if link.name not in inherited:
            found.append(_navigation(link, index, known.properties | inherited))
    if entity.keys:
        found.append(_alternate_keys(entity))
    if annotated and entity.description:
        found.append(annotation(_DESCRIPTION, String=entity.description.text()))
    return found


def base_types(index: Index) -> Iterator[etree._Element]:
    """Yield the types that entities derive from and that are no entities themselves."""
    yield element("EntityType", Name="crmbaseentity", Abstract="true")
    yield element("EntityType", Name="expando", BaseType=f"{ALIAS}.crmbaseentity", OpenType="true")
    yield _plain(PRINCIPAL, "ownerid")
    if not index.has_pointer:
        yield _plain(ACTIVITY, "activityid")


def _plain(name: str, key: str) -> etree._Element:
    found = element("EntityType", Name=name, BaseType=f"{ALIAS}.crmbaseentity")
    _key(found, key)
    found.append(element("Property", Name=key, Type="Edm.Guid"))
    return found


def _key(parent: etree._Element, name: str) -> None:
    key = element("Key")
    key.append(element("PropertyRef", Name=name))
    parent.append(key)


def _property(name: str, attribute: Attribute, *, annotated: bool) -> etree._Element:
    kind = _EDM.get(attribute.type, "Edm.String")
    if attribute.type is T.DATETIME and attribute.date_behavior is DateBehavior.DATE_ONLY:
        kind = "Edm.Date"
    found = element("Property", Name=name, Type=kind)
    if kind == "Edm.String":
        found.set("Unicode", "false")
    if kind == "Edm.Decimal":
        found.set("Scale", "Variable")
    if annotated:
        _annotate(found, attribute)
    return found


def _annotate(found: etree._Element, attribute: Attribute) -> None:
    if attribute.description:
        found.append(annotation(_DESCRIPTION, String=attribute.description.text()))
    if attribute.is_lookup or not (attribute.is_creatable or attribute.is_updatable):
        found.append(annotation(_COMPUTED, Bool="true"))
        found.append(permissions("Read"))


def _navigation(link: Link, index: Index, properties: frozenset[str]) -> etree._Element:
    kind = f"{ALIAS}.{link.type}"
    if link.is_collection:
        found = element("NavigationProperty", Name=link.name, Type=f"Collection({kind})")
    else:
        # Real documents say Nullable="false" of every lookup, required or not.
        found = element("NavigationProperty", Name=link.name, Type=kind, Nullable="false")
    if link.partner:
        found.set("Partner", link.partner)
    value = f"_{link.attribute}_value"
    key = index.key_of(link.type)
    if key and not link.is_collection and value in properties:
        constraint = element("ReferentialConstraint", Property=value, ReferencedProperty=key)
        found.append(constraint)
    return found


def _alternate_keys(entity: Entity) -> etree._Element:
    found = element("Annotation", Term=f"{_ALTERNATE}.AlternateKeys")
    keys = element("Collection")
    for key in entity.keys:
        keys.append(_alternate_key(entity, key))
    found.append(keys)
    return found


def _alternate_key(entity: Entity, key: Key) -> etree._Element:
    record = element("Record", Type=f"{_ALTERNATE}.AlternateKey")
    value = element("PropertyValue", Property="Key")
    parts = element("Collection")
    for name in key.attributes:
        attribute = entity.attribute(name)
        path = property_name(attribute) if attribute else name
        part = element("Record", Type=f"{_ALTERNATE}.PropertyRef")
        part.append(element("PropertyValue", Property="Alias", String=path))
        part.append(element("PropertyValue", Property="Name", PropertyPath=path))
        parts.append(part)
    value.append(parts)
    record.append(value)
    return record
