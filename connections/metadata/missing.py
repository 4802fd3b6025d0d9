"""What a client lacks to carry an entity, where nobody can write its metadata from outside.

Only what is in the way of records counts: a Resco Cloud organization names schema, permissions
and labels in its own way, so these are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator

from connections.metadata.plan import Element, EntityPlan, Item, Verb, fingerprint
from organizations.schema import Attribute, AttributeType, Entity, Option

T = AttributeType
_ALIKE = (
    frozenset({T.LOOKUP, T.CUSTOMER, T.OWNER, T.UNIQUEIDENTIFIER}),
    frozenset({T.STRING, T.MEMO}),
    frozenset({T.INTEGER, T.BIGINT}),
    frozenset({T.DECIMAL, T.DOUBLE, T.MONEY}),
    frozenset({T.PICKLIST, T.STATE, T.STATUS}),
)
"""Types that another organization may use for the same values."""


def is_alike(first: Attribute, second: Attribute) -> bool:
    """Return whether two attributes hold values of the same kind."""
    kinds = {first.type, second.type}
    return len(kinds) == 1 or any(kinds <= alike for alike in _ALIKE)


def is_carried(attribute: Attribute) -> bool:
    """Return whether records bring a value of the attribute."""
    return attribute.is_stored and not attribute.is_hidden


def missing(server: Entity, client: Entity | None) -> EntityPlan:
    """Return what the client needs to take the entity's records; nothing where it has all."""
    if client is None:
        added = Item(
            verb=Verb.ADD,
            element=Element.ENTITY,
            name=server.name,
            after=server.label.text(fallback=server.name),
            note=f"{sum(map(is_carried, server.attributes))} attributes",
            content=fingerprint(server),
        )
        return EntityPlan(entity=server.name, items=(added,))
    return EntityPlan(entity=server.name, items=tuple(_items(server, client)))


def _items(server: Entity, client: Entity) -> Iterator[Item]:
    if server.primary_id != client.primary_id:
        yield other_key(server, client)
        return
    known = {item.name: item for item in client.attributes if not item.is_hidden}
    for attribute in filter(is_carried, server.attributes):
        yield from _attribute(f"{server.name}.{attribute.name}", attribute, known)


def other_key(server: Entity, client: Entity) -> Item:
    """Return the item that blocks an entity whose records have another key on the client."""
    return Item(
        verb=Verb.BLOCK,
        element=Element.ENTITY,
        name=server.name,
        before=f"primary_id: {client.primary_id}",
        after=f"primary_id: {server.primary_id}",
        note="The client's entity has another key. Map it to the server's.",
    )


def _attribute(name: str, new: Attribute, known: dict[str, Attribute]) -> Iterator[Item]:
    old = known.get(new.name)
    if old is None:
        yield Item(
            verb=Verb.ADD,
            element=Element.ATTRIBUTE,
            name=name,
            after=str(new.type),
            content=fingerprint(new),
        )
    elif not is_alike(old, new):
        yield Item(
            verb=Verb.BLOCK,
            element=Element.ATTRIBUTE,
            name=name,
            before=str(old.type),
            after=str(new.type),
            note="The client's attribute has another type; its values are not carried.",
        )
    else:
        yield from _narrower(name, old, new)


def _narrower(name: str, old: Attribute, new: Attribute) -> Iterator[Item]:
    if old.max_length is not None and (new.max_length or old.max_length) > old.max_length:
        yield Item(
            verb=Verb.CHANGE,
            element=Element.ATTRIBUTE,
            name=name,
            before=f"max_length: {old.max_length}",
            after=f"max_length: {new.max_length}",
        )
    if new.option_set is None or old.option_set is None:
        return
    values = {option.value for option in old.option_set.options}
    for option in new.option_set.options:
        if option.value not in values:
            yield _option(f"{name}.{option.value}", option)


def _option(name: str, option: Option) -> Item:
    return Item(
        verb=Verb.ADD,
        element=Element.OPTION,
        name=name,
        after=option.label.text(),
        content=fingerprint(option),
    )
