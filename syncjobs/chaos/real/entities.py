"""The entities of a world as a twin serves them: with set names, and relationships of lookups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from organizations.samples.contoso.tables import connect
from organizations.schema import VERSION, Attribute, AttributeType, Entity, OneToMany
from syncjobs.chaos import schema

NAMES = tuple(entity.name for entity in schema.make_entities())
_VERSION = Attribute(
    name=VERSION, type=AttributeType.BIGINT, is_creatable=False, is_updatable=False
)


def make_entities(*, is_strict: bool) -> list[Entity]:
    """Return the definitions of a new twin.

    A `strict` one empties what refers to a deleted record; any other leaves it.
    """
    return connect(_served(entity, is_strict=is_strict) for entity in schema.make_entities())


def _served(entity: Entity, *, is_strict: bool) -> Entity:
    primary = next((item.name for item in entity.attributes if item.is_primary_name), None)
    return replace(
        entity,
        schema_name=entity.name,
        set_name=f"{entity.name}s",
        attributes=(*entity.attributes, _VERSION),
        primary_name=primary,
        tracks_changes=True,
        relationships=(*entity.relationships, *_lookups(entity, is_strict=is_strict)),
    )


def _lookups(entity: Entity, *, is_strict: bool) -> Iterator[OneToMany]:
    for attribute in entity.attributes:
        if not attribute.is_lookup:
            continue
        targets = [target for target in attribute.targets if target in NAMES]
        is_owner = attribute.type is AttributeType.OWNER
        for target in targets:
            suffix = f"_{target}" if attribute.is_polymorphic and not is_owner else ""
            name = f"{target}_{entity.name}_{attribute.name}"
            yield OneToMany(
                name=name,
                referenced_entity=target,
                referenced_attribute=f"{target}id",
                referencing_entity=entity.name,
                referencing_attribute=attribute.name,
                referenced_navigation=name,
                referencing_navigation=f"{attribute.name}{suffix}",
                cascade={"Delete": "RemoveLink" if is_strict and not is_owner else "NoCascade"},
            )
