"""Small pieces of metadata for the tests of Update Server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from organizations.schema import (
    Attribute,
    AttributeType,
    Entity,
    Label,
    OneToMany,
    Option,
    OptionSet,
)


def make_attribute(
    name: str, type_: AttributeType = AttributeType.STRING, **rest: Any
) -> Attribute:
    return Attribute(name=name, type=type_, label=Label.of({1033: name.title()}), **rest)


def make_choice(name: str, *values: int) -> Attribute:
    options = tuple(Option(value=value, label=Label.of({1033: f"V{value}"})) for value in values)
    return make_attribute(
        name, AttributeType.PICKLIST, option_set=OptionSet(name=name, options=options)
    )


def make_entity(*attributes: Attribute, **rest: Any) -> Entity:
    key = make_attribute("accountid", AttributeType.UNIQUEIDENTIFIER, is_primary_id=True)
    return Entity(
        name="account",
        primary_id="accountid",
        primary_name="name",
        label=Label.of({1033: "Account", 1031: "Firma"}),
        attributes=(key, *attributes),
        **rest,
    )


def make_relationship(name: str = "account_parent", **rest: Any) -> OneToMany:
    return OneToMany(
        name=name,
        referenced_entity="account",
        referenced_attribute="accountid",
        referencing_entity="account",
        referencing_attribute="parentaccountid",
        **rest,
    )


def with_attribute(entity: Entity, attribute: Attribute) -> Entity:
    others = tuple(item for item in entity.attributes if item.name != attribute.name)
    return replace(entity, attributes=(*others, attribute))


@dataclass(frozen=True)
class Impact:
    """Counts that a test sets."""

    filled_count: int = 0
    longer_count: int = 0
    using_count: int = 0

    def filled(self, entity: str, attribute: str) -> int:
        return self.filled_count

    def longer(self, entity: str, attribute: str, length: int) -> int:
        return self.longer_count

    def using(self, entity: str, attribute: str, option: int) -> int:
        return self.using_count
