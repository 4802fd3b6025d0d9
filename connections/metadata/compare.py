"""The differences between a server's entity and the client's copy of it, as plan items.

Pure: two values in, items out. Items come in metadata order, so equal pairs give equal plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from connections.metadata.merge import changes_type, clashes, is_blocked
from connections.metadata.plan import Element, EntityPlan, Item, Verb, fingerprint
from organizations.schema import (
    Attribute,
    Entity,
    Key,
    Label,
    Option,
    OptionSet,
    Origin,
    Relationship,
)

ATTRIBUTE_PROPERTIES = (
    "type",
    "required",
    "max_length",
    "minimum",
    "maximum",
    "precision",
    "format",
    "date_behavior",
    "targets",
    "default",
    "source",
    "attribute_of",
    "is_primary_id",
    "is_primary_name",
    "is_readable",
    "is_creatable",
    "is_updatable",
    "is_custom",
    "schema_name",
)
ENTITY_PROPERTIES = (
    "primary_id",
    "primary_name",
    "schema_name",
    "set_name",
    "type_code",
    "ownership",
    "is_intersect",
    "is_activity",
    "is_custom",
    "tracks_changes",
    "checks_versions",
)
ENTITY_LABELS = ("label", "collection_label", "description")
OPTION_SET_PROPERTIES = ("name", "is_global")
OPTION_PROPERTIES = ("state", "default_status", "next_statuses", "color")
TEXTS = ("label", "description")
_CLASH = "The client has {} of its own with this name. Rename it there first."


class Impact(Protocol):
    """Counts of client records that a difference would touch; 0 where there is no table."""

    def filled(self, entity: str, attribute: str) -> int:
        """Count records in which the attribute has a value."""

    def longer(self, entity: str, attribute: str, length: int) -> int:
        """Count records whose text is longer than `length` characters."""

    def using(self, entity: str, attribute: str, option: int) -> int:
        """Count records that hold an option."""


@dataclass(frozen=True)
class NoImpact:
    """For a client that has no records yet."""

    def filled(self, entity: str, attribute: str) -> int:
        """Return 0."""
        return 0

    def longer(self, entity: str, attribute: str, length: int) -> int:
        """Return 0."""
        return 0

    def using(self, entity: str, attribute: str, option: int) -> int:
        """Return 0."""
        return 0


def compare(server: Entity, client: Entity | None, impact: Impact) -> EntityPlan:
    """Return what taking over `server` changes; a new entity is one item, not hundreds."""
    if client is None or client.is_hidden:
        note = f"{len(server.attributes)} attributes"
        item = Item(
            verb=Verb.ADD,
            element=Element.ENTITY,
            name=server.name,
            after=server.label.text(fallback=server.name),
            note=note,
            content=fingerprint(server),
        )
        return EntityPlan(entity=server.name, items=(item,))
    if is_blocked(server, client):
        return EntityPlan(entity=server.name, items=(_clash(Element.ENTITY, server.name),))
    return EntityPlan(entity=server.name, items=tuple(_Comparison(server, client, impact).items()))


def removal(client: Entity) -> EntityPlan:
    """Return the plan for an entity that the server no longer has: it is hidden, data stay."""
    item = Item(
        verb=Verb.REMOVE,
        element=Element.ENTITY,
        name=client.name,
        before=client.label.text(fallback=client.name),
        note="Hidden on the client; its records stay until Compact.",
    )
    return EntityPlan(entity=client.name, items=(item,))


@dataclass(frozen=True)
class _Comparison:
    """One entity on both sides."""

    server: Entity
    client: Entity
    impact: Impact

    def items(self) -> Iterator[Item]:
        name = self.server.name
        yield from _taken(Element.ENTITY, name, self.client)
        yield from _changed(Element.ENTITY, name, self.client, self.server, ENTITY_PROPERTIES)
        for part in ENTITY_LABELS:
            yield from _labels(name, part, getattr(self.client, part), getattr(self.server, part))
        yield from self._attributes()
        yield from self._relationships()
        yield from self._keys()

    def _attributes(self) -> Iterator[Item]:
        known = {item.name: item for item in self.client.attributes}
        blocked = clashes(self.server.attributes, self.client.attributes)
        for attribute in self.server.attributes:
            if attribute.name in blocked:
                yield _clash(Element.ATTRIBUTE, f"{self.server.name}.{attribute.name}")
            else:
                yield from self._attribute(known.get(attribute.name), attribute)
        names = {item.name for item in self.server.attributes}
        for attribute in self.client.attributes:
            if attribute.name not in names and _is_taken(attribute):
                yield self._removed(attribute)

    def _attribute(self, old: Attribute | None, new: Attribute) -> Iterator[Item]:
        name = f"{self.server.name}.{new.name}"
        if old is None or old.is_hidden:
            yield _added(Element.ATTRIBUTE, name, new, _type_text(new))
            return
        if changes_type(old, new):
            yield Item(
                verb=Verb.BLOCK,
                element=Element.ATTRIBUTE,
                name=name,
                before=_type_text(old),
                after=_type_text(new),
                note="The type was changed on the server. Remove the client's column by Compact, "
                "then update again.",
                at_risk=self.impact.filled(self.server.name, new.name),
            )
            return
        yield from _taken(Element.ATTRIBUTE, name, old)
        for item in _changed(Element.ATTRIBUTE, name, old, new, ATTRIBUTE_PROPERTIES):
            yield self._with_risk(item, old, new)
        for part in TEXTS:
            yield from _labels(name, part, getattr(old, part), getattr(new, part))
        yield from self._options(name, new.name, old.option_set, new.option_set)

    def _with_risk(self, item: Item, old: Attribute, new: Attribute) -> Item:
        if new.max_length is None or old.max_length is None or new.max_length >= old.max_length:
            return item
        longer = self.impact.longer(self.server.name, new.name, new.max_length)
        note = f"{longer} records are longer than {new.max_length} characters." if longer else ""
        return replace(item, at_risk=longer, note=note)

    def _removed(self, attribute: Attribute) -> Item:
        filled = self.impact.filled(self.server.name, attribute.name)
        return Item(
            verb=Verb.REMOVE,
            element=Element.ATTRIBUTE,
            name=f"{self.server.name}.{attribute.name}",
            before=_type_text(attribute),
            note="Hidden on the client; its values stay until Compact.",
            at_risk=filled,
        )

    def _options(
        self, name: str, attribute: str, old: OptionSet | None, new: OptionSet | None
    ) -> Iterator[Item]:
        if old and new:
            yield from _option_set(name, old, new)
        before = {option.value: option for option in old.options} if old else {}
        after = {option.value: option for option in new.options} if new else {}
        for value, option in after.items():
            yield from _option(f"{name}.{value}", before.get(value), option)
        for value, option in before.items():
            if value not in after and not option.retired:
                used = self.impact.using(self.server.name, attribute, value)
                yield Item(
                    verb=Verb.REMOVE,
                    element=Element.OPTION,
                    name=f"{name}.{value}",
                    before=option.label.text(),
                    note="Retired: records still use it." if used else "",
                    at_risk=used,
                )

    def _relationships(self) -> Iterator[Item]:
        old = {item.name: item for item in self.client.relationships}
        blocked = clashes(self.server.relationships, self.client.relationships)
        for new in self.server.relationships:
            name = f"{self.server.name}.{new.name}"
            if new.name in blocked:
                yield _clash(Element.RELATIONSHIP, name)
            else:
                yield from _relationship(name, old.get(new.name), new)
        names = {item.name for item in self.server.relationships}
        for left in self.client.relationships:
            if left.name not in names and left.origin is Origin.SERVER:
                name = f"{self.server.name}.{left.name}"
                yield Item(verb=Verb.REMOVE, element=Element.RELATIONSHIP, name=name)

    def _keys(self) -> Iterator[Item]:
        blocked = clashes(self.server.keys, self.client.keys)
        for name in sorted(blocked):
            yield _clash(Element.KEY, f"{self.server.name}.{name}")
        old = {key.name: key for key in self.client.keys if key.origin is Origin.SERVER}
        new = {key.name: key for key in self.server.keys if key.name not in blocked}
        for name in sorted(old.keys() | new.keys()):
            yield from _key(f"{self.server.name}.{name}", old.get(name), new.get(name))


def _is_taken(attribute: Attribute) -> bool:
    return attribute.origin is Origin.SERVER and not attribute.is_hidden


def _taken(element: Element, name: str, old: Entity | Attribute | Relationship) -> Iterator[Item]:
    """Say of a native element that it is the server's from now on."""
    if old.origin is Origin.NATIVE:
        before, after = f"origin: {Origin.NATIVE}", f"origin: {Origin.SERVER}"
        yield Item(verb=Verb.CHANGE, element=element, name=name, before=before, after=after)


