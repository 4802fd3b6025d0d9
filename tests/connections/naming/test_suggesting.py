"""Suggestions: which attribute of a server is which of the client's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connections.naming.choosing import told
from connections.naming.names import Names
from connections.naming.native import DYNAMICS
from connections.naming.suggesting import is_native, suggested
from organizations.samples import contoso, sales
from organizations.schema import Attribute, AttributeType, Entity

CONTOSO = {entity.name: entity for entity in contoso.entities()}
SALES = {entity.name: entity for entity in sales.entities()}
BOTH = sorted(CONTOSO.keys() & SALES.keys())


def make_entity(name: str, key: str, primary_name: str, *more: str) -> Entity:
    names = (primary_name, *more)
    return Entity(
        name=name,
        primary_id=key,
        primary_name=primary_name,
        attributes=(
            Attribute(name=key, type=AttributeType.UNIQUEIDENTIFIER, is_primary_id=True),
            *(Attribute(name=item, type=AttributeType.STRING) for item in names),
        ),
    )


@pytest.mark.parametrize("name", BOTH)
def test_it_pairs_key_and_name_of_native_entities(name: str) -> None:
    server, client = CONTOSO[name], SALES[name]
    wanted = {server.primary_id: "id"}
    if server.primary_name and server.primary_name != client.primary_name:
        wanted[server.primary_name] = "name"
    assert suggested(server, client) == wanted
    assert suggested(client, server) == {there: here for here, there in wanted.items()}
    assert suggested(server, server) == {}
    assert suggested(client, client) == {}


@pytest.mark.parametrize("name", sorted(DYNAMICS.keys() & set(BOTH)))
def test_the_table_is_what_is_suggested(name: str) -> None:
    assert suggested(CONTOSO[name], SALES[name]) == DYNAMICS[name]


def test_the_table_knows_the_native_entities_of_the_template() -> None:
    unknown = {"businessunit", "competitor", "leadcompetitors"}
    assert {name for name, entity in SALES.items() if is_native(entity)} - unknown == set(DYNAMICS)
    for name, pairs in DYNAMICS.items():
        assert set(pairs.values()) <= {item.name for item in SALES[name].attributes}


def test_a_customers_own_entity_is_paired_by_key_and_name() -> None:
    server = make_entity("new_machine", "new_machineid", "new_name", "new_code")
    client = make_entity("new_machine", "id", "name", "new_code")
    assert suggested(server, client) == {"new_machineid": "id", "new_name": "name"}


def test_a_name_that_both_sides_have_is_left_alone() -> None:
    server = make_entity("lead", "leadid", "fullname", "name")
    assert suggested(server, SALES["lead"]) == {"leadid": "id"}
    client = make_entity("lead", "id", "name", "fullname")
    assert suggested(make_entity("lead", "leadid", "fullname"), client) == {"leadid": "id"}


def test_what_is_hidden_is_not_there() -> None:
    client = SALES["contact"]
    hidden = tuple(
        replace(item, is_hidden=item.name == "name" or item.is_hidden) for item in client.attributes
    )
    assert suggested(CONTOSO["contact"], replace(client, attributes=hidden)) == {"contactid": "id"}


def test_names_are_told_in_one_sentence() -> None:
    assert told(Names()) == ""
    names = Names({f"entity{number:02}": {"b": "name", "a": "id"} for number in range(12)})
    text = told(names)
    assert text.startswith("Names suggested, server → client: entity00: a → id, b → name; ")
    assert text.endswith("; and 2 entities more. They can be changed under Names.")
