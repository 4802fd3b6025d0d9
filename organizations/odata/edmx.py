"""`$metadata`: the EDMX of what is served, version 4.0, namespace RescoCrm (resco.md §3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from xml.sax.saxutils import quoteattr

from organizations.odata.names import Shape, property_name
from organizations.schema import VERSION, Attribute, AttributeType

T = AttributeType
NAMESPACE = "RescoCrm"
_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
TYPES: Mapping[AttributeType, str] = {
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
    T.PARTYLIST: f"Collection({NAMESPACE}.party)",
}
"""Types of properties; every other is Edm.String."""

_CORE = "Org.OData.Core.V1"
_REFERENCE = (
    '<edmx:Reference Uri="https://docs.oasis-open.org/odata/odata/v4.0/cs01/vocabularies/'
    f'{_CORE}.xml"><edmx:Include Namespace="{_CORE}" Alias="Core"/></edmx:Reference>'
)
_COMPUTED = '<Annotation Term="Core.Computed" Bool="true"/>'
_PARTY = (
    '<ComplexType Name="party"><Property Name="participationtypemask" Type="Edm.Int32"/>'
    '<Property Name="entity" Type="Edm.String"/><Property Name="party" Type="Edm.String"/>'
    "</ComplexType>"
)


def type_of(attribute: Attribute) -> str:
    """Return the type of a property."""
    return TYPES.get(attribute.type, "Edm.String")


def document(shapes: Iterable[Shape]) -> Iterator[str]:
    """Yield the document, an entity at a time."""
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<edmx:Edmx Version="4.0" xmlns:edmx="{_EDMX}">{_REFERENCE}<edmx:DataServices>'
    yield f'<Schema Namespace="{NAMESPACE}" xmlns="{_EDM}">{_PARTY}'
    known = list(shapes)
    served = {shape.entity.name for shape in known}
    for shape in known:
        for part in shape.parts.values():
            yield "".join(_complex(part))
        yield "".join(_entity(shape, served))
    yield '<EntityContainer Name="Container">'
    for shape in known:
        yield "".join(_set(shape, served))
    yield "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"


def _entity(shape: Shape, served: set[str]) -> Iterator[str]:
    name = quoteattr(shape.entity.name)
    yield f"<EntityType Name={name}>"
    yield f"<Key><PropertyRef Name={quoteattr(shape.entity.primary_id)}/></Key>"
    for attribute in shape.properties.values():
        yield _property(attribute)
    for title, part in shape.parts.items():
        kind = quoteattr(f"Collection({NAMESPACE}.{part.entity.name})")
        yield f'<Property Name={quoteattr(title)} Type={kind} Nullable="false"/>'
    for navigation in shape.navigations.values():
        if navigation.target in served:
            kind = quoteattr(f"{NAMESPACE}.{navigation.target}")
            yield f"<NavigationProperty Name={quoteattr(navigation.name)} Type={kind}/>"
    yield "</EntityType>"


def _complex(shape: Shape) -> Iterator[str]:
    yield f"<ComplexType Name={quoteattr(shape.entity.name)}>"
    yield from map(_property, shape.properties.values())
    yield "</ComplexType>"


def _property(attribute: Attribute) -> str:
    more = ""
    if attribute.is_primary_id:
        more += ' Nullable="false"'
    if attribute.max_length and type_of(attribute) == "Edm.String":
        more += f' MaxLength="{attribute.max_length}"'
    if type_of(attribute) == "Edm.Decimal":
        more += ' Scale="variable"'
    name = quoteattr(property_name(attribute))
    kind = "Edm.Int64" if attribute.name == VERSION else type_of(attribute)
    start = f"<Property Name={name} Type={quoteattr(kind)}{more}"
    return f"{start}>{_COMPUTED}</Property>" if attribute.name == VERSION else f"{start}/>"


def _set(shape: Shape, served: set[str]) -> Iterator[str]:
    name = shape.entity.name
    kind = quoteattr(f"{NAMESPACE}.{name}")
    yield f"<EntitySet Name={quoteattr(name)} EntityType={kind}>"
    for navigation in shape.navigations.values():
        if navigation.target in served:
            path, target = quoteattr(navigation.name), quoteattr(navigation.target)
            yield f"<NavigationPropertyBinding Path={path} Target={target}/>"
    yield "</EntitySet>"