def _verb(before: bool, after: bool) -> Verb:
    if before and after:
        return Verb.CHANGE
    return Verb.ADD if after else Verb.REMOVE


def _type_text(attribute: Attribute) -> str:
    length = f" ({attribute.max_length})" if attribute.max_length else ""
    return f"{attribute.type}{length}"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {value[key]}" for key in sorted(value))
    return "" if value is None else str(value)


def _changed(
    element: Element, name: str, old: object, new: object, properties: Iterable[str]
) -> Iterator[Item]:
    for key in properties:
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield Item(
                verb=Verb.CHANGE,
                element=element,
                name=name,
                before=f"{key}: {_text(before)}",
                after=f"{key}: {_text(after)}",
            )


def _labels(name: str, part: str, old: Label, new: Label) -> Iterator[Item]:
    before, after = dict(old.texts), dict(new.texts)
    for lcid in sorted(before.keys() | after.keys()):
        if before.get(lcid) != after.get(lcid):
            yield Item(
                verb=_verb(lcid in before, lcid in after),
                element=Element.LABEL,
                name=f"{name}.{part}.{lcid}",
                before=before.get(lcid, ""),
                after=after.get(lcid, ""),
            )


def _option(name: str, old: Option | None, new: Option) -> Iterator[Item]:
    if old is None or old.retired:
        yield _added(Element.OPTION, name, new, new.label.text())
        return
    yield from _changed(Element.OPTION, name, old, new, OPTION_PROPERTIES)
    for part in TEXTS:
        yield from _labels(name, part, getattr(old, part), getattr(new, part))


