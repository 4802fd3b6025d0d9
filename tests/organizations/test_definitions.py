"""Definitions: a lossless codec of entities."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations import definitions
from organizations.errors import InvalidRequest
from organizations.schema import Attribute, Entity, Key, Label, OneToMany
from tests.organizations.making import make_account, make_every_type, make_rivals

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
TEXT = st.text(max_size=20)
LABELS = st.dictionaries(st.integers(1025, 20000), TEXT, max_size=3).map(Label.of)


def make_relationship() -> OneToMany:
    return OneToMany(
        name="account_parent",
        referenced_entity="account",
        referenced_attribute="accountid",
        referencing_entity="account",
        referencing_attribute="parentaccountid",
        referencing_navigation="ParentAccountId",
        cascade={"Delete": "RemoveLink"},
        extras={"IsValidForAdvancedFind": True},
    )


def extras_of(value: object) -> list[object]:
    """Return all extras below a value in order; equality of the vocabulary leaves them out."""
    if is_dataclass(value):
        own = [getattr(value, "extras", {})]
        return own + [x for f in fields(value) for x in extras_of(getattr(value, f.name))]
    if isinstance(value, tuple):
        return [found for item in value for found in extras_of(item)]
    return []


def through_json(entity: Entity) -> Entity:
    return definitions.load(json.loads(json.dumps(definitions.dump(entity))))


@pytest.mark.parametrize("entity", [make_account(), make_every_type(), make_rivals()])
def test_it_gives_back_what_it_was_given(entity: Entity) -> None:
    assert through_json(entity) == entity


def test_it_keeps_relationships_of_both_kinds_and_keys() -> None:
    entity = Entity(
        name="account",
        primary_id="accountid",
        attributes=make_account().attributes,
        relationships=(make_relationship(), *make_account().relationships),
        keys=(Key(name="by_number", attributes=("accountnumber",)),),
    )
    assert through_json(entity) == entity
    assert extras_of(through_json(entity)) == extras_of(entity)


@given(label=LABELS, description=LABELS, extras=st.dictionaries(TEXT, JSON, max_size=3))
def test_it_keeps_any_label_and_any_extra(
    label: Label, description: Label, extras: Mapping[str, object]
) -> None:
    template = make_account().attributes[1]
    attribute = Attribute(
        name="name", type=template.type, label=label, description=description, extras=extras
    )
    entity = Entity(
        name="x", primary_id="y", attributes=(attribute,), label=description, extras=extras
    )
    assert through_json(entity) == entity
    assert extras_of(through_json(entity)) == extras_of(entity)


def test_it_leaves_out_what_is_default() -> None:
    entity = Entity(name="x", primary_id="y", attributes=())
    assert definitions.dump(entity) == {"name": "x", "primary_id": "y", "attributes": []}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"primary_id": 7}, "Expected `str`"),
        ({"attributes": [{"name": "a", "type": "Nonsense"}]}, "Nonsense"),
        ({"relationships": [{"kind": "1:1"}]}, "1:1"),
    ],
)
def test_it_names_the_entity_whose_definition_is_broken(
    change: dict[str, object], reason: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"'x' cannot be read.*{reason}"):
        definitions.load({"name": "x", "primary_id": "y", "attributes": []} | change)
