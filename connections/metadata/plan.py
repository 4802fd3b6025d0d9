"""What an Update Server would do, as a value: items, counts, digest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import orjson


class Verb(StrEnum):
    """What happens to one element of the client's metadata."""

    ADD = "added"
    CHANGE = "changed"
    REMOVE = "removed"
    BLOCK = "blocked"


class Element(StrEnum):
    """Which kind of element an item is about."""

    ENTITY = "entity"
    ATTRIBUTE = "attribute"
    OPTION = "option"
    LABEL = "label"
    RELATIONSHIP = "relationship"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One difference. `name` is dotted: entity, entity.attribute, entity.attribute.value.

    `before` and `after` are short texts; `note` says what the item means for data, or why it is
    blocked. `at_risk` counts records whose values a removal or a shorter length touches.
    `content` is the fingerprint of what is added, of which the item shows only the name.
    """

    verb: Verb
    element: Element
    name: str
    before: str = ""
    after: str = ""
    note: str = ""
    at_risk: int = 0
    content: str = ""

    def line(self) -> str:
        """Return the item as one canonical line, which the digest covers.

        Counts of records are left out: data may move on between preview and apply.
        """
        parts = (self.verb, self.element, self.name, self.before, self.after, self.content)
        return "\x1f".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPlan:
    """The differences of one entity, in a fixed order."""

    entity: str
    items: tuple[Item, ...]

    @property
    def digest(self) -> str:
        """Return 32 hexadecimal digits over all items."""
        text = "\n".join((self.entity, *(item.line() for item in self.items)))
        return _digest(text.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataPlan:
    """The differences of all entities; only entities that differ are listed.

    `unchanged` counts the entities that were compared and are equal. `by_hand`: nobody can write
    the client's metadata from outside, so a person has to bring it there.
    """

    entities: tuple[EntityPlan, ...] = ()
    unchanged: int = 0
    by_hand: bool = False

    @property
    def digest(self) -> str:
        """Return 32 hexadecimal digits over the whole plan; equal plans have equal digests."""
        text = "\n".join(plan.digest for plan in self.entities)
        return _digest(text.encode())

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to do."""
        return not self.entities

    def counts(self) -> Mapping[str, int]:
        """Count items by verb and element: {"attribute added": 3}."""
        pairs = Counter(
            f"{item.element} {item.verb}" for plan in self.entities for item in plan.items
        )
        return dict(sorted(pairs.items()))

    def entity(self, name: str) -> EntityPlan | None:
        """Return the differences of one entity, or None."""
        return next((plan for plan in self.entities if plan.entity == name), None)


def fingerprint(element: object) -> str:
    """Return 32 hexadecimal digits over an element of metadata, without its `extras`."""
    return _digest(orjson.dumps(_compared(element)))


def _compared(value: Any) -> Any:
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, tuple):
        return [_compared(item) for item in value]
    if not is_dataclass(value):
        return value
    kind: Any = type(value)
    return [_compared(getattr(value, name)) for name in _names(kind)]


@lru_cache(maxsize=32)
def _names(kind: Any) -> tuple[str, ...]:
    """Return the fields of an element that count as a difference."""
    return tuple(item.name for item in fields(kind) if item.compare)


def _digest(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def plan_to_json(plan: MetadataPlan) -> dict[str, Any]:
    """Return the plan as JSON: what is saved with a run and shown by the API."""
    return {
        "digest": plan.digest,
        "unchanged": plan.unchanged,
        "by_hand": plan.by_hand,
        "counts": dict(plan.counts()),
        "entities": [
            {
                "entity": entity.entity,
                "digest": entity.digest,
                "items": [asdict(item) for item in entity.items],
            }
            for entity in plan.entities
        ],
    }


def plan_from_json(document: Mapping[str, Any]) -> MetadataPlan:
    """Return the plan that `plan_to_json` wrote."""
    return MetadataPlan(
        unchanged=document["unchanged"],
        by_hand=document.get("by_hand", False),
        entities=tuple(
            EntityPlan(
                entity=entity["entity"],
                items=tuple(
                    Item(**item | {"verb": Verb(item["verb"]), "element": Element(item["element"])})
                    for item in entity["items"]
                ),
            )
            for entity in document["entities"]
        ),
    )
