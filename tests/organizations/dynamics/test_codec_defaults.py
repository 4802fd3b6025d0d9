"""What the codec serves for metadata that never were JSON."""

from __future__ import annotations

from dataclasses import replace

from organizations.dynamics.codec import entity_from_json, entity_to_json
from organizations.schema import (
    Attribute,
    AttributeType,
    Entity,
    Key,
    Label,
    ManyToMany,
    OneToMany,
    Option,
    OptionSet,
)
from tests.organizations.dynamics.shared_data import definition


def make_entity() -> Entity:
    yes_no = OptionSet(name="book_lent", options=(Option(value=0), Option(value=1)))
    return Entity(
        name="book",
        set_name="books",
        primary_id="bookid",
        label=Label.of({1033: "Book", 1031: "Buch"}),
        attributes=(
            Attribute(name="bookid", type=AttributeType.UNIQUEIDENTIFIER, is_primary_id=True),
            Attribute(name="name", type=AttributeType.STRING, max_length=100),
            Attribute(name="lent", type=AttributeType.BOOLEAN, option_set=yes_no, default=1),
            Attribute(name="pages", type=AttributeType.INTEGER, minimum=1, maximum=9999),
            Attribute(name="price", type=AttributeType.MONEY, precision=2, minimum=0),
            Attribute(name="tags", type=AttributeType.MULTISELECT),
            Attribute(name="authorid", type=AttributeType.LOOKUP, targets=("author",)),
            Attribute(name="bought", type=AttributeType.DATETIME),
        ),
        keys=(Key(name="book_isbn", attributes=("name",)),),
        relationships=(
            OneToMany(
                name="author_book",
                referenced_entity="author",
                referenced_attribute="authorid",
                referencing_entity="book",
                referencing_attribute="authorid",
                referencing_navigation="authorid",
            ),
            ManyToMany(
                name="book_shelf",
                entity1="book",
                attribute1="bookid",
                entity2="shelf",
                attribute2="shelfid",
                intersect_entity="bookshelf",
            ),
        ),
    )


def test_it_reads_back_what_it_writes() -> None:
    entity = make_entity()
    again = entity_from_json(entity_to_json(entity))
    named = replace(entity, schema_name="book", relationships=again.relationships)
    for wanted, got in zip(entity.attributes, again.attributes, strict=True):
        assert replace(got, schema_name="", format=None) == wanted
    assert replace(again, attributes=named.attributes) == named


def test_the_property_lists_are_those_of_a_real_organization() -> None:
    real = definition("lead")
    served = entity_to_json(make_entity())
    assert set(served) == set(real) - {"@odata.context"}
    by_cast = {item.get("@odata.type"): set(item) for item in real["Attributes"]}
    for attribute in served["Attributes"]:
        if attribute.get("@odata.type") in by_cast:
            assert set(attribute) == by_cast[attribute.get("@odata.type")]
    for name in ("ManyToOneRelationships", "ManyToManyRelationships"):
        assert set(served[name][0]) == set(real[name][0])


def test_it_makes_ids_that_never_change() -> None:
    one, other = entity_to_json(make_entity()), entity_to_json(make_entity())
    assert one == other
    ids = [one["MetadataId"], *(item["MetadataId"] for item in one["Attributes"])]
    assert len(set(ids)) == len(ids)


def test_the_callers_language_picks_the_users_label() -> None:
    served = entity_to_json(make_entity(), language=1031)
    assert served["DisplayName"]["UserLocalizedLabel"]["Label"] == "Buch"
    assert [item["Label"] for item in served["DisplayName"]["LocalizedLabels"]] == ["Buch", "Book"]


def test_a_changed_text_wins_over_what_was_read() -> None:
    entity = entity_from_json(entity_to_json(make_entity()))
    changed = replace(entity, label=Label.of({1033: "Volume", 1036: "Livre"}))
    texts = entity_to_json(changed)["DisplayName"]["LocalizedLabels"]
    assert {item["LanguageCode"]: item["Label"] for item in texts} == {
        1033: "Volume",
        1036: "Livre",
    }


def test_it_leaves_navigations_out_when_not_expanded() -> None:
    served = entity_to_json(make_entity(), expand=False)
    assert not {"Attributes", "Keys", "OneToManyRelationships"} & set(served)
