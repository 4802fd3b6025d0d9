"""The entities of a world, small but of every kind: standard, N:N, owned, matched, in a cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from organizations.schema import Attribute, AttributeType, Entity, ManyToMany

ACCOUNT, CONTACT, TAG, PAIR, USER = "account", "contact", "tag", "accounttag", "systemuser"
CARRIED = (ACCOUNT, CONTACT, TAG, PAIR)
"""Entities whose records are edited; users are matched and only referred to."""

RELATIONSHIP = "accounttags"
MODIFIED = "modifiedon"
"""Written by the organization itself at every write, whoever writes."""

_PAIR = ManyToMany(
    name=RELATIONSHIP,
    entity1=ACCOUNT,
    attribute1="accountid",
    entity2=TAG,
    attribute2="tagid",
    intersect_entity=PAIR,
)


def make_entities() -> tuple[Entity, ...]:
    """Return accounts and contacts that refer to each other, users, tags, and pairs."""
    text, lookup, guid = AttributeType.STRING, AttributeType.LOOKUP, AttributeType.UNIQUEIDENTIFIER
    return (
        _entity(
            ACCOUNT,
            _attribute("name", text, max_length=100, is_primary_name=True),
            _attribute("city", text, max_length=100),
            _attribute("revenue", AttributeType.MONEY, precision=2),
            _attribute("parentaccountid", lookup, targets=(ACCOUNT,)),
            _attribute("primarycontactid", lookup, targets=(CONTACT,)),
            _attribute("ownerid", AttributeType.OWNER, targets=(USER, "team")),
            _modified(),
            relationships=(_PAIR,),
        ),
        _entity(PAIR, _attribute("accountid", guid), _attribute("tagid", guid), is_pair=True),
        _entity(
            CONTACT,
            _attribute("name", text, max_length=100, is_primary_name=True),
            _attribute("email", text, max_length=100),
            _attribute("parentcustomerid", AttributeType.CUSTOMER, targets=(ACCOUNT, CONTACT)),
            _attribute("ownerid", AttributeType.OWNER, targets=(USER, "team")),
            _modified(),
        ),
        _entity(USER, _attribute("domainname", text), _attribute("fullname", text)),
        _entity(
            TAG,
            _attribute("name", text, max_length=100, is_primary_name=True),
            _modified(),
            relationships=(_PAIR,),
        ),
    )


def without(entity: Entity, name: str) -> Entity:
    """Return the entity as it is after its attribute was removed."""
    kept = tuple(attribute for attribute in entity.attributes if attribute.name != name)
    return replace(entity, attributes=kept)


def shortened(entity: Entity, name: str, length: int) -> Entity:
    """Return the entity with a shorter text attribute."""
    changed = tuple(
        replace(attribute, max_length=length) if attribute.name == name else attribute
        for attribute in entity.attributes
    )
    return replace(entity, attributes=changed)


def with_text(entity: Entity, name: str) -> Entity:
    """Return the entity with one more text attribute."""
    added = _attribute(name, AttributeType.STRING, max_length=100)
    return replace(entity, attributes=(*entity.attributes, added))


def texts(entity: Entity) -> list[str]:
    """Return the names of the text attributes that may go or be made shorter."""
    kept = ("name", "city")
    return [
        attribute.name
        for attribute in entity.attributes
        if attribute.type is AttributeType.STRING and attribute.name not in kept
    ]


def known(entities: Mapping[str, Entity]) -> dict[str, Entity]:
    """Return the definitions as they are now, whatever becomes of the organization's."""
    return dict(entities)


def _attribute(name: str, type: AttributeType, **more: object) -> Attribute:
    return Attribute(name=name, type=type, **more)  # type: ignore[arg-type]


def _modified() -> Attribute:
    return _attribute(MODIFIED, AttributeType.DATETIME, is_creatable=False, is_updatable=False)


def _entity(
    name: str,
    *attributes: Attribute,
    is_pair: bool = False,
    relationships: tuple[ManyToMany, ...] = (),
) -> Entity:
    primary = _attribute(f"{name}id", AttributeType.UNIQUEIDENTIFIER, is_primary_id=True)
    return Entity(
        name=name,
        primary_id=f"{name}id",
        attributes=(primary, *attributes),
        relationships=(_PAIR,) if is_pair else relationships,
        is_intersect=is_pair,
    )
