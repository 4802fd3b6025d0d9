"""The metadata on which every connector is tried: every type, a lookup of two kinds, pairs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from organizations.records import Value
from organizations.schema import (
    VERSION,
    Attribute,
    AttributeType,
    DateBehavior,
    Entity,
    Label,
    ManyToMany,
    OneToMany,
    Option,
    OptionSet,
    Ownership,
)

T = AttributeType


def make_options(name: str, *values: int) -> OptionSet:
    options = tuple(Option(value=at, label=Label.of({1033: f"Option {at}"})) for at in values)
    return OptionSet(name=name, options=options)


def make_attribute(name: str, kind: AttributeType = T.STRING, **more: Any) -> Attribute:
    label = Label.of({1033: name.title()})
    return Attribute(name=name, type=kind, label=label, schema_name=name, **more)


def make_lookup(name: str, attribute: str, target: str) -> OneToMany:
    return OneToMany(
        name=name,
        referenced_entity=target,
        referenced_attribute=f"{target}id",
        referencing_entity="thing",
        referencing_attribute=attribute,
        referenced_navigation=name,
        referencing_navigation="parent" if attribute == "parent" else f"{attribute}_{target}",
    )


PARENT = make_lookup("thing_parent", "parent", "thing")
CUSTOMERS = (
    make_lookup("thing_customer_thing", "customer", "thing"),
    make_lookup("thing_customer_note", "customer", "note"),
)
PAIRS = ManyToMany(
    name="thing_note",
    entity1="thing",
    attribute1="thingid",
    entity2="note",
    attribute2="noteid",
    intersect_entity="thingnote",
    navigation1="thing_note",
    navigation2="thing_note",
)

THING = Entity(
    name="thing",
    primary_id="thingid",
    primary_name="text",
    set_name="things",
    schema_name="Thing",
    label=Label.of({1033: "Thing", 1031: "Ding"}),
    ownership=Ownership.ORGANIZATION,
    tracks_changes=True,
    attributes=(
        make_attribute("thingid", T.UNIQUEIDENTIFIER, is_primary_id=True, is_updatable=False),
        make_attribute("text", max_length=100, is_primary_name=True),
        make_attribute("memo", T.MEMO, max_length=2000),
        make_attribute("whole", T.INTEGER, minimum=-1000, maximum=100000),
        make_attribute("big", T.BIGINT),
        make_attribute("money", T.MONEY, precision=2),
        make_attribute("decimal", T.DECIMAL, precision=4),
        make_attribute("real", T.DOUBLE, precision=3),
        make_attribute("flag", T.BOOLEAN, option_set=make_options("thing_flag", 0, 1)),
        make_attribute("moment", T.DATETIME),
        make_attribute("day", T.DATETIME, date_behavior=DateBehavior.DATE_ONLY),
        make_attribute("wall", T.DATETIME, date_behavior=DateBehavior.TIME_ZONE_INDEPENDENT),
        make_attribute("choice", T.PICKLIST, option_set=make_options("thing_choice", 1, 2)),
        make_attribute("choices", T.MULTISELECT, option_set=make_options("thing_choices", 1, 2, 3)),
        make_attribute("parent", T.LOOKUP, targets=("thing",)),
        make_attribute("customer", T.CUSTOMER, targets=("thing", "note")),
        make_attribute(VERSION, T.BIGINT, is_creatable=False, is_updatable=False),
    ),
    relationships=(PARENT, *CUSTOMERS, PAIRS),
)
NOTE = Entity(
    name="note",
    primary_id="noteid",
    primary_name="title",
    set_name="notes",
    schema_name="Note",
    label=Label.of({1033: "Note"}),
    ownership=Ownership.ORGANIZATION,
    attributes=(
        make_attribute("noteid", T.UNIQUEIDENTIFIER, is_primary_id=True, is_updatable=False),
        make_attribute("title", max_length=100, is_primary_name=True),
        make_attribute(VERSION, T.BIGINT, is_creatable=False, is_updatable=False),
    ),
    relationships=(CUSTOMERS[1], PAIRS),
)
THINGNOTE = Entity(
    name="thingnote",
    primary_id="thingnoteid",
    set_name="thingnotecollection",
    schema_name="ThingNote",
    is_intersect=True,
    tracks_changes=True,
    ownership=Ownership.NONE,
    attributes=(
        make_attribute("thingnoteid", T.UNIQUEIDENTIFIER, is_primary_id=True),
        make_attribute("thingid", T.UNIQUEIDENTIFIER),
        make_attribute("noteid", T.UNIQUEIDENTIFIER),
        make_attribute(VERSION, T.BIGINT, is_creatable=False, is_updatable=False),
    ),
    relationships=(PAIRS,),
)
ENTITIES = (THING, NOTE, THINGNOTE)

EVERY_TYPE: dict[str, Value] = {
    "text": "Žlutý kůň – 黄色い馬 😀 \"quoted\" 'single' \\ back",
    "memo": "first line\nsecond\tline",
    "whole": 42,
    "big": 2**40,
    "money": Decimal("20000.50"),
    "decimal": Decimal("-0.1234"),
    "real": 1.125,
    "flag": True,
    "moment": "2024-02-29T23:59:59Z",
    "day": "2024-05-01",
    "wall": "2024-05-01T10:00:00",
    "choice": 2,
    "choices": "1,3",
}
"""Canonical values, one per type; lookups need records and are added by the tests."""
