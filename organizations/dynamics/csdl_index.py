"""What the CSDL document must know of all entities before it writes the first one.

Types derive as in Dataverse (dataverse.md 2.5): users and teams from `principal`, activities from
`activitypointer`, all others from `crmbaseentity`. A navigation is only declared when the type at
its other end is declared too, so that strict readers find no loose end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from organizations.dynamics import parties
from organizations.dynamics.names import Navigation, Shape, Side
from organizations.schema import AttributeType, Entity, ManyToMany

BASE = "crmbaseentity"
PRINCIPAL = "principal"
ACTIVITY = "activitypointer"
OWNER = "owner"
PARTY = "activityparty"
_PRINCIPALS = frozenset({"systemuser", "team"})
_OWNER_ID = "ownerid"
_ACTIVITY_ID = "activityid"


@dataclass(frozen=True, slots=True)
class Link:
    """A navigation property: `partner` is its other direction, '' where that is not declared."""

    name: str
    type: str
    is_collection: bool
    partner: str = ""
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """One entity type: its base, its key, and its own navigation properties by name."""

    name: str
    base: str
    key: str
    set_name: str
    links: Mapping[str, Link]
    properties: frozenset[str]
    tracks_changes: bool


class Index:
    """All entity types of one document."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        """Read every entity once, and keep little of each."""
        found = {item.name: _known(item) for item in entities if item.name != OWNER}
        self._types = frozenset(found) | {BASE, PRINCIPAL, ACTIVITY}
        self._found = found

    def __contains__(self, name: str) -> bool:
        """Return whether an entity type of that name is declared."""
        return name in self._types

    @property
    def has_pointer(self) -> bool:
        """Whether the activities' base type is an entity of this organization."""
        return ACTIVITY in self._found

    def known(self, name: str) -> Known:
        """Return an entity that is not one of the made-up base types."""
        return self._found[name]

    def inherited(self, name: str) -> frozenset[str]:
        """Return the names of all members that the entity's base declares."""
        base = self._found[name].base
        if base == PRINCIPAL:
            return frozenset({_OWNER_ID})
        if base != ACTIVITY:
            return frozenset()
        pointer = self._found.get(ACTIVITY)
        own = {*pointer.properties, *self.links(ACTIVITY)} if pointer else {_ACTIVITY_ID}
        return frozenset(own)

    def links(self, name: str) -> Mapping[str, Link]:
        """Return the navigation properties of an entity whose other end is declared."""
        links = self._found[name].links
        return {key: self._paired(name, link) for key, link in links.items() if link.type in self}

    def key_of(self, name: str) -> str:
        """Return the key property that a type or its base declares; '' for the base of all."""
        if name == BASE:
            return ""
        if name == PRINCIPAL or (name in self._found and self._found[name].base == PRINCIPAL):
            return _OWNER_ID
        return self._found[name].key if name in self._found else _ACTIVITY_ID

    def set_of(self, name: str) -> str:
        """Return the entity set of a type; '' where it has none."""
        return self._found[name].set_name if name in self._found else ""

    def _paired(self, name: str, link: Link) -> Link:
        """Keep a partner only if the other end leads back to this very type."""
        other = self._found.get(link.type)
        back = other.links.get(link.partner) if other else None
        if back is not None and back.type == name:
            return link
        return Link(link.name, link.type, link.is_collection, "", link.attribute)


def _known(entity: Entity) -> Known:
    shape = Shape(entity)
    properties = frozenset(shape.properties)
    found = (_link(entity, item) for item in shape.navigations.values())
    links = {link.name: link for link in found if link.name not in properties}
    party = parties.navigation(entity)
    if entity.is_activity and party and party not in links:
        links[party] = Link(party, PARTY, is_collection=True)
    return Known(
        name=entity.name,
        base=_base(entity),
        key=entity.primary_id,
        set_name=entity.set_name,
        links=links,
        properties=properties,
        tracks_changes=entity.tracks_changes,
    )


def _base(entity: Entity) -> str:
    if entity.name in _PRINCIPALS:
        return PRINCIPAL
    is_derived = entity.is_activity and entity.name != ACTIVITY
    return ACTIVITY if is_derived and entity.primary_id == _ACTIVITY_ID else BASE


def _link(entity: Entity, navigation: Navigation) -> Link:
    if navigation.side is Side.ONE:
        return Link(
            navigation.name,
            _target(entity, navigation),
            is_collection=False,
            partner=_other_end(entity, navigation),
            attribute=navigation.attribute,
        )
    if navigation.relationship is not None:
        partner = _other_side(navigation, navigation.relationship)
    else:
        partner = _other_end(entity, navigation)
    return Link(navigation.name, navigation.targets[0], is_collection=True, partner=partner)


def _target(entity: Entity, navigation: Navigation) -> str:
    attribute = entity.attribute(navigation.attribute)
    is_owner = attribute is not None and attribute.type is AttributeType.OWNER
    several = len(navigation.targets) != 1
    return (
        PRINCIPAL if is_owner or several or OWNER in navigation.targets else navigation.targets[0]
    )


def _other_end(entity: Entity, navigation: Navigation) -> str:
    """Return the other name of a 1:N relationship."""
    for item in entity.many_to_one if navigation.side is Side.ONE else entity.one_to_many:
        here = item.referencing_navigation or item.referencing_attribute
        there = item.referenced_navigation or item.name
        if navigation.side is Side.ONE and here == navigation.name:
            return there
        if navigation.side is Side.MANY and there == navigation.name:
            return here
    return ""


def _other_side(navigation: Navigation, relationship: ManyToMany) -> str:
    names = (relationship.navigation1, relationship.navigation2)
    name = names[1] if navigation.is_first else names[0]
    return name or relationship.name
