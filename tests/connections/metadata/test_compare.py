"""What Update Server finds: one situation per test, named after the original's steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connections.metadata.compare import compare, removal
from connections.metadata.plan import Element, Item, Verb
from organizations.schema import AttributeType, Entity, Key, Label, Origin
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
