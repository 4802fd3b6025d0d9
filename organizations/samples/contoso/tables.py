"""Builders of entities: columns become attributes, lookups become relationships."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from organizations.samples.contoso.columns import Column, Target
from organizations.samples.contoso.labels import label
from organizations.schema import Attribute, Entity, Key, ManyToMany, OneToMany, Relationship

Columns = Iterable[Column | Iterable[Column]]

_PRIMARY_IDS = {"owner": "ownerid", "appointment": "activityid"}
HIERARCHIES = frozenset({"account_parent_account", "business_unit_parent_business_unit"})
"""Relationships marked as the hierarchy of their entity."""

_CASCADE = ("Assign", "Merge", "Reparent", "Share", "Unshare")


def table(
    schema_name: str,
    labels: tuple[str, str],
    columns: Columns,
    *,
    code: int,
    set_name: str,
    pairs: ManyToMany | None = None,
    **properties: Any,
) -> Entity:
    """Make an entity of its singular and plural label and its columns.

    Columns may be nested in groups. Raises ValueError where two columns have one name.
    """
    logical = schema_name.lower()
    listed = tuple(_flat(columns))
    attributes = tuple(_attributes(logical, listed))
    _refuse_duplicates(logical, attributes)
    return Entity(
        name=logical,
        schema_name=schema_name,
        label=label(labels[0]),
        collection_label=label(labels[1]),
        type_code=code,
        set_name=set_name,
        primary_id=next(item.name for item in attributes if item.is_primary_id),
        primary_name=next((item.name for item in attributes if item.is_primary_name), None),
        attributes=attributes,
        relationships=(*_relationships(logical, listed), *([pairs] if pairs else [])),
        is_custom=schema_name.startswith("new_"),
        is_intersect=pairs is not None,
        **properties,
    )


def alternate_key(schema_name: str, text: str, *attributes: str) -> Key:
    """Make a key by which records can be named beside their id."""
    return Key(name=schema_name.lower(), attributes=attributes, label=label(text))


def connect(entities: Iterable[Entity]) -> list[Entity]:
    """Return the entities with every relationship at each entity that takes part in it."""
    known = {entity.name: entity for entity in entities}
    parts: dict[str, dict[str, Relationship]] = {name: {} for name in known}
    for entity in known.values():
        for relationship in entity.relationships:
            for name in (entity.name, *_ends(relationship)):
                if name in parts:
                    parts[name][relationship.name] = relationship
    return [
        replace(entity, relationships=tuple(parts[entity.name].values()))
        for entity in known.values()
    ]


def _ends(relationship: Relationship) -> tuple[str, ...]:
    if isinstance(relationship, OneToMany):
        return relationship.referenced_entity, relationship.referencing_entity
    return relationship.entity1, relationship.entity2, relationship.intersect_entity


def _flat(columns: Columns) -> Iterator[Column]:
    for item in columns:
        if isinstance(item, Column):
            yield item
        else:
            yield from item


def _attributes(entity: str, columns: Iterable[Column]) -> Iterator[Attribute]:
    for column in columns:
        yield _named(entity, column.attribute)
        yield from column.companions


def _named(entity: str, attribute: Attribute) -> Attribute:
    """Name a local option set after its attribute, as Dynamics does."""
    found = attribute.option_set
    if found is None or found.is_global:
        return attribute
    return replace(attribute, option_set=replace(found, name=f"{entity}_{attribute.name}"))


def _refuse_duplicates(entity: str, attributes: tuple[Attribute, ...]) -> None:
    names = [attribute.name for attribute in attributes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"The sample entity '{entity}' has two columns '{twice[0]}'.")


def _relationships(entity: str, columns: Iterable[Column]) -> Iterator[OneToMany]:
    for column in columns:
        for target in column.targets:
            yield _relationship(entity, column, target)


def _relationship(entity: str, column: Column, target: Target) -> OneToMany:
    attribute = column.attribute
    name = target.relationship or f"{target.entity}_{entity}_{attribute.name}"
    alone = attribute.schema_name if attribute.is_custom else attribute.name
    suffix = f"_{target.entity}" if len(column.targets) > 1 else ""
    return OneToMany(
        name=name,
        referenced_entity=target.entity,
        referenced_attribute=_PRIMARY_IDS.get(target.entity, f"{target.entity}id"),
        referencing_entity=entity,
        referencing_attribute=attribute.name,
        referenced_navigation=name,
        referencing_navigation=target.navigation or f"{alone}{suffix}",
        is_custom=attribute.is_custom,
        is_hierarchical=target.relationship in HIERARCHIES,
        cascade=_cascade(target),
    )


def _cascade(target: Target) -> Mapping[str, str]:
    follow = "Cascade" if target.delete == "Cascade" else "NoCascade"
    return {**dict.fromkeys(_CASCADE, follow), "Delete": target.delete}
