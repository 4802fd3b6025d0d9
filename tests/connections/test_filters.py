"""Sync filters: read, checked and written in one place."""

from __future__ import annotations

import pytest

from connections import filters
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
