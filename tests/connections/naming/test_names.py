"""Names as a value, and metadata and queries in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connections.naming import metadata, queries
from connections.naming.names import SAME, Names
from organizations.query import fetchxml_reader, fetchxml_writer
from organizations.query.nodes import Condition, Exists, Group, Link, Operator, Query
from organizations.samples import contoso, sales
from organizations.schema import Attribute, AttributeType, Entity, Key

NAMES = Names(
    {
        "account": {"accountid": "id"},
        "contact": {"contactid": "id", "fullname": "name", "parentcustomerid": "company"},
    }
)
CONTOSO = {entity.name: entity for entity in contoso.entities()}


def test_names_turn_round() -> None:
    assert NAMES.inverse.of["contact"]["company"] == "parentcustomerid"
    assert NAMES.inverse.inverse == NAMES
    assert NAMES
    assert not SAME
    assert not Names({"account": {}})


def test_a_lookups_second_column_follows_its_first() -> None:
    columns = ("contactid", "parentcustomerid", "parentcustomerid__type", "lastname")
    theirs = ("id", "company", "company__type", "lastname")
    assert NAMES.columns("contact", columns) == theirs
    assert NAMES.inverse.columns("contact", theirs) == columns
    assert NAMES.columns("lead", columns) == columns


def test_a_digest_tells_names_apart_whatever_their_order() -> None:
    pairs = NAMES.of["contact"]
    turned = Names({"contact": dict(reversed(list(pairs.items())))})
    other = Names({"contact": {**pairs, "fullname": "title"}})
    assert NAMES.digest("contact") == turned.digest("contact") != other.digest("contact")
    assert NAMES.digest("lead") == ""
    assert len(NAMES.digest("contact")) == 16


@pytest.mark.parametrize("entity", CONTOSO.values(), ids=lambda entity: entity.name)
def test_metadata_there_and_back_are_the_same(entity: Entity) -> None:
    there = metadata.renamed(entity, NAMES)
    assert metadata.renamed(there, NAMES.inverse) == entity


def test_metadata_without_other_names_are_not_copied() -> None:
    entity = sales.entities()[0]
    assert metadata.renamed(entity, NAMES) is entity


def test_an_entity_has_its_key_name_keys_and_relationships_renamed() -> None:
    key = Key(name="by_name", attributes=("fullname", "lastname"))
    contact = metadata.renamed(replace(CONTOSO["contact"], keys=(key,)), NAMES)
    assert (contact.primary_id, contact.primary_name) == ("id", "name")
    assert contact.attribute("contactid") is None
    assert contact.keys[0].attributes == ("name", "lastname")
    names = {item.name for item in contact.attributes if item.attribute_of == "company"}
    assert names == {"parentcustomeridname", "parentcustomeridtype"}
    one = next(item for item in contact.many_to_one if item.referencing_attribute == "company")
    assert one.referenced_attribute == "id"


def test_an_attribute_gives_way_to_the_one_that_takes_its_name() -> None:
    own = Attribute(name="name", type=AttributeType.STRING, max_length=5)
    shadow = Attribute(name="nametext", type=AttributeType.STRING, attribute_of="name")
    key = Key(name="by_name", attributes=("name",))
    contact = CONTOSO["contact"]
    contact = replace(contact, attributes=(*contact.attributes, own, shadow), keys=(key,))
    assert metadata.left_out(contact, NAMES) == {"name"}
    found = metadata.renamed(contact, NAMES)
    assert [item.max_length for item in found.attributes if item.name == "name"] == [160]
    assert found.attribute("nametext") is None
    assert found.keys == ()


FETCH = (
    '<fetch><entity name="contact"><filter type="or">'
    '<condition attribute="fullname" operator="like" value="A%"/>'
    '<condition entityname="firm" attribute="accountid" operator="not-null"/>'
    '<filter><condition attribute="fullname" valueof="lastname" operator="eq"/></filter></filter>'
    '<link-entity name="account" from="accountid" to="parentcustomerid" alias="firm">'
    '<filter><condition attribute="accountid" operator="not-null"/></filter>'
    '<link-entity name="contact" from="parentcustomerid" to="accountid" alias="other">'
    '<filter><condition attribute="fullname" operator="not-null"/></filter></link-entity>'
    "</link-entity></entity></fetch>"
)


def test_a_query_is_renamed_at_every_depth_and_back() -> None:
    query = fetchxml_reader.read(FETCH)
    there = queries.renamed(query, NAMES)
    text = fetchxml_writer.write(there)
    for name in ("fullname", "contactid", "accountid", "parentcustomerid"):
        assert name not in text
    assert text.count('"name"') == 3
    assert 'from="company" to="id"' in text
    assert queries.renamed(there, NAMES.inverse) == query


def test_what_a_query_asks_of_linked_records_is_renamed() -> None:
    inner = Group(children=(Condition("fullname", Operator.NOT_NULL, alias="one"),))
    link = Link(
        entity="contact",
        from_attribute="parentcustomerid",
        to_attribute="accountid",
        alias="one",
        filter=inner,
    )
    query = Query(entity="account", filter=Group(children=(Exists(link, is_negative=True),)))
    (found,) = queries.renamed(query, NAMES).filter.children
    assert isinstance(found, Exists)
    assert (found.link.from_attribute, found.link.to_attribute) == ("company", "id")
    assert found.link.filter.children == (Condition("name", Operator.NOT_NULL, alias="one"),)


def test_a_query_without_other_names_is_not_copied() -> None:
    query = fetchxml_reader.read(FETCH)
    assert queries.renamed(query, SAME) is query
