"""From attributes to wire names and back: what is asked for, and where it stands in a flat row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from organizations.schema import (
    UNSTORED_TYPES,
    VERSION,
    Attribute,
    AttributeType,
    Column,
    ColumnPart,
    Entity,
    Source,
    columns,
)

LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a reading in the order of `schema.columns`, primary id first."""

    entity: Entity
    columns: tuple[Column, ...]

    @classmethod
    def of(cls, entity: Entity, attributes: Iterable[Attribute]) -> Shape:
        """Return the columns of these attributes; the primary id always comes."""
        wanted = {attribute.name for attribute in attributes} | {entity.primary_id}
        kept = (column for column in columns(entity) if column.attribute.name in wanted)
        return cls(entity, tuple(kept))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """Attributes that a read can select, without party lists, which have no column."""
        return tuple(
            column.attribute
            for column in self.columns
            if column.part is ColumnPart.VALUE
            and column.attribute.type is not AttributeType.PARTYLIST
        )

    @property
    def party_lists(self) -> tuple[Attribute, ...]:
        """Attributes whose values are read from activityparty."""
        return tuple(
            column.attribute
            for column in self.columns
            if column.attribute.type is AttributeType.PARTYLIST
        )

    @property
    def has_version(self) -> bool:
        """Return whether versionnumber can be selected."""
        return self.entity.attribute(VERSION) is not None

    @property
    def select(self) -> str:
        """The value of ``$select``: lookups by their `_x_value` (dataverse.md §0)."""
        names = [property_of(attribute) for attribute in self.attributes]
        return ",".join([*names, VERSION] if self.has_version else names)

    @property
    def fetched(self) -> tuple[str, ...]:
        """The names FetchXML selects: logical names throughout."""
        names = tuple(attribute.name for attribute in self.attributes)
        return (*names, VERSION) if self.has_version else names

    def only_id(self) -> Shape:
        """Return the shape that holds nothing but the primary id."""
        return Shape(self.entity, self.columns[:1])

    @property
    def annotations(self) -> str:
        """The annotations to ask for: the entity of a lookup that may point to several."""
        polymorphic = any(attribute.is_polymorphic for attribute in self.attributes)
        return LOGICAL_NAME if polymorphic else ""


def property_of(attribute: Attribute) -> str:
    """Return the name under which the Web API gives an attribute."""
    return f"_{attribute.name}_value" if attribute.is_lookup else attribute.name


def is_writable(attribute: Attribute, *, creating: bool) -> bool:
    """Return whether a write may name the attribute (dataverse.md §2.1, the caution).

    `is_creatable` and `is_updatable` are IsValidForCreate and IsValidForUpdate, each only where
    IsValidODataAttribute; what shadows another attribute (AttributeOf), what is calculated, rolled
    up or a formula (SourceType), and what no column holds (images, files) is never written.
    """
    allowed = attribute.is_creatable if creating else attribute.is_updatable
    return (
        allowed
        and attribute.attribute_of is None
        and attribute.source is Source.SIMPLE
        and attribute.type not in UNSTORED_TYPES
    )


def wire_name(column: Column) -> str:
    """Return the JSON member that holds a column."""
    name = property_of(column.attribute)
    return f"{name}@{LOGICAL_NAME}" if column.part is ColumnPart.TARGET else name
