"""Changes to several entities that are saved together: relationships stand at both ends."""

from __future__ import annotations

from dataclasses import replace

from organizations.catalog import define, drop, enable, remove_attributes
from organizations.dynamics.call import Call
from organizations.dynamics.schema_writing_faults import unknown_entity
from organizations.errors import NotFound
from organizations.schema import Attribute, Entity, OneToMany, Relationship


class Draft:
    """The entities of one metadata write. For use under the exclusive schema lock."""

    def __init__(self, call: Call) -> None:
        """Begin without a change."""
        self.call = call
        self._changed: dict[str, Entity] = {}
        self._new: list[str] = []
        self._removed: dict[str, list[str]] = {}
        self._dropped: list[str] = []

    def find(self, name: str) -> Entity | None:
        """Return an entity as it will be; None for an unknown or hidden one."""
        if name in self._changed:
            return self._changed[name]
        try:
            found = self.call.catalog.entity(name)
        except NotFound:
            return None
        return None if found.is_hidden else found

    def entity(self, name: str) -> Entity:
        """Return an entity as it will be. Raises WebApiError 400."""
        found = self.find(name)
        if found is None:
            raise unknown_entity(name)
        return found

    def put(self, entity: Entity, *, is_new: bool = False) -> None:
        """Take an entity's new definition."""
        self._changed[entity.name] = entity
        if is_new:
            self._new.append(entity.name)

    def type_codes(self) -> list[int | None]:
        """Return the type codes of all entities changed so far."""
        return [entity.type_code for entity in self._changed.values()]

    def add_attributes(self, name: str, *attributes: Attribute) -> None:
        """Give an entity more attributes; those it has by name stay as they are."""
        entity = self.entity(name)
        known = {item.name for item in entity.attributes if not item.is_hidden}
        fresh = tuple(item for item in attributes if item.name not in known)
        names = {item.name for item in fresh}
        kept = tuple(item for item in entity.attributes if item.name not in names)
        self.put(replace(entity, attributes=kept + fresh))

    def put_attribute(self, name: str, attribute: Attribute) -> None:
        """Replace an attribute by one of the same name."""
        entity = self.entity(name)
        new = (attribute if i.name == attribute.name else i for i in entity.attributes)
        self.put(replace(entity, attributes=tuple(new)))

    def put_relationship(self, relationship: Relationship) -> None:
        """Write a relationship at every entity that takes part in it and is here."""
        for name in ends(relationship):
            entity = self.find(name)
            if entity is not None:
                others = (i for i in entity.relationships if i.name != relationship.name)
                self.put(replace(entity, relationships=(*others, relationship)))

    def remove_relationship(self, relationship: Relationship) -> None:
        """Take a relationship away from every entity."""
        for name in ends(relationship):
            entity = self.find(name)
            if entity is not None:
                others = (i for i in entity.relationships if i.name != relationship.name)
                self.put(replace(entity, relationships=tuple(others)))

    def remove_attribute(self, name: str, attribute: str) -> None:
        """Take an attribute away, and those that only shadow it."""
        gone = [
            item.name
            for item in self.entity(name).attributes
            if attribute in (item.name, item.attribute_of)
        ]
        self._removed.setdefault(name, []).extend(gone)

    def drop(self, name: str) -> None:
        """Take a whole entity away."""
        self._changed.pop(name, None)
        self._dropped.append(name)

    def save(self) -> None:
        """Define, make tables, remove and drop; then see the new metadata."""
        organization = self.call.organization
        define(organization, (self._changed[n] for n in self._changed if n not in self._dropped))
        enable(organization, self._new)
        for name, attributes in self._removed.items():
            if name not in self._dropped:
                remove_attributes(organization, name, attributes)
        for name in self._dropped:
            drop(organization, name)
        self.call.catalog.refresh()


def ends(relationship: Relationship) -> tuple[str, ...]:
    """Return the names of all entities that take part in a relationship, each once."""
    if isinstance(relationship, OneToMany):
        found = [relationship.referenced_entity, relationship.referencing_entity]
    else:
        found = [relationship.entity1, relationship.entity2, relationship.intersect_entity]
    return tuple(dict.fromkeys(found))
