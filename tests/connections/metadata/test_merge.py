"""What the client's definition becomes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connections.metadata.compare import compare
from connections.metadata.merge import is_blocked, merge
from organizations.schema import Attribute, AttributeType, Key, Origin
from tests.connections.metadata.making import (
    Impact,
    make_attribute,
    make_choice,
    make_entity,
    make_relationship,
)


def unused(entity: str, attribute: str, option: int) -> int:
    return 0


def used(entity: str, attribute: str, option: int) -> int:
    return 1


def test_it_takes_a_new_entity_whole() -> None:
    server = make_entity(make_attribute("name"))
    assert merge(server, None, unused) == server


def test_it_hides_what_the_server_removed() -> None:
    merged = merge(make_entity(), make_entity(make_attribute("fax")), unused)
    fax = merged.attribute("fax")
    assert fax is not None
    assert fax.is_hidden


def test_it_shows_again_what_came_back() -> None:
    hidden = make_attribute("fax", is_hidden=True)
    fax = merge(make_entity(make_attribute("fax")), make_entity(hidden), unused).attribute("fax")
    assert fax is not None
    assert not fax.is_hidden


def test_it_keeps_local_attributes_and_relationships() -> None:
    local = make_attribute("mine", origin=Origin.LOCAL)
    client = make_entity(local, relationships=(make_relationship("mine", origin=Origin.LOCAL),))
    merged = merge(make_entity(), client, unused)
    assert merged.attribute("mine") == local
    assert [item.name for item in merged.relationships] == ["mine"]


def test_it_keeps_the_local_attribute_when_names_clash() -> None:
    local = make_attribute("fax", AttributeType.MEMO, origin=Origin.LOCAL)
    merged = merge(make_entity(make_attribute("fax")), make_entity(local), unused)
    assert merged.attribute("fax") == local


def test_it_keeps_the_old_column_when_the_type_changed() -> None:
    old = make_attribute("code")
    merged = merge(
        make_entity(make_attribute("code", AttributeType.INTEGER)), make_entity(old), unused
    )
    assert merged.attribute("code") == old


def test_it_retires_a_removed_option_in_use_and_drops_an_unused_one() -> None:
    server, client = make_entity(make_choice("code", 1)), make_entity(make_choice("code", 1, 2))
    for in_use, expected in ((used, [(1, False), (2, True)]), (unused, [(1, False)])):
        code = merge(server, client, in_use).attribute("code")
        assert code is not None
        assert code.option_set is not None
        assert [(o.value, o.retired) for o in code.option_set.options] == expected


def test_it_leaves_nothing_to_do_after_a_merge() -> None:
    server = make_entity(make_attribute("name"), make_choice("code", 1))
    client = make_entity(make_attribute("fax"), make_choice("code", 1, 2))
    merged = merge(server, client, used)
    assert compare(server, merged, Impact(using_count=1)).items == ()


def test_it_keeps_own_relationships_and_keys_whose_names_clash() -> None:
    key = Key(name="number", attributes=("accountnumber",))
    server = make_entity(relationships=(make_relationship("r"),), keys=(key,))
    own = make_relationship("r", is_custom=True, origin=Origin.LOCAL)
    mine = replace(key, attributes=("name",), origin=Origin.LOCAL)
    merged = merge(server, make_entity(relationships=(own,), keys=(mine,)), unused)
    assert (merged.relationships, merged.keys) == ((own,), (mine,))


def test_it_does_not_touch_an_entity_of_the_client() -> None:
    own = make_entity(origin=Origin.LOCAL)
    assert is_blocked(make_entity(), own)
    assert not is_blocked(make_entity(), make_entity())
    assert not is_blocked(make_entity(), None)


def native(name: str, **more: Any) -> Attribute:
    return make_attribute(name, origin=Origin.NATIVE, **more)


def test_it_takes_native_elements_over_and_leaves_the_others_alone() -> None:
    client = make_entity(
        native("fax", max_length=50),
        native("only_here"),
        relationships=(make_relationship(origin=Origin.NATIVE), make_relationship("own")),
        origin=Origin.NATIVE,
    )
    served = make_entity(make_attribute("fax", max_length=80), relationships=(make_relationship(),))
    assert not is_blocked(served, client)
    merged = merge(served, client, unused)
    fax, only_here = merged.attribute("fax"), merged.attribute("only_here")
    assert fax is not None
    assert only_here is not None
    assert (fax.origin, fax.max_length) == (Origin.SERVER, 80)
    assert (only_here.origin, only_here.is_hidden) == (Origin.NATIVE, False)
    assert [(item.name, item.origin) for item in merged.relationships] == [
        ("account_parent", Origin.SERVER)
    ]
    assert merged.origin is Origin.SERVER
    kept = merge(make_entity(), client, unused)
    assert [item.name for item in kept.relationships] == ["account_parent"]


def test_taking_over_what_is_native_is_a_change_even_if_nothing_else_is() -> None:
    server = make_entity(make_attribute("fax"), relationships=(make_relationship(),))
    client = make_entity(
        native("fax"),
        relationships=(make_relationship(origin=Origin.NATIVE),),
        origin=Origin.NATIVE,
    )
    plan = compare(server, client, Impact())
    told = [(str(item.element), item.name, item.before, item.after) for item in plan.items]
    assert told == [
        ("entity", "account", "origin: native", "origin: server"),
        ("attribute", "account.fax", "origin: native", "origin: server"),
        ("relationship", "account.account_parent", "origin: native", "origin: server"),
    ]
    assert compare(server, merge(server, client, unused), Impact()).items == ()
