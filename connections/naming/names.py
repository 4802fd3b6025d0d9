"""The names of attributes on both sides, as a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

TARGET = "__type"
"""What the name of the column adds that says where a lookup points."""

Pairs = Mapping[str, str]
"""Name on the one side → name on the other, of attributes of one entity."""

_NONE: Pairs = {}


@dataclass(frozen=True)
class Names:
    """Entity → the attributes that are named otherwise on the other side.

    What is not listed has the same name on both sides. Within an entity no two attributes come to
    have one name.
    """

    of: Mapping[str, Pairs] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether any attribute is named otherwise."""
        return any(self.of.values())

    @cached_property
    def inverse(self) -> Names:
        """The same names, seen from the other side."""
        return Names({entity: _turned(pairs) for entity, pairs in self.of.items()})

    def pairs(self, entity: str) -> Pairs:
        """Return what is named otherwise of one entity."""
        return self.of.get(entity, _NONE)

    def attribute(self, entity: str, name: str) -> str:
        """Return the other side's name of an attribute."""
        return self.pairs(entity).get(name, name)

    def column(self, entity: str, name: str) -> str:
        """Return the other side's name of a column."""
        pairs = self.pairs(entity)
        if name in pairs or not name.endswith(TARGET):
            return pairs.get(name, name)
        lookup = name.removesuffix(TARGET)
        return f"{pairs.get(lookup, lookup)}{TARGET}"

    def columns(self, entity: str, names: Iterable[str]) -> tuple[str, ...]:
        """Return the other side's names of columns, in the same order."""
        if not self.pairs(entity):
            return tuple(names)
        return tuple(self.column(entity, name) for name in names)

    def digest(self, entity: str) -> str:
        """Return 16 hexadecimal digits of an entity's names, empty where all are the same."""
        pairs = self.pairs(entity)
        if not pairs:
            return ""
        text = "\n".join(f"{name} {pairs[name]}" for name in sorted(pairs))
        return blake2b(text.encode(), digest_size=8).hexdigest()


SAME = Names()
"""Every attribute has the same name on both sides."""


def _turned(pairs: Pairs) -> Pairs:
    return {there: here for here, there in pairs.items()}
