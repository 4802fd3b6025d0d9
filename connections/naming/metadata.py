"""Metadata of one side in the names of the other."""

from __future__ import annotations

from dataclasses import replace

from connections.naming.names import Names
from organizations.schema import Attribute, Entity, Key, ManyToMany, Relationship


def renamed(entity: Entity, names: Names) -> Entity:
    """Return an entity in the other side's names; the very same object if nothing changes.

    An attribute whose name another one takes is left out: there is no name left for it.
    """
    relationships = tuple(_relationship(item, names) for item in entity.relationships)
    if not names.pairs(entity.name):
        if all(old is new for old, new in zip(entity.relationships, relationships, strict=True)):
            return entity
        return replace(entity, relationships=relationships)
    gone = left_out(entity, names)
    return replace(
        entity,
        primary_id=names.attribute(entity.name, entity.primary_id),
        primary_name=_maybe(entity, names, entity.primary_name),
        attributes=tuple(
            _attribute(entity, item, names)
            for item in entity.attributes
            if item.name not in gone and item.attribute_of not in gone
        ),
        keys=tuple(
            _key(entity, item, names) for item in entity.keys if not gone & set(item.attributes)
        ),
        relationships=relationships,
    )


def left_out(entity: Entity, names: Names) -> frozenset[str]:
    """Return the attributes whose names others take."""
    pairs = names.pairs(entity.name)
    taken = {there for here, there in pairs.items() if entity.attribute(here) is not None}
    return frozenset(
        item.name for item in entity.attributes if item.name in taken and item.name not in pairs
    )


def _maybe(entity: Entity, names: Names, name: str | None) -> str | None:
    return None if name is None else names.attribute(entity.name, name)


def _attribute(entity: Entity, item: Attribute, names: Names) -> Attribute:
    name = names.attribute(entity.name, item.name)
    shadowed = _maybe(entity, names, item.attribute_of)
    if (name, shadowed) == (item.name, item.attribute_of):
        return item
    return replace(item, name=name, attribute_of=shadowed)


def _key(entity: Entity, item: Key, names: Names) -> Key:
    return replace(item, attributes=names.columns(entity.name, item.attributes))


def _relationship(item: Relationship, names: Names) -> Relationship:
    if isinstance(item, ManyToMany):
        of, ends = item.intersect_entity, (item.attribute1, item.attribute2)
        first, second = names.columns(of, ends)
        if (first, second) == ends:
            return item
        return replace(item, attribute1=first, attribute2=second)
    referenced = names.attribute(item.referenced_entity, item.referenced_attribute)
    referencing = names.attribute(item.referencing_entity, item.referencing_attribute)
    if (referenced, referencing) == (item.referenced_attribute, item.referencing_attribute):
        return item
    return replace(item, referenced_attribute=referenced, referencing_attribute=referencing)
