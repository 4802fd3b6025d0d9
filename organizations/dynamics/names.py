"""What Dataverse calls things: properties and navigations of an entity.

A lookup's value is the property `_<name>_value`; it is bound and followed under the name of its
navigation, of which a lookup of many targets has one per target (dataverse.md 2.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from organizations.catalog import Catalog
from organizations.dynamics.errors import unknown_property
from organizations.errors import InvalidRequest, NotFound
from organizations.query.nodes import Link
from organizations.schema import (
    VERSION,
    Attribute,
    AttributeType,
    Entity,
    ManyToMany,
    OneToMany,
)

_NO_PROPERTY = frozenset(
    {
        AttributeType.ENTITYNAME,
        AttributeType.VIRTUAL,
        AttributeType.MANAGED_PROPERTY,
        AttributeType.CALENDAR_RULES,
        AttributeType.PARTYLIST,
    }
)


class Side(StrEnum):
    """What a navigation leads to: the one record of a lookup, many by 1:N, or many by N:N."""

    ONE = "one"
    MANY = "many"
    PAIRS = "pairs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Navigation:
    """A way from an entity to others.

    `attribute` is the lookup: this entity's for ONE, the other's for MANY. `relationship` is set
    for PAIRS; `is_first` then says that this entity is the relationship's first.
    """

    name: str
    side: Side
    targets: tuple[str, ...]
    attribute: str = ""
    relationship: ManyToMany | None = None
    is_first: bool = True


def property_name(attribute: Attribute) -> str:
    """Return the name under which a value is read."""
    return f"_{attribute.name}_value" if attribute.is_lookup else attribute.name


class Shape:
    """An entity as its service shows it."""

    def __init__(self, entity: Entity) -> None:
        """Keep the entity; names are worked out when asked for."""
        self.entity = entity

    @cached_property
    def properties(self) -> Mapping[str, Attribute]:
        """All properties that can be selected, in metadata order."""
        return {property_name(item): item for item in self.entity.attributes if _is_served(item)}

    @cached_property
    def navigations(self) -> Mapping[str, Navigation]:
        """All navigations by name."""
        found = {item.name: item for item in _navigations(self.entity)}
        return {item.name: item for item in _unnamed_lookups(self.entity, found)} | found

    def property(self, name: str) -> Attribute:
        """Return the attribute behind a property. Raises WebApiError 400."""
        if name not in self.properties:
            raise unknown_property(name, self.entity.name)
        return self.properties[name]

    def navigation_of(self, attribute: str, target: str) -> str:
        """Return the navigation of a lookup that points to an entity."""
        return self._bound.get((attribute, target)) or attribute

    @cached_property
    def _bound(self) -> Mapping[tuple[str, str], str]:
        return {
            (item.attribute, target): item.name
            for item in self.navigations.values()
            if item.side is Side.ONE
            for target in item.targets
        }


def _is_served(attribute: Attribute) -> bool:
    return (
        attribute.is_readable
        and not attribute.is_hidden
        and attribute.attribute_of is None
        and attribute.type not in _NO_PROPERTY
    )


def is_stored(attribute: Attribute) -> bool:
    """Return whether pages of the store have a value for it; the version is always there."""
    return attribute.is_stored and attribute.name != VERSION


def _navigations(entity: Entity) -> Iterator[Navigation]:
    for one in entity.many_to_one:
        yield _of_lookup(entity, one)
    for many in entity.one_to_many:
        yield Navigation(
            name=many.referenced_navigation or many.name,
            side=Side.MANY,
            targets=(many.referencing_entity,),
            attribute=many.referencing_attribute,
        )
    for pairs in entity.many_to_many:
        yield from _of_pairs(entity, pairs)


def _of_lookup(entity: Entity, relationship: OneToMany) -> Navigation:
    attribute = entity.attribute(relationship.referencing_attribute)
    targets: tuple[str, ...] = (relationship.referenced_entity,)
    if attribute is not None and attribute.type is AttributeType.OWNER:
        # The relationship leads to `owner`, of which systemuser and team are kinds.
        targets = attribute.targets
    return Navigation(
        name=relationship.referencing_navigation or relationship.referencing_attribute,
        side=Side.ONE,
        targets=targets,
        attribute=relationship.referencing_attribute,
    )


def _of_pairs(entity: Entity, relationship: ManyToMany) -> Iterator[Navigation]:
    if relationship.entity1 == entity.name:
        yield Navigation(
            name=relationship.navigation1 or relationship.name,
            side=Side.PAIRS,
            targets=(relationship.entity2,),
            relationship=relationship,
        )
    if relationship.entity2 == entity.name:
        yield Navigation(
            name=relationship.navigation2 or relationship.name,
            side=Side.PAIRS,
            targets=(relationship.entity1,),
            relationship=relationship,
            is_first=False,
        )


def _unnamed_lookups(entity: Entity, found: Mapping[str, Navigation]) -> Iterator[Navigation]:
    """Yield navigations of lookups whose relationships are not part of the metadata."""
    bound = {(item.attribute, target) for item in found.values() for target in item.targets}
    for attribute in entity.attributes:
        if not attribute.is_lookup:
            continue
        for name, targets in _ways(attribute):
            if targets and all((attribute.name, target) not in bound for target in targets):
                yield Navigation(
                    name=name, side=Side.ONE, targets=targets, attribute=attribute.name
                )


def _ways(attribute: Attribute) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield names and targets of a lookup's navigations: one per target, but one for owners."""
    if attribute.type is AttributeType.OWNER or len(attribute.targets) == 1:
        yield attribute.name, attribute.targets
        return
    for target in attribute.targets:
        yield f"{attribute.name}_{target}", (target,)


