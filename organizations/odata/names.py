"""What the service calls things (resco.md §3.2, §3.3).

A set has the logical name of its entity. The value of a lookup is the property `__{lookup}_id`;
it is bound, and followed by `$expand` and paths (assumed), as `{lookup}_{entity}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from organizations.catalog import Catalog
from organizations.errors import NotFound
from organizations.odata.errors import ODataError
from organizations.query.nodes import Link
from organizations.schema import VERSION, Attribute, Entity

_PREFIX, _SUFFIX = "__", "_id"


@dataclass(frozen=True, slots=True)
class Navigation:
    """A lookup as a way to the records of one of its targets."""

    name: str
    attribute: Attribute
    target: str


def property_name(attribute: Attribute) -> str:
    """Return the name under which a value is read."""
    return f"{_PREFIX}{attribute.name}{_SUFFIX}" if attribute.is_lookup else attribute.name


class Shape:
    """An entity as its service shows it."""

    def __init__(self, entity: Entity) -> None:
        """Keep the entity; names are worked out when asked for."""
        self.entity = entity
        self.parts: dict[str, Shape] = {}
        """Properties that are lists of objects, and what these are made of."""

    @cached_property
    def properties(self) -> Mapping[str, Attribute]:
        """All properties by name, in metadata order."""
        return {property_name(item): item for item in self.entity.attributes if _is_served(item)}

    @cached_property
    def navigations(self) -> Mapping[str, Navigation]:
        """All navigations by name."""
        return {item.name: item for item in _navigations(self.entity)}

    def property(self, name: str) -> Attribute:
        """Return the attribute behind a property. Raises ODataError 400 for an unknown one."""
        found = self.properties.get(name)
        if found is None:
            raise ODataError(
                f"Entity '{self.entity.name}' has no property '{name[:100]}'.", target=name[:100]
            )
        return found

    def navigation(self, name: str) -> Navigation:
        """Return a navigation. Raises ODataError 400 for an unknown one."""
        found = self.navigations.get(name)
        if found is None:
            raise ODataError(
                f"Entity '{self.entity.name}' has no navigation '{name[:100]}'. A lookup is "
                "followed as {lookup}_{entity}.",
                target=name[:100],
            )
        return found


def _is_served(attribute: Attribute) -> bool:
    return not attribute.is_hidden and (attribute.is_stored or attribute.name == VERSION)


def _navigations(entity: Entity) -> Iterator[Navigation]:
    for attribute in entity.attributes:
        if attribute.is_lookup and _is_served(attribute):
            for target in attribute.targets:
                yield Navigation(f"{attribute.name}_{target}", attribute, target)


class RescoNames:
    """Tells the OData reader what is meant (`organizations.query.odata_reader.Names`)."""

    def __init__(self, catalog: Catalog) -> None:
        """Look entities up in the catalog."""
        self._catalog = catalog

    def attribute(self, entity: Entity, name: str) -> str:
        """Return the attribute behind a property. Raises ODataError 400."""
        return Shape(entity).property(name).name

    def function_attribute(self, entity: Entity, name: str) -> str:
        """Return the attribute that a query function names. Raises ODataError 400."""
        return self.attribute(entity, name)

    def link(self, entity: Entity, name: str, alias: str) -> tuple[Link, Entity]:
        """Return the link of a navigation and its target entity. Raises ODataError 400."""
        found = Shape(entity).navigation(name)
        try:
            target = self._catalog.entity(found.target)
        except NotFound as error:
            raise ODataError(
                f"'{name}' leads to entity '{found.target}', which this organization does not "
                "have.",
                target=name,
            ) from error
        link = Link(
            entity=target.name,
            from_attribute=target.primary_id,
            to_attribute=found.attribute.name,
            alias=alias,
        )
        return link, target
