"""Builders of attributes of native Resco entities: one short call for each, labels in English.

An attribute is named by its logical name, as Resco Cloud does; it has no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

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
    Origin,
    Ownership,
    RequiredLevel,
)

T = AttributeType
Parts = Iterable[Attribute | Iterable[Attribute]]


def native(name: str, labels: tuple[str, str], parts: Parts, **properties: Any) -> Entity:
    """Make a native entity: its key, its row version and its parts, which may be nested.

    `labels` are the singular and the plural. The key is `id` and the name `name`, unless `key`
    and `primary_name` say otherwise.
    """
    key = properties.pop("key", "id")
    primary_name = properties.pop("primary_name", "name")
    listed = [_key(key, labels[0]), *_flat(parts), _version()]
    attributes = tuple(_finished(name, item, primary_name) for item in listed)
    return Entity(
        name=name,
        primary_id=key,
        primary_name=primary_name,
        set_name=name,
        label=text(labels[0]),
        collection_label=text(labels[1]),
        attributes=attributes,
        tracks_changes=True,
        origin=Origin.NATIVE,
        **{"ownership": Ownership.USER} | properties,
    )


def pairs(name: str, labels: tuple[str, str], joined: ManyToMany) -> Entity:
    """Make the N:N entity that holds the pairs of a relationship."""
    ends = {joined.attribute1: joined.entity1, joined.attribute2: joined.entity2}
    made = native(
        name,
        labels,
        [_attribute(end, T.UNIQUEIDENTIFIER, of.title()) for end, of in ends.items()],
        ownership=Ownership.NONE,
        is_intersect=True,
    )
    return replace(made, primary_name=None, relationships=(joined,))


def text(words: str) -> Label:
    """Make a label in English."""
    return Label.of({ENGLISH: words})


def _flat(parts: Parts) -> Iterable[Attribute]:
    for part in parts:
        if isinstance(part, Attribute):
            yield part
        else:
            yield from part


def _finished(entity: str, item: Attribute, primary_name: str) -> Attribute:
    options = item.option_set
    if options is not None:
        options = replace(options, name=f"{entity}_{item.name}")
    is_name = item.name == primary_name
    return replace(item, option_set=options, is_primary_name=is_name, origin=Origin.NATIVE)


def _attribute(name: str, kind: AttributeType, label: str, **properties: Any) -> Attribute:
    return Attribute(name=name, type=kind, label=text(label), **properties)


def _key(name: str, label: str) -> Attribute:
    return _attribute(
        name,
        T.UNIQUEIDENTIFIER,
        label,
        is_primary_id=True,
        is_updatable=False,
        required=RequiredLevel.SYSTEM,
    )


def _version() -> Attribute:
    return read_only(_attribute(VERSION, T.BIGINT, "Version Number"))


def read_only(item: Attribute) -> Attribute:
    """Return the attribute as one that only the organization writes."""
    return replace(item, is_creatable=False, is_updatable=False)


def required(item: Attribute) -> Attribute:
    """Return the attribute as one that a record must have."""
    return replace(item, required=RequiredLevel.APPLICATION)


def line(name: str, label: str, length: int, form: str = "Text") -> Attribute:
    """Make an attribute of one line of text."""
    return _attribute(name, T.STRING, label, max_length=length, format=form)


def memo(name: str, label: str, length: int = 2000) -> Attribute:
    """Make an attribute of long text."""
    return _attribute(name, T.MEMO, label, max_length=length, format="TextArea")


def whole(name: str, label: str, form: str = "None") -> Attribute:
    """Make an attribute of whole numbers."""
    return _attribute(name, T.INTEGER, label, format=form)


def floating(name: str, label: str, bound: float, precision: int = 5) -> Attribute:
    """Make an attribute of numbers from -`bound` to `bound`."""
    return _attribute(name, T.DOUBLE, label, minimum=-bound, maximum=bound, precision=precision)


def decimal(name: str, label: str, precision: int) -> Attribute:
    """Make an attribute of exact numbers."""
    bounds = {"minimum": -1e11, "maximum": 1e11}
    return _attribute(name, T.DECIMAL, label, precision=precision, **bounds)


def money(name: str, label: str) -> Attribute:
    """Make an attribute of amounts, from 0 to 10¹² (resco.md §6.2)."""
    return _attribute(name, T.MONEY, label, minimum=0, maximum=1e12, precision=2)


def flag(name: str, label: str) -> Attribute:
    """Make an attribute that is true or false."""
    options = _options({0: "No", 1: "Yes"})
    return _attribute(name, T.BOOLEAN, label, option_set=options, default=0)


def moment(name: str, label: str) -> Attribute:
    """Make an attribute of points in time."""
    return _attribute(name, T.DATETIME, label, format="DateAndTime")


def day(name: str, label: str) -> Attribute:
    """Make an attribute of calendar days."""
    return _attribute(
        name, T.DATETIME, label, format="DateOnly", date_behavior=DateBehavior.DATE_ONLY
    )


def choice(
    name: str, label: str, texts: Mapping[int, str], default: int | None = None
) -> Attribute:
    """Make an attribute of choices."""
    return _attribute(name, T.PICKLIST, label, option_set=_options(texts), default=default)


def lookup(name: str, label: str, *targets: str) -> Attribute:
    """Make an attribute that refers to a record of one of the targets."""
    return _attribute(name, T.LOOKUP, label, targets=targets)


def customer(name: str, label: str) -> Attribute:
    """Make an attribute that refers to an account or a contact."""
    return _attribute(name, T.CUSTOMER, label, targets=("account", "contact"))


def parties(name: str, label: str, *targets: str) -> Attribute:
    """Make an attribute of activity parties."""
    return _attribute(name, T.PARTYLIST, label, targets=targets)


def document(name: str, label: str) -> Attribute:
    """Make an attribute of long encoded content."""
    return _attribute(name, T.MEMO, label, max_length=1_073_741_823)


def states(groups: Mapping[int, tuple[str, Mapping[int, str]]]) -> tuple[Attribute, Attribute]:
    """Make statecode and statuscode of state → its label and its statuses, the default first."""
    of_states = tuple(
        Option(value=value, label=text(label), default_status=next(iter(statuses)))
        for value, (label, statuses) in groups.items()
    )
    of_statuses = tuple(
        Option(value=value, label=text(label), state=state)
        for state, (_, statuses) in groups.items()
        for value, label in statuses.items()
    )
    return (
        _attribute(
            "statecode", T.STATE, "Status", option_set=OptionSet(name="", options=of_states)
        ),
        _attribute(
            "statuscode",
            T.STATUS,
            "Status Reason",
            option_set=OptionSet(name="", options=of_statuses),
        ),
    )


def active() -> tuple[Attribute, Attribute]:
    """Make the states that most entities have: 1 → Active, 2 → Inactive (resco.md §6.3)."""
    return states({0: ("Active", {1: "Active"}), 1: ("Inactive", {2: "Inactive"})})


def address() -> tuple[Attribute, ...]:
    """Make the address of a record (lengths: resco.md §6.2)."""
    return (
        *(line(f"address1_line{number}", f"Street {number}", 250) for number in (1, 2, 3)),
        line("address1_city", "City", 80),
        line("address1_postalcode", "ZIP/Postal Code", 20),
        line("address1_stateorprovince", "State/Province", 50),
        line("address1_country", "Country/Region", 80),
        floating("address1_latitude", "Latitude", 90),
        floating("address1_longitude", "Longitude", 180),
    )


def written(*people: str) -> tuple[Attribute, ...]:
    """Make the attributes that say when a record was written, and those of `people` by whom."""
    return (
        read_only(moment("createdon", "Created On")),
        read_only(moment("modifiedon", "Modified On")),
        *(read_only(lookup(name, _PEOPLE[name], USER)) for name in people),
    )


def owner() -> Attribute:
    """Make the attribute that says who owns a record."""
    return _attribute("ownerid", T.OWNER, "Owner", targets=(USER, "team"))


USER = "systemuser"
_PEOPLE = {"createdby": "Created By", "modifiedby": "Modified By"}


def _options(texts: Mapping[int, str]) -> OptionSet:
    options = tuple(Option(value=value, label=text(label)) for value, label in texts.items())
    return OptionSet(name="", options=options)