def _option_set(name: str, old: OptionSet, new: OptionSet) -> Iterator[Item]:
    yield from _changed(Element.ATTRIBUTE, name, old, new, OPTION_SET_PROPERTIES)
    for part in TEXTS:
        yield from _labels(f"{name}.options", part, getattr(old, part), getattr(new, part))


def _relationship(name: str, old: Relationship | None, new: Relationship) -> Iterator[Item]:
    if old is None:
        yield _added(Element.RELATIONSHIP, name, new)
    elif type(old) is not type(new):
        before, after = type(old).__name__, type(new).__name__
        yield Item(
            verb=Verb.CHANGE,
            element=Element.RELATIONSHIP,
            name=name,
            before=before,
            after=after,
            content=fingerprint(new),
        )
    else:
        compared = (item.name for item in fields(new) if item.compare and item.name != "origin")
        yield from _taken(Element.RELATIONSHIP, name, old)
        yield from _changed(Element.RELATIONSHIP, name, old, new, compared)


def _added(element: Element, name: str, new: object, after: str = "") -> Item:
    content = fingerprint(new)
    return Item(verb=Verb.ADD, element=element, name=name, after=after, content=content)


def _key(name: str, old: Key | None, new: Key | None) -> Iterator[Item]:
    before, after = (", ".join(key.attributes) if key else "" for key in (old, new))
    if before != after:
        verb = _verb(old is not None, new is not None)
        yield Item(verb=verb, element=Element.KEY, name=name, before=before, after=after)
    elif old and new:
        yield from _labels(name, "label", old.label, new.label)


def _clash(element: Element, name: str) -> Item:
    kind = f"an {element}" if element[0] in "aeiou" else f"a {element}"
    return Item(verb=Verb.BLOCK, element=element, name=name, note=_CLASH.format(kind))
