"""Metadata as JSON: a lossless codec of `schema.Entity`, extras included.

A document holds only what differs from the vocabulary's defaults, because an organization keeps
fifteen hundred of them. Relationships carry their kind (`1:N`, `N:N`) beside their fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, cast, get_type_hints

import msgspec

from organizations.errors import InvalidRequest
from organizations.schema import Entity, ManyToMany, OneToMany, OptionSet, Relationship

KIND = "kind"
_KINDS: dict[str, type[OneToMany] | type[ManyToMany]] = {"1:N": OneToMany, "N:N": ManyToMany}


def dump(entity: Entity) -> dict[str, Any]:
    """Return the entity as plain JSON values."""
    document = cast("dict[str, Any]", _plain(entity))
    if entity.relationships:
        document["relationships"] = [_dump_relationship(item) for item in entity.relationships]
    return document


def load(document: Mapping[str, Any]) -> Entity:
    """Return the entity of a document made by `dump`. Raises InvalidRequest."""
    hints = _hints()
    given = {name: value for name, value in document.items() if name in hints}
    links = given.pop("relationships", ())
    try:
        values = {name: msgspec.convert(value, hints[name]) for name, value in given.items()}
        relationships = tuple(_load_relationship(item) for item in links)
        return Entity(**values, relationships=relationships)
    except (msgspec.ValidationError, TypeError, KeyError) as error:
        name = document.get("name", "")
        raise InvalidRequest(
            f"The definition of entity '{name}' cannot be read: {error}.", "Entity"
        ) from error


def dump_option_set(options: OptionSet) -> dict[str, Any]:
    """Return an option set as plain JSON values."""
    return cast("dict[str, Any]", _plain(options))


def load_option_set(document: Mapping[str, Any]) -> OptionSet:
    """Return the option set of a document made by `dump_option_set`. Raises InvalidRequest."""
    try:
        return msgspec.convert(document, OptionSet)
    except msgspec.ValidationError as error:
        name = document.get("name", "")
        raise InvalidRequest(
            f"The definition of option set '{name}' cannot be read: {error}.", "OptionSet"
        ) from error


@lru_cache(maxsize=1)
def _hints() -> dict[str, Any]:
    return get_type_hints(Entity)


def _dump_relationship(relationship: Relationship) -> dict[str, Any]:
    kind = "1:N" if isinstance(relationship, OneToMany) else "N:N"
    return {KIND: kind} | cast("dict[str, Any]", _plain(relationship))


def _load_relationship(document: Mapping[str, Any]) -> Relationship:
    return msgspec.convert(document, _KINDS[document[KIND]])


def _plain(value: object) -> object:
    kind: Any = type(value)
    if kind in _SCALARS:
        return value
    if is_dataclass(value):
        held = ((name, default, getattr(value, name)) for name, default in _defaults(kind))
        return {
            name: _plain(item)
            for name, default, item in held
            if item is not default and item != default
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return value


_SCALARS = frozenset({str, int, float, bool, type(None)})
_NONE = object()
"""Equal to no value: the default of a field that has none."""


@lru_cache(maxsize=32)
def _defaults(kind: Any) -> tuple[tuple[str, object], ...]:
    """Return name and default of each field of a dataclass."""
    return tuple((item.name, _default(item)) for item in fields(kind))


def _default(item: Field[Any]) -> object:
    if item.default is not MISSING:
        return item.default
    return item.default_factory() if item.default_factory is not MISSING else _NONE
