"""Entities as elements of `$entities`.

`Kind`, `Source`, `SchemaName`, `RelationshipName` and `CollectionName` are additions of ours, so
that two organizations of this product lose nothing between them; others ignore what they do not
know.
"""

from __future__ import annotations

from collections.abc import Iterator

from organizations.rest.codec.words import (
    ACTIVITY,
    BEHAVIORS,
    CREATE,
    HIDDEN,
    INTERSECT,
    READ,
    SYSTEM,
    TEXT_AREA,
    UPDATE,
)
from organizations.rest.markup import attributes, element
from organizations.rest.value_text import type_word
from organizations.schema import (
    ENGLISH,
    VERSION,
    Attribute,
    AttributeType,
    Entity,
    OptionSet,
    Ownership,
    RequiredLevel,
    Source,
)

_PARENT = "activitypointer"
_PRECISION = {code.value: number for number, code in BEHAVIORS.items()}


def entity_xml(entity: Entity) -> str:
    """Return the element of an entity with its attributes; hidden ones are left out."""
    pair = entity.intersect
    head = attributes(
        Name=entity.name,
        PrimaryKeyName=entity.primary_id,
        PrimaryFieldName=entity.primary_name,
        OwnershipType="User" if entity.ownership is Ownership.USER else "None",
        EntityAttributes=" ".join(_flags(entity)) or "None",
        EntityParent=_PARENT if entity.is_activity else None,
        CollectionName=entity.set_name or None,
        SchemaName=entity.schema_name or None,
        RelationshipName=pair.name if pair else None,
    )
    shown = (item for item in entity.attributes if _is_shown(item))
    body = "".join(_attribute(entity, item) for item in shown)
    description = element("Description", entity.description.text(ENGLISH))
    return f"<Entity{head}><Attributes>{body}</Attributes>{description}</Entity>"


def _flags(entity: Entity) -> Iterator[str]:
    if entity.is_view:
        yield HIDDEN
    if entity.is_activity:
        yield ACTIVITY
    if not entity.is_custom:
        yield SYSTEM
    if entity.is_intersect:
        yield INTERSECT


def _is_shown(attribute: Attribute) -> bool:
    return not attribute.is_hidden and (attribute.is_stored or attribute.name == VERSION)


def _attribute(entity: Entity, item: Attribute) -> str:
    targets = _ends(entity).get(item.name) or item.targets
    is_lookup = item.is_lookup or item.name in _ends(entity)
    values, texts = _options(item.option_set) if item.option_set else (None, None)
    return (
        "<Attribute"
        + attributes(
            Name=item.name,
            Type="RowVersion" if item.name == VERSION else _word(item, is_lookup=is_lookup),
            Kind=item.type.value,
            Source=None if item.source is Source.SIMPLE else item.source.value,
            SchemaName=item.schema_name or None,
            Length=_number(item.max_length),
            Min=_number(item.minimum),
            Max=_number(item.maximum),
            Precision=_precision(item),
            Format=TEXT_AREA if item.type is AttributeType.MEMO else item.format,
            Permissions=" ".join(_permissions(item)),
            Required="true" if _is_required(item) else None,
            System=None if item.is_custom else "true",
            Default=_number(item.default),
            LookupTargets=";".join(targets) if is_lookup else None,
            OptionSetValues=values,
            OptionSetTextValues=texts,
        )
        + " />"
    )


def _ends(entity: Entity) -> dict[str, tuple[str, ...]]:
    """Return the lookups of a pair: its ends are plain ids elsewhere."""
    pair = entity.intersect
    if pair is None:
        return {}
    return {pair.attribute1: (pair.entity1,), pair.attribute2: (pair.entity2,)}


def _word(item: Attribute, *, is_lookup: bool) -> str:
    return "Lookup" if is_lookup else type_word(item)


def _permissions(item: Attribute) -> Iterator[str]:
    yield READ
    if item.is_creatable:
        yield CREATE
    if item.is_updatable:
        yield UPDATE


def _is_required(item: Attribute) -> bool:
    return item.required in (RequiredLevel.APPLICATION, RequiredLevel.SYSTEM)


def _precision(item: Attribute) -> str | None:
    if item.type is AttributeType.DATETIME:
        return _PRECISION[item.date_behavior.value]
    return _number(item.precision)


def _number(value: float | None) -> str | None:
    if value is None:
        return None
    return str(int(value)) if float(value).is_integer() else repr(value)


def _options(options: OptionSet) -> tuple[str, str]:
    """Return values and texts; statuses stand in the group of their state, its default first."""
    if any(option.state is not None for option in options.options):
        return ";".join(_groups(options)), _texts(options)
    return ";".join(str(option.value) for option in options.options), _texts(options)


def _groups(options: OptionSet) -> Iterator[str]:
    groups: dict[int, list[str]] = {}
    for option in options.options:
        groups.setdefault(option.state or 0, []).append(str(option.value))
    for state, statuses in groups.items():
        yield ",".join((str(state), *statuses))


def _texts(options: OptionSet) -> str:
    return ";".join(
        option.label.text(ENGLISH, str(option.value)).replace(";", ",")
        for option in options.options
    )
