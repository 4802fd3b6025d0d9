"""`RetrieveMetadataChanges`: queries, stamps, what changed and what is gone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from organizations.catalog import define, drop, enable, hide, remove_attributes
from organizations.schema import Attribute, AttributeType, Entity, Label
from tests.organizations.dynamics.library import (
    AUTHOR,
    BOOK,
    BOOKSHELF,
    ENTITIES,
    SHELF,
    SHELVED,
    Api,
    key,
    text,
)

pytestmark = pytest.mark.django_db
ALL = "Microsoft.Dynamics.CRM.DeletedMetadataFilters'All'"
NAMES = ["LogicalName", "Attributes", "OneToManyRelationships"]
RELATIONSHIPS = "ManyToManyRelationships"


def named(name: str, operator: str = "Equals") -> dict[str, Any]:
    value = {"Type": "System.String", "Value": name}
    return {"PropertyName": "LogicalName", "ConditionOperator": operator, "Value": value}


def criteria(*conditions: dict[str, Any], operator: str = "And") -> dict[str, Any]:
    return {"FilterOperator": operator, "Conditions": list(conditions)}


def ask(query: dict[str, Any] | None = None, stamp: str = "", filters: str = "") -> str:
    """Return the path of a request; without a query everything changed is asked for."""
    asked = {"Properties": {"AllProperties": True}} if query is None else query
    inside, aliases = "Query=@p1", [f"@p1={quote(json.dumps(asked))}"]
    if stamp:
        inside += ",ClientVersionStamp=@p2"
        aliases.append(f"@p2='{quote(stamp)}'")
    if filters:
        inside += ",DeletedMetadataFilters=@p3"
        aliases.append(f"@p3={filters}")
    return f"RetrieveMetadataChanges({inside})?{'&'.join(aliases)}"


def entities(answer: dict[str, Any]) -> dict[str, Any]:
    return {item["LogicalName"]: item for item in answer["EntityMetadata"]}


def attributes(entity: dict[str, Any]) -> dict[str, Any]:
    return {item["LogicalName"]: item for item in entity["Attributes"]}


def deleted(answer: dict[str, Any]) -> dict[str, list[str]]:
    found = answer["DeletedMetadata"]
    assert found["Count"] == len(found["Keys"]) == len(found["Values"])
    return {
        name: value["Items"] for name, value in zip(found["Keys"], found["Values"], strict=True)
    }


def stamp_of(api: Api) -> str:
    query = {"Properties": {"PropertyNames": ["LogicalName"]}}
    return str(api.get(ask(query))["ServerVersionStamp"])


def test_a_first_answer_holds_what_was_asked_for(api: Api) -> None:
    query = {
        "Properties": {"AllProperties": False, "PropertyNames": NAMES},
        "Criteria": criteria(named("book")),
        "AttributeQuery": {
            "Properties": {"PropertyNames": ["MaxLength", "OptionSet"]},
            "Criteria": criteria(named("name"), named("kind"), operator="Or"),
        },
    }
    answer = api.get(ask(query))
    assert answer["@odata.context"].endswith(
        "$metadata#Microsoft.Dynamics.CRM.RetrieveMetadataChangesResponse"
    )
    assert re.match(r"\d+!\d\d/\d\d/\d{4} \d\d:\d\d:\d\d$", answer["ServerVersionStamp"])
    assert answer["DeletedMetadata"] == {
        "Count": 0,
        "IsReadOnly": False,
        "Keys": [],
        "Values": [],
    }
    (book,) = answer["EntityMetadata"]
    assert (book["LogicalName"], book["SchemaName"]) == ("book", "Book")
    assert book["HasChanged"] is None
    assert book["EntitySetName"] is None
    assert book["OneToManyRelationships"] == []
    assert book["ManyToManyRelationships"] is None
    found = attributes(book)
    assert set(found) == {"name", "kind"}
    assert found["name"]["@odata.type"] == "#Microsoft.Dynamics.CRM.ComplexStringAttributeMetadata"
    assert found["name"]["MaxLength"] == 100
    assert found["name"]["DisplayName"] is None
    assert [o["Value"] for o in found["kind"]["OptionSet"]["Options"]] == [1, 2]


def test_a_query_may_ask_for_everything(api: Api) -> None:
    found = entities(api.get(ask()))
    assert set(found) == {entity.name for entity in ENTITIES}
    book = found["book"]
    assert book["EntitySetName"] == "books"
    assert len(book["Attributes"]) == len(BOOK.attributes)
    assert book["Keys"][0]["KeyAttributes"] == ["isbn"]
    assert book["ManyToOneRelationships"]
    lookup = attributes(book)["bookid"]
    assert "@odata.type" not in lookup


def test_without_a_query_only_names_are_told(api: Api) -> None:
    answer = api.get("RetrieveMetadataChanges()")
    book = entities(answer)["book"]
    told = {name for name, value in book.items() if value is not None}
    assert told == {"LogicalName", "SchemaName", "MetadataId"}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (named("book", "NotEquals"), {e.name for e in ENTITIES} - {"book"}),
        (
            {
                "PropertyName": "LogicalName",
                "ConditionOperator": "In",
                "Value": {"Type": "System.String[]", "Value": "['book','shelf']"},
            },
            {"book", "shelf"},
        ),
        (
            {
                "PropertyName": "LogicalName",
                "ConditionOperator": "NotIn",
                "Value": ["book", "shelf", "author", "company", "activityparty", "appointment"],
            },
            {"bookshelf"},
        ),
        (
            {
                "PropertyName": "IsIntersect",
                "ConditionOperator": "Equals",
                "Value": {"Type": "System.Boolean", "Value": "true"},
            },
            {"bookshelf"},
        ),
        (
            {
                "PropertyName": "CanCreateAttributes",
                "ConditionOperator": 1,
                "Value": {"Type": "System.Boolean", "Value": "True"},
            },
            set(),
        ),
        (
            {
                "PropertyName": "ActivityTypeMask",
                "ConditionOperator": "GreaterThan",
                "Value": {"Type": "System.Int32", "Value": "0"},
            },
            {"appointment"},
        ),
    ],
)
def test_criteria_choose_entities(api: Api, condition: dict[str, Any], found: set[str]) -> None:
    query = {"Properties": {"PropertyNames": []}, "Criteria": criteria(condition)}
    assert set(entities(api.get(ask(query)))) == found


def test_filters_may_be_nested(api: Api) -> None:
    inner = criteria(named("book"), named("shelf"), operator="Or")
    outer = {"Conditions": [named("book", "NotEquals")], "Filters": [inner]}
    assert set(entities(api.get(ask({"Criteria": outer})))) == {"shelf"}


def test_labels_may_be_limited_to_languages(api: Api) -> None:
    query = {
        "Properties": {"PropertyNames": ["DisplayName"]},
        "Criteria": criteria(named("book")),
        "LabelQuery": {"FilterLanguages": [1031], "MissingLabelBehavior": 0},
    }
    (book,) = api.get(ask(query))["EntityMetadata"]
    assert [item["Label"] for item in book["DisplayName"]["LocalizedLabels"]] == ["Buch"]


def test_nothing_changed_is_nothing_told(api: Api) -> None:
    answer = api.get(ask(stamp=stamp_of(api), filters=ALL))
    assert answer["EntityMetadata"] == []
    assert answer["DeletedMetadata"]["Count"] == 0


def test_only_what_changed_is_told(api: Api) -> None:
    before = stamp_of(api)
    longer = tuple(
        replace(item, max_length=50) if item.name == "isbn" else item for item in BOOK.attributes
    )
    extra = Attribute(name="colour", type=AttributeType.STRING, max_length=10)
    define(api.twin, [replace(BOOK, attributes=(*longer, extra))])
    (book,) = api.get(ask(stamp=before))["EntityMetadata"]
    assert book["HasChanged"] is None
    found = attributes(book)
    assert set(found) == {"isbn", "colour"}
    assert all(item["HasChanged"] for item in found.values())
    assert book["Keys"] == []
    assert api.get(ask(stamp=stamp_of(api)))["EntityMetadata"] == []


def test_a_changed_label_is_told_of_its_entity(api: Api) -> None:
    before = stamp_of(api)
    define(api.twin, [replace(BOOK, label=Label.of({1033: "Volume"}))])
    (book,) = api.get(ask(stamp=before))["EntityMetadata"]
    assert book["HasChanged"] is True
    assert book["Attributes"] == []


def test_a_new_entity_is_told_in_full(api: Api) -> None:
    before = stamp_of(api)
    define(api.twin, [Entity(name="leaf", primary_id="leafid", attributes=(key("leafid"), text()))])
    (leaf,) = api.get(ask(stamp=before))["EntityMetadata"]
    assert leaf["HasChanged"] is True
    assert {item["LogicalName"] for item in leaf["Attributes"]} == {"leafid", "name"}


def test_deleted_elements_are_told_by_their_ids(api: Api) -> None:
    shelf = api.get("EntityDefinitions(LogicalName='shelf')")
    pairs = api.get("RelationshipDefinitions(SchemaName='book_shelf_association')")
    isbn = api.get("EntityDefinitions(LogicalName='book')/Attributes(LogicalName='summary')")
    before = stamp_of(api)
    drop(api.twin, "shelf")
    remove_attributes(api.twin, "book", ["summary"])
    found = deleted(api.get(ask(stamp=before, filters=ALL)))
    assert found["Entity"] == [shelf["MetadataId"]]
    assert isbn["MetadataId"] in found["Attribute"]
    # The book still knows the relationship.
    assert "Relationship" not in found
    for entity in (BOOK, BOOKSHELF):
        define(api.twin, [replace(entity, relationships=())])
    found = deleted(api.get(ask(stamp=before, filters=ALL)))
    assert pairs["MetadataId"] in found["Relationship"]
    only = deleted(api.get(ask(stamp=before)))
    assert set(only) == {"Entity"}
    flags = deleted(api.get(ask(stamp=before, filters="3")))
    assert set(flags) == {"Entity", "Attribute"}
    named = "Microsoft.Dynamics.CRM.DeletedMetadataFilters'Attribute,OptionSet'"
    assert set(deleted(api.get(ask(stamp=before, filters=named)))) == {"Attribute"}
    assert deleted(api.get(ask(stamp=stamp_of(api), filters=ALL))) == {}


def test_the_option_set_of_a_removed_attribute_is_told(api: Api) -> None:
    before = stamp_of(api)
    remove_attributes(api.twin, "book", ["moods"])
    found = deleted(api.get(ask(stamp=before, filters=ALL)))
    assert len(found["OptionSet"]) == 1


def test_a_hidden_entity_is_gone_until_it_is_shown(api: Api) -> None:
    before = stamp_of(api)
    hide(api.twin, ["shelf"])
    assert len(deleted(api.get(ask(stamp=before)))["Entity"]) == 1
    enable(api.twin, ["shelf"])
    answer = api.get(ask(stamp=before, filters=ALL))
    assert deleted(answer) == {}
    assert set(entities(answer)) == {"shelf"}


def test_an_element_that_is_back_is_not_deleted(api: Api) -> None:
    before = stamp_of(api)
    define(api.twin, [replace(AUTHOR, attributes=AUTHOR.attributes[:1])])
    assert "Attribute" in deleted(api.get(ask(stamp=before, filters=ALL)))
    define(api.twin, [AUTHOR])
    assert deleted(api.get(ask(stamp=before, filters=ALL))) == {}


def test_a_data_answer_tells_the_metadata_version(api: Api) -> None:
    name = "@Microsoft.Dynamics.CRM.globalmetadataversion"
    annotated = 'odata.include-annotations="*"'
    before = api.get("books", annotated)[name]
    assert before == api.get("books", annotated)[name]
    define(api.twin, [replace(SHELF, label=Label.of({1033: "Rack"}), relationships=(SHELVED,))])
    assert api.get("books", annotated)[name] != before


def counted(text: str) -> dict[str, Any]:
    return named("x") | {"Value": {"Type": "System.Int32", "Value": text}}


def make_stamp(api: Api, **age: int) -> str:
    number = stamp_of(api).partition("!")[0]
    moment = datetime.now(UTC) - timedelta(**age)
    return f"{number}!{moment:%m/%d/%Y %H:%M:%S}"


def test_an_old_stamp_has_expired(api: Api) -> None:
    assert api.get(ask(stamp=make_stamp(api, days=89)))["EntityMetadata"] == []
    expected = (
        400,
        "0x80044352",
        "Version stamp associated with the client has expired. Please perform a full sync.",
    )
    assert api.fails(ask(stamp=make_stamp(api, days=91))) == expected
    api.twin.metadata_stamp_days = 1
    api.twin.save()
    assert api.fails(ask(stamp=make_stamp(api, days=2))) == expected


def test_a_stamp_of_the_future_has_expired(api: Api) -> None:
    number, _, moment = stamp_of(api).partition("!")
    assert api.fails(ask(stamp=f"{int(number) + 1}!{moment}"))[1] == "0x80044352"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (ask(stamp="yesterday"), "is not a version stamp"),
        (ask(stamp="1!99/99/2024 00:00:00"), "holds no time"),
        (ask(filters="Colour", stamp="1!01/01/2024 00:00:00"), "has expired"),
        (ask(filters="Colour"), "'Colour' is not one of Entity"),
        ("RetrieveMetadataChanges(Query=@p1)?@p1={", "Query is not JSON"),
        ("RetrieveMetadataChanges(Query=@p1)?@p1=[]", "must be an EntityQueryExpression"),
        (ask({"Criteria": {"FilterOperator": "Xor"}}), "neither And nor Or"),
        (ask({"Criteria": {"Conditions": [{}]}}), "needs a PropertyName"),
        (ask({"Criteria": criteria(named("x", "Like"))}), "'Like' is not one of Equals"),
        (ask({"Criteria": criteria(named("[x", "In"))}), "is not JSON"),
        (
            ask(
                {
                    "Criteria": criteria(
                        named("x") | {"Value": {"Type": "System.Int32", "Value": "x"}}
                    )
                }
            ),
            "not a whole number",
        ),
        (
            ask({"Criteria": criteria(named("x", "GreaterThan") | {"Value": 5})}),
            "cannot be compared",
        ),
        (ask({"Properties": {"PropertyNames": "all"}}), "must be a list"),
        (ask({"AttributeQuery": 5}), "AttributeQuery must be a JSON object"),
    ],
)
def test_it_says_what_is_wrong_with_a_query(api: Api, path: str, message: str) -> None:
    status, code, said = api.fails(path)
    assert status == 400
    assert code in ("0x80040203", "0x80044352")
    assert message in said