class DataverseNames:
    """Tells the OData reader what is meant (`organizations.query.odata_reader.Names`)."""

    def __init__(self, catalog: Catalog) -> None:
        """Look entities up in the catalog."""
        self.catalog = catalog

    def attribute(self, entity: Entity, name: str) -> str:
        """Return the attribute behind a property. Raises WebApiError 400."""
        return Shape(entity).property(name).name

    def function_attribute(self, entity: Entity, name: str) -> str:
        """Return the attribute that a query function names: by property or logical name."""
        shape = Shape(entity)
        return name if f"_{name}_value" in shape.properties else shape.property(name).name

    def link(self, entity: Entity, name: str, alias: str) -> tuple[Link, Entity]:
        """Return the link of a navigation and its target entity. Raises InvalidRequest."""
        navigation = Shape(entity).navigations.get(name)
        if navigation is None:
            raise unknown_property(name, entity.name)
        if len(navigation.targets) != 1:
            raise InvalidRequest(f"'{name}' leads to several entities; filter its id.", name)
        target = self._target(navigation)
        if navigation.relationship is not None:
            return _pairs_link(entity, navigation, navigation.relationship, target, alias), target
        ends = (target.primary_id, navigation.attribute)
        if navigation.side is Side.MANY:
            ends = (navigation.attribute, entity.primary_id)
        link = Link(entity=target.name, from_attribute=ends[0], to_attribute=ends[1], alias=alias)
        return link, target

    def _target(self, navigation: Navigation) -> Entity:
        try:
            return self.catalog.entity(navigation.targets[0])
        except NotFound as error:
            raise InvalidRequest(
                f"'{navigation.name}' leads to entity '{navigation.targets[0]}', which this "
                "organization does not have.",
                navigation.name,
            ) from error


def _pairs_link(
    entity: Entity, navigation: Navigation, relationship: ManyToMany, target: Entity, alias: str
) -> Link:
    here, there = relationship.attribute1, relationship.attribute2
    if not navigation.is_first:
        here, there = there, here
    inner = Link(
        entity=target.name, from_attribute=target.primary_id, to_attribute=there, alias=alias
    )
    return Link(
        entity=relationship.intersect_entity,
        from_attribute=here,
        to_attribute=entity.primary_id,
        alias=f"{alias}_pairs",
        links=(inner,),
    )
