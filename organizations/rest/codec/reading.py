"""Elements of `$entities` as entities of the neutral vocabulary; labels come from localizations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from lxml import etree

from organizations.errors import InvalidRequest
from organizations.rest.codec.labels import COLLECTION, Labels
from organizations.rest.codec.words import (
    ACTIVITY,
    BEHAVIORS,
    CREATE,
    HIDDEN,
    INTERSECT,
    OWNERSHIP,
    STATE,
    STATUS,
    SYSTEM,
    TEXT_AREA,
    TYPES,
    UPDATE,
)
from organizations.rest.markup import child_text, children, local_name
from organizations.schema import (
    ENGLISH,
    VERSION,
    Attribute,
    AttributeType,
    DateBehavior,
    Entity,
    Label,
    ManyToMany,
    Option,
    OptionSet,
    Ownership,
    RequiredLevel,
    Source,
)

T = AttributeType
_DEFAULT_KEY, _DEFAULT_NAME = "id", "name"
LONGEST_TEXT = 2**30
"""Characters that an attribute can allow at most: PostgreSQL holds no longer text."""


def read_entity(element: etree._Element, labels: Mapping[int, Labels] | None = None) -> Entity:
    """Return the entity of an element; `labels` by language. Raises InvalidRequest."""
    return _Reader(element, labels or {}).entity()


@dataclass(slots=True)
class _Reader:
    """Reads one element."""

    element: etree._Element
    labels: Mapping[int, Labels]
    name: str = field(init=False)

    def __post_init__(self) -> None:
        """Find the name, by which everything else is found."""
        self.name = self.element.get("Name", "")
        if not self.name:
            raise InvalidRequest("Entity needs the attribute Name.", "Name")

    def entity(self) -> Entity:
        """Return the whole entity."""
        get = self.element.get
        flags = set(get("EntityAttributes", "").split())
        key = get("PrimaryKeyName") or _DEFAULT_KEY
        primary_name = get("PrimaryFieldName") or _DEFAULT_NAME
        attributes = tuple(self._attributes(key, primary_name))
        known = {item.name for item in attributes}
        description = child_text(self.element, "Description")
        is_intersect = INTERSECT in flags
        made = Entity(
            name=self.name,
            primary_id=key,
            attributes=attributes,
            primary_name=primary_name if primary_name in known else None,
            label=self._label(self.name),
            collection_label=self._label(f"{self.name}{COLLECTION}"),
            description=Label.of({ENGLISH: description}),
            schema_name=get("SchemaName", ""),
            set_name=get("CollectionName", "") or self.name,
            ownership=OWNERSHIP.get(get("OwnershipType", ""), Ownership.ORGANIZATION),
            is_intersect=is_intersect,
            is_activity=ACTIVITY in flags,
            is_custom=SYSTEM not in flags,
            tracks_changes=True,
            is_hidden=HIDDEN in flags,
        )
        return _with_pair(made, get("RelationshipName", "")) if is_intersect else made

    def _attributes(self, key: str, primary_name: str) -> Iterator[Attribute]:
        listed = [item for part in self._parts() for item in children(part)]
        names = {item.get("Name", "") for item in listed}
        if key not in names:
            yield Attribute(name=key, type=T.UNIQUEIDENTIFIER, is_primary_id=True)
        if VERSION not in names:
            yield Attribute(name=VERSION, type=T.BIGINT, is_creatable=False, is_updatable=False)
        for item in listed:
            yield self._attribute(item, key, primary_name)

    def _parts(self) -> Iterator[etree._Element]:
        return (part for part in children(self.element) if local_name(part) == "Attributes")

    def _attribute(self, item: etree._Element, key: str, primary_name: str) -> Attribute:
        get, name = item.get, item.get("Name", "")
        if not name:
            raise InvalidRequest(f"An attribute of '{self.name}' has no Name.", "Name")
        kind = self._type(item, name)
        allowed = set(get("Permissions", f"Read {CREATE} {UPDATE}").split())
        return Attribute(
            name=name,
            type=kind,
            label=self._label(f"{self.name}.{name}"),
            schema_name=get("SchemaName", ""),
            required=_required(item),
            max_length=self._whole(item, "Length", 1, LONGEST_TEXT),
            minimum=self._number(item, "Min"),
            maximum=self._number(item, "Max"),
            precision=None if kind is T.DATETIME else self._whole(item, "Precision", -2, 20),
            format=get("Format"),
            date_behavior=BEHAVIORS.get(get("Precision", ""), DateBehavior.USER_LOCAL)
            if kind is T.DATETIME
            else DateBehavior.USER_LOCAL,
            targets=tuple(filter(None, get("LookupTargets", "").split(";"))),
            option_set=self._options(item, name, kind),
            source=Source(text) if (text := get("Source", "")) in tuple(Source) else Source.SIMPLE,
            default=self._whole(item, "Default") if kind in (T.PICKLIST, T.INTEGER) else None,
            is_primary_id=name == key,
            is_primary_name=name == primary_name,
            is_creatable=CREATE in allowed,
            is_updatable=UPDATE in allowed,
            is_custom=get("System", "") != "true",
        )

    def _type(self, item: etree._Element, name: str) -> AttributeType:
        kind, word = item.get("Kind", ""), item.get("Type", "String")
        if kind in tuple(T):
            return T(kind)
        if word not in TYPES:
            raise InvalidRequest(
                f"Attribute '{name}' of '{self.name}' has the unknown type '{word[:40]}'.", "Type"
            )
        if name == STATE and word == "Picklist":
            return T.STATE
        if word == "PicklistMap" and name != STATUS:
            return T.PICKLIST
        if word == "String" and item.get("Format") == TEXT_AREA:
            return T.MEMO
        return TYPES[word]

    def _options(self, item: etree._Element, name: str, kind: AttributeType) -> OptionSet | None:
        text = item.get("OptionSetValues")
        if text is None:
            return None
        owner = f"{self.name}.{name}"
        texts = item.get("OptionSetTextValues", "").split(";")
        found = list(self._values(text, kind))
        options = tuple(
            Option(
                value=value,
                state=state,
                label=self._label(f"{owner}.{value}")
                or Label.of({ENGLISH: texts[at] if at < len(texts) else ""}),
            )
            for at, (value, state) in enumerate(found)
        )
        return OptionSet(name=owner.replace(".", "_"), options=options)

    def _values(self, text: str, kind: AttributeType) -> Iterator[tuple[int, int | None]]:
        """Yield value and state; of a PicklistMap each group begins with its state."""
        for group in filter(None, text.split(";")):
            numbers = [self._int(part, "OptionSetValues") for part in group.split(",")]
            if kind is T.STATUS:
                yield from ((status, numbers[0]) for status in numbers[1:])
            else:
                yield from ((number, None) for number in numbers)

    def _label(self, name: str) -> Label:
        return Label.of({lcid: known.get(name, "") for lcid, known in self.labels.items()})

    def _whole(
        self, item: etree._Element, name: str, low: int = -(2**31), high: int = 2**31 - 1
    ) -> int | None:
        text = item.get(name)
        return None if not text else self._int(text, name, low, high)

    def _int(self, text: str, name: str, low: int = -(2**31), high: int = 2**31 - 1) -> int:
        try:
            number = int(text[:20])
        except ValueError as error:
            raise InvalidRequest(
                f"{name} in '{self.name}' is a whole number, not '{text[:40]}'.", name
            ) from error
        if not low <= number <= high:
            raise InvalidRequest(
                f"{name} in '{self.name}' is from {low} to {high}, not {text[:40]}.", name
            )
        return number

    def _number(self, item: etree._Element, name: str) -> float | None:
        text = item.get(name)
        if not text:
            return None
        try:
            number = float(text)
        except ValueError as error:
            raise self._no_number(text, name) from error
        if not math.isfinite(number):
            raise self._no_number(text, name)
        return number

    def _no_number(self, text: str, name: str) -> InvalidRequest:
        return InvalidRequest(f"{name} in '{self.name}' is a number, not '{text[:40]}'.", name)


def _required(item: etree._Element) -> RequiredLevel:
    if item.get("Required") != "true":
        return RequiredLevel.NONE
    return RequiredLevel.SYSTEM if item.get("System") == "true" else RequiredLevel.APPLICATION


def _with_pair(entity: Entity, name: str) -> Entity:
    """Make the N:N relationship of an intersect entity from its two lookups (§2.3)."""
    ends = [item for item in entity.attributes if item.targets][:2]
    if len(ends) != 2:
        raise InvalidRequest(
            f"The N:N entity '{entity.name}' needs two Lookup attributes.", entity.name
        )
    first, second = ends
    pair = ManyToMany(
        name=name or f"{first.targets[0]}_{second.targets[0]}",
        entity1=first.targets[0],
        attribute1=first.name,
        entity2=second.targets[0],
        attribute2=second.name,
        intersect_entity=entity.name,
    )
    return replace(entity, relationships=(pair,))
