"""What a client's entity becomes when it takes over the server's definition.

Server elements replace the client's. Elements of local origin survive and are never sent (design
5.1.10). What the server no longer has is hidden, not dropped; an option in use is retired. A
local element whose name the server now uses too blocks that one item, and stays as it is. A native
element is taken over by the server's of the same name, and stays where the server has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from organizations.schema import Attribute, Entity, Key, Option, OptionSet, Origin, Relationship

Named = Attribute | Relationship | Key
Kind = TypeVar("Kind", bound=Named)

OptionInUse = Callable[[str, str, int], int]
"""Count the records of an entity whose attribute holds an option."""


def merge(server: Entity, client: Entity | None, in_use: OptionInUse) -> Entity:
    """Return the client's next definition of one entity, which `is_blocked` does not block."""
    if client is None:
        return replace(
            server, origin=Origin.SERVER, attributes=tuple(map(_taken, server.attributes))
        )
    return replace(
        server,
        origin=Origin.SERVER,
        attributes=_attributes(server, client, in_use),
        relationships=_with_local(server.relationships, client.relationships),
        keys=_with_local(server.keys, client.keys),
    )


def is_blocked(server: Entity, client: Entity | None) -> bool:
    """Return whether the client made an entity of that name itself, so that it stays as it is."""
    return client is not None and client.name == server.name and client.origin is Origin.LOCAL


def clashes(server: Iterable[Named], client: Iterable[Named]) -> set[str]:
    """Return names of elements that the client made itself and the server now has too."""
    local = {item.name for item in client if item.origin is Origin.LOCAL}
    return local & {item.name for item in server}


def changes_type(old: Attribute, new: Attribute) -> bool:
    """Return whether a column would have to hold another type of value."""
    return (
        old.is_stored
        and new.is_stored
        and (old.type is not new.type or old.date_behavior is not new.date_behavior)
    )


def _taken(attribute: Attribute) -> Attribute:
    return replace(attribute, origin=Origin.SERVER, is_hidden=False)


def _attributes(server: Entity, client: Entity, in_use: OptionInUse) -> tuple[Attribute, ...]:
    known = {item.name: item for item in client.attributes}
    blocked = clashes(server.attributes, client.attributes)
    taken = [
        _next_attribute(server.name, item, known.get(item.name), in_use)
        for item in server.attributes
        if item.name not in blocked
    ]
    names = {item.name for item in taken}
    kept = [
        replace(item, is_hidden=True) if item.origin is Origin.SERVER else item
        for item in client.attributes
        if item.name not in names
    ]
    return (*taken, *kept)


def _next_attribute(
    entity: str, new: Attribute, old: Attribute | None, in_use: OptionInUse
) -> Attribute:
    if old is None:
        return _taken(new)
    if changes_type(old, new):
        return old
    return _taken(replace(new, option_set=_option_set(entity, new, old, in_use)))


def _option_set(
    entity: str, new: Attribute, old: Attribute, in_use: OptionInUse
) -> OptionSet | None:
    if new.option_set is None or old.option_set is None:
        return new.option_set
    values = {option.value for option in new.option_set.options}
    retired = tuple(
        replace(option, retired=True)
        for option in old.option_set.options
        if option.value not in values and _stays(option, entity, new.name, in_use)
    )
    return replace(new.option_set, options=(*new.option_set.options, *retired))


def _stays(option: Option, entity: str, attribute: str, in_use: OptionInUse) -> bool:
    return in_use(entity, attribute, option.value) > 0


def _with_local(server: Iterable[Kind], client: Iterable[Kind]) -> tuple[Kind, ...]:
    own = [item for item in client if item.origin is Origin.LOCAL]
    names = {item.name for item in own}
    taken = [item for item in server if item.name not in names]
    names = {item.name for item in taken}
    own += [item for item in client if item.origin is Origin.NATIVE and item.name not in names]
    return (*taken, *own)
