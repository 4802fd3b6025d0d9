"""What Update Server finds: one situation per test, named after the original's steps."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from connections.metadata import compare as compare_module
from connections.metadata.compare import compare, removal
from connections.metadata.plan import Element, Item, Verb
from organizations.schema import (
    Attribute,
    AttributeType,
    Entity,
    Key,
    Label,
    ManyToMany,
    Option,
    OptionSet,
    Origin,
)
from tests.connections.metadata.making import (
    Impact,
    make_attribute,
    make_choice,
    make_entity,
    make_relationship,
)


def found(server: Entity, client: Entity | None, impact: Impact | None = None) -> list[Item]:
    return list(compare(server, client, impact or Impact()).items)


def brief(items: list[Item]) -> list[tuple[Verb, Element, str]]:
    return [(item.verb, item.element, item.name) for item in items]


def test_it_finds_nothing_between_equal_entities() -> None:
    entity = make_entity(make_attribute("name"), make_choice("industrycode", 1, 2))
    assert found(entity, entity) == []


def test_step_1_create_a_new_entity_is_one_item() -> None:
    items = found(make_entity(make_attribute("name")), None)
    assert brief(items) == [(Verb.ADD, Element.ENTITY, "account")]
    assert items[0].note == "2 attributes"


def test_step_1_create_a_hidden_entity_that_comes_back_is_added() -> None:
    entity = make_entity()
    assert brief(found(entity, replace(entity, is_hidden=True))) == [
        (Verb.ADD, Element.ENTITY, "account")
    ]


def test_step_2_update_a_new_attribute() -> None:
    items = found(make_entity(make_attribute("fax", max_length=50)), make_entity())
    assert brief(items) == [(Verb.ADD, Element.ATTRIBUTE, "account.fax")]
    assert items[0].after == "String (50)"


def test_step_3_update_a_changed_entity() -> None:
    items = found(make_entity(tracks_changes=True), make_entity())
    assert brief(items) == [(Verb.CHANGE, Element.ENTITY, "account")]
    assert (items[0].before, items[0].after) == ("tracks_changes: False", "tracks_changes: True")


def test_step_3_update_a_longer_text_touches_no_record() -> None:
    impact = Impact(longer_count=9)
    items = found(
        make_entity(make_attribute("name", max_length=200)),
        make_entity(make_attribute("name", max_length=100)),
        impact,
    )
    assert [(item.verb, item.at_risk) for item in items] == [(Verb.CHANGE, 0)]


def test_step_3_update_a_shorter_text_counts_the_records_that_exceed_it() -> None:
    items = found(
        make_entity(make_attribute("name", max_length=50)),
        make_entity(make_attribute("name", max_length=100)),
        Impact(longer_count=87),
    )
    assert items[0].at_risk == 87
    assert items[0].note == "87 records are longer than 50 characters."


def test_step_4_update_a_removed_attribute_says_how_many_records_hold_it() -> None:
    items = found(make_entity(), make_entity(make_attribute("fax")), Impact(filled_count=3))
    assert brief(items) == [(Verb.REMOVE, Element.ATTRIBUTE, "account.fax")]
    assert items[0].at_risk == 3
    assert items[0].note == "Hidden on the client; its values stay until Compact."


def test_step_4_update_an_attribute_hidden_before_is_not_removed_again() -> None:
    hidden = make_attribute("fax", is_hidden=True)
    assert found(make_entity(), make_entity(hidden)) == []


def test_step_5_remove_an_entity_hides_it() -> None:
    plan = removal(make_entity())
    assert brief(list(plan.items)) == [(Verb.REMOVE, Element.ENTITY, "account")]
    assert plan.items[0].note == "Hidden on the client; its records stay until Compact."


@pytest.mark.parametrize(
    ("before", "after", "verb"),
    [
        ({1033: "Fax"}, {1033: "Fax", 1051: "Fax SK"}, Verb.ADD),
        ({1033: "Fax"}, {1033: "Telefax"}, Verb.CHANGE),
        ({1033: "Fax", 1031: "Fax DE"}, {1033: "Fax"}, Verb.REMOVE),
    ],
)
def test_step_6_localizations_one_item_per_language(
    before: dict[int, str], after: dict[int, str], verb: Verb
) -> None:
    old = replace(make_attribute("fax"), label=Label.of(before))
    new = replace(make_attribute("fax"), label=Label.of(after))
    items = found(make_entity(new), make_entity(old))
    assert [(item.verb, item.element) for item in items] == [(verb, Element.LABEL)]


def test_it_finds_an_added_option() -> None:
    items = found(make_entity(make_choice("code", 1, 2)), make_entity(make_choice("code", 1)))
    assert brief(items) == [(Verb.ADD, Element.OPTION, "account.code.2")]


def test_it_retires_a_removed_option_that_records_use() -> None:
    items = found(
        make_entity(make_choice("code", 1)),
        make_entity(make_choice("code", 1, 2)),
        Impact(using_count=4),
    )
    assert brief(items) == [(Verb.REMOVE, Element.OPTION, "account.code.2")]
    assert (items[0].at_risk, items[0].note) == (4, "Retired: records still use it.")


def test_it_leaves_local_attributes_alone() -> None:
    local = make_attribute("mine", origin=Origin.LOCAL)
    assert found(make_entity(), make_entity(local)) == []


def test_it_blocks_only_the_item_whose_name_clashes() -> None:
    local = make_attribute("fax", origin=Origin.LOCAL)
    items = found(make_entity(make_attribute("fax"), make_attribute("name")), make_entity(local))
    assert brief(items) == [
        (Verb.BLOCK, Element.ATTRIBUTE, "account.fax"),
        (Verb.ADD, Element.ATTRIBUTE, "account.name"),
    ]
    assert items[0].note == (
        "The client has an attribute of its own with this name. Rename it there first."
    )


def test_it_blocks_a_changed_type() -> None:
    items = found(
        make_entity(make_attribute("code", AttributeType.INTEGER)),
        make_entity(make_attribute("code")),
        Impact(filled_count=5),
    )
    assert brief(items) == [(Verb.BLOCK, Element.ATTRIBUTE, "account.code")]
    assert items[0].at_risk == 5
    assert items[0].note.startswith("The type was changed on the server.")


def test_it_finds_relationships_added_changed_and_removed() -> None:
    server = make_entity(
        relationships=(make_relationship("new"), make_relationship("kept", is_custom=True))
    )
    client = make_entity(relationships=(make_relationship("kept"), make_relationship("old")))
    assert brief(found(server, client)) == [
        (Verb.ADD, Element.RELATIONSHIP, "account.new"),
        (Verb.CHANGE, Element.RELATIONSHIP, "account.kept"),
        (Verb.REMOVE, Element.RELATIONSHIP, "account.old"),
    ]


def test_it_finds_a_changed_alternate_key() -> None:
    server = make_entity(keys=(Key(name="number", attributes=("accountnumber",)),))
    assert brief(found(server, make_entity())) == [(Verb.ADD, Element.KEY, "account.number")]


def test_own_relationships_and_keys_of_the_client_block_only_themselves() -> None:
    key = Key(name="number", attributes=("accountnumber",))
    server = make_entity(relationships=(make_relationship("r"),), keys=(key,))
    own = make_relationship("r", is_custom=True, origin=Origin.LOCAL)
    mine = replace(key, attributes=("name",), origin=Origin.LOCAL)
    client = make_entity(relationships=(own,), keys=(mine,))
    items = found(server, client)
    assert brief(items) == [
        (Verb.BLOCK, Element.RELATIONSHIP, "account.r"),
        (Verb.BLOCK, Element.KEY, "account.number"),
    ]
    assert items[0].note.startswith("The client has a relationship of its own with this name.")
    assert found(make_entity(), client) == []


def test_it_says_what_changed_of_a_relationship() -> None:
    old = make_relationship("r", cascade={"Delete": "RemoveLink"})
    new = make_relationship("r", cascade={"Delete": "Cascade"})
    (item,) = found(make_entity(relationships=(new,)), make_entity(relationships=(old,)))
    assert (item.before, item.after) == ("cascade: Delete RemoveLink", "cascade: Delete Cascade")


def test_it_finds_a_relationship_of_another_kind() -> None:
    pair = ManyToMany(
        name="r", entity1="a", attribute1="b", entity2="c", attribute2="d", intersect_entity="e"
    )
    items = found(
        make_entity(relationships=(pair,)), make_entity(relationships=(make_relationship("r"),))
    )
    assert brief(items) == [(Verb.CHANGE, Element.RELATIONSHIP, "account.r")]
    assert (items[0].before, items[0].after) == ("OneToMany", "ManyToMany")


def test_it_finds_a_renamed_option_set_and_its_labels() -> None:
    old = make_choice("code", 1)
    assert old.option_set is not None
    label = Label.of({1033: "Codes"})
    new = replace(old, option_set=replace(old.option_set, name="codes", label=label))
    assert brief(found(make_entity(new), make_entity(old))) == [
        (Verb.CHANGE, Element.ATTRIBUTE, "account.code"),
        (Verb.ADD, Element.LABEL, "account.code.options.label.1033"),
    ]


LEFT_OUT = {
    Entity: {
        "name": "finds the entity",
        "is_hidden": "the client's own state",
        "origin": "the client's own state",
        "is_view": "no connector offers a view of the organization",
        "attributes": "compared one by one",
        "keys": "compared one by one",
        "relationships": "compared one by one",
    },
    Attribute: {
        "name": "finds the attribute",
        "is_hidden": "the client's own state",
        "origin": "the client's own state",
        "option_set": "compared option by option",
    },
    OptionSet: {"options": "compared one by one"},
    Option: {"value": "finds the option", "retired": "the client's own state"},
}
"""What decides no difference by itself, and why."""


@pytest.mark.parametrize(
    ("kind", "compared"),
    [
        (Entity, {*compare_module.ENTITY_PROPERTIES, *compare_module.ENTITY_LABELS}),
        (Attribute, {*compare_module.ATTRIBUTE_PROPERTIES, *compare_module.TEXTS}),
        (OptionSet, {*compare_module.OPTION_SET_PROPERTIES, *compare_module.TEXTS}),
        (Option, {*compare_module.OPTION_PROPERTIES, *compare_module.TEXTS}),
    ],
)
def test_every_word_of_the_vocabulary_is_compared(kind: type[Any], compared: set[str]) -> None:
    words = {item.name for item in fields(kind) if item.compare}
    assert words == compared | LEFT_OUT[kind].keys()
