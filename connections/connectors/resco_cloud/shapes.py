"""From attributes to flat rows: what is asked for, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from organizations.schema import (
    UNSTORED_TYPES,
    Attribute,
    Column,
    ColumnPart,
    Entity,
    Source,
    columns,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a reading in the order of `schema.columns`, primary id first."""

    entity: Entity
    columns: tuple[Column, ...]

    @classmethod
    def of(cls, entity: Entity, names: Iterable[str]) -> Shape:
        """Return the columns of these attributes; the primary id always comes."""
        wanted = {*names, entity.primary_id}
        kept = (column for column in columns(entity) if column.attribute.name in wanted)
        return cls(entity, tuple(kept))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes, each once."""
        return tuple(c.attribute for c in self.columns if c.part is ColumnPart.VALUE)

    @property
    def selected(self) -> tuple[str, ...]:
        """Names of the attributes."""
        return tuple(attribute.name for attribute in self.attributes)


def is_writable(attribute: Attribute, *, creating: bool) -> bool:
    """Return whether a write may name the attribute: Permissions say so (resco.md §2.3)."""
    allowed = attribute.is_creatable if creating else attribute.is_updatable
    return (
        allowed
        and not attribute.is_primary_id
        and attribute.attribute_of is None
        and attribute.source is Source.SIMPLE
        and attribute.type not in UNSTORED_TYPES
    )
