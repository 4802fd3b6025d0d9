"""Sync filters: read, checked and written in one place."""

from __future__ import annotations

import pytest

from connections import filters
from connections.naming import metadata
from connections.naming.names import Names
from organizations.errors import InvalidRequest, NotFound
from organizations.samples import contoso
from organizations.schema import Entity

ENTITIES = {entity.name: entity for entity in contoso.entities()}
NAMED = '<fetch><entity name="account"><filter><condition attribute="name" operator="not-null"/>'
ACCOUNT = f"{NAMED}</filter></entity></fetch>"


def schema(name: str) -> Entity:
    if name not in ENTITIES:
        raise NotFound("entity", name)
    return ENTITIES[name]


def fetch(entity: str) -> str:
    return f'<fetch><entity name="{entity}"/></fetch>'


@pytest.mark.parametrize("text", ["", "  \n"])
def test_it_takes_empty_text_for_all_records(text: str) -> None:
    assert filters.read(text, "account", schema) is None
    assert filters.checked(text, "account", schema) == ""


def test_it_writes_the_same_filter_in_one_form() -> None:
    once = filters.checked(ACCOUNT, "account", schema)
    spaced = ACCOUNT.replace("><", ">\n  <")
    assert filters.checked(spaced, "account", schema) == once
    assert filters.checked(once, "account", schema) == once


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<fetch>", "fetch"),
        (fetch("contact"), "is about 'contact'. Write it about 'account'."),
        (fetch("nothing"), "nothing"),
        (ACCOUNT.replace('"name"', '"nope"', 2).replace('entity "nope"', ""), "nope"),
    ],
)
def test_it_refuses_a_filter_that_cannot_be_used(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        filters.checked(text, "account", schema)


def test_it_refuses_a_filter_of_an_intersect() -> None:
    with pytest.raises(InvalidRequest, match="filters of the two entities it links"):
        filters.checked(fetch("leadcompetitors"), "leadcompetitors", schema)


def test_it_reads_a_collection_by_entity() -> None:
    text = f"<fetchcollection>{ACCOUNT}{fetch('lead')}</fetchcollection>"
    assert list(filters.checked_collection(text, schema)) == ["account", "lead"]
    assert filters.checked_collection("", schema) == {}


@pytest.mark.parametrize("entity", ["nothing", "leadcompetitors"])
def test_it_names_the_element_of_a_wrong_collection(entity: str) -> None:
    text = f"<fetchcollection>{fetch(entity)}</fetchcollection>"
    with pytest.raises(InvalidRequest, match="'SyncFiltersXml': .*" + entity) as caught:
        filters.checked_collection(text, schema)
    assert caught.value.element == "SyncFiltersXml"


NAMES = Names({"lead": {"leadid": "id", "fullname": "name"}, "account": {"accountid": "id"}})


def native(name: str) -> Entity:
    return metadata.renamed(schema(name), NAMES)


@pytest.mark.parametrize(("key", "name"), [("accountid", "fullname"), ("id", "name")])
def test_attributes_are_named_as_either_side_does_and_kept_as_the_server(
    key: str, name: str
) -> None:
    text = (
        f'<fetch><entity name="lead"><filter><condition attribute="{name}" operator="not-null"/>'
        f'</filter><link-entity name="account" from="{key}" to="parentaccountid"/></entity></fetch>'
    )
    query = filters.read(text, "lead", native, NAMES)
    assert query is not None
    assert "name" in repr(query.filter)
    assert [link.from_attribute for link in query.links] == ["id"]
    kept = filters.checked(text, "lead", native, NAMES)
    assert 'attribute="fullname"' in kept
    assert 'from="accountid"' in kept
    assert filters.checked(kept, "lead", native, NAMES) == kept


def test_what_neither_side_has_is_refused_whatever_the_names() -> None:
    text = '<fetch><entity name="lead"><filter><condition attribute="x" operator="null"/></filter>'
    with pytest.raises(InvalidRequest, match="'x'"):
        filters.read(f"{text}</entity></fetch>", "lead", native, NAMES)
