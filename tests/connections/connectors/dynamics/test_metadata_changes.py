"""RetrieveMetadataChanges: what is asked, what is understood, and what happens without it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
import pytest

from connections.connectors.dynamics import metadata
from connections.connectors.facts import DefinitionChanges
from connections.errors import Refused, UnknownEntity
from organizations.schema import AttributeType
from tests.fakes.dataverse import connected, failed, told
from tests.fakes.server import Answer, Request

FUNCTION = "GET RetrieveMetadataChanges(Query=@p1)"
SINCE = "GET RetrieveMetadataChanges(Query=@p1,ClientVersionStamp=@p2,DeletedMetadataFilters=@p3)"
STAMP = "74812162!10/09/2022 22:10:22"
CRM = "#Microsoft.Dynamics.CRM."


def make_answer(*entities: dict[str, Any], deleted: dict[str, list[str]] | None = None) -> Answer:
    gone = deleted or {}
    values = [{"Count": len(ids), "IsReadOnly": False, "Items": ids} for ids in gone.values()]
    return told(
        {
            "ServerVersionStamp": STAMP,
            "DeletedMetadata": {
                "Count": len(gone),
                "IsReadOnly": False,
                "Keys": list(gone),
                "Values": values,
            },
            "EntityMetadata": list(entities),
        }
    )


def make_entity(name: str) -> dict[str, Any]:
    """As the function gives it: complex types, and null for what does not apply."""
    options = [{"Value": 1, "Label": {"LocalizedLabels": []}, "Color": None}]
    attributes = [
        {
            "@odata.type": f"{CRM}ComplexAttributeMetadata",
            "LogicalName": f"{name}id",
            "AttributeType": "Uniqueidentifier",
            "AttributeTypeName": {"Value": "UniqueidentifierType"},
            "IsValidForRead": True,
        },
        {
            "@odata.type": f"{CRM}ComplexPicklistAttributeMetadata",
            "LogicalName": "size",
            "AttributeType": "Picklist",
            "AttributeTypeName": {"Value": "PicklistType"},
            "IsValidForRead": True,
            "OptionSet": {"Name": "sizes", "IsGlobal": True, "Options": options},
        },
        {
            "@odata.type": f"{CRM}ComplexMultiSelectPicklistAttributeMetadata",
            "LogicalName": "tags",
            "AttributeType": "Virtual",
            "AttributeTypeName": {"Value": "MultiSelectPicklistType"},
            "IsValidForRead": True,
            "OptionSet": {"Name": "tags", "IsGlobal": False, "Options": options},
        },
    ]
    pair = {
        "@odata.type": f"{CRM}ComplexManyToManyRelationshipMetadata",
        "SchemaName": f"{name}_tag",
        "Entity1LogicalName": name,
        "Entity1IntersectAttribute": f"{name}id",
        "Entity2LogicalName": "tag",
        "Entity2IntersectAttribute": "tagid",
        "IntersectEntityName": f"{name}tags",
    }
    key = {"LogicalName": "by_size", "SchemaName": "by_size", "KeyAttributes": ["size"]}
    return {
        "LogicalName": name,
        "PrimaryIdAttribute": f"{name}id",
        "EntitySetName": f"{name}s",
        "Attributes": attributes,
        "Keys": [key],
        "OneToManyRelationships": None,
        "ManyToManyRelationships": [pair],
    }


def asked_for(request: Request) -> list[str]:
    """Return the names in the criteria of a request."""
    query = orjson.loads(parse_qs(urlsplit(request.target).query)["@p1"][0])
    return [item["Value"]["Value"] for item in query["Criteria"]["Conditions"]]


def test_it_reads_several_entities_in_full_with_one_request() -> None:
    answers = {FUNCTION: [make_answer(make_entity("b"), make_entity("a"))]}
    with connected(answers) as (fake, connector):
        found = list(connector.describe(["a", "b"]))
    (request,) = fake.asked
    assert request.headers["consistency"] == "Strong"
    query = orjson.loads(parse_qs(urlsplit(request.target).query)["@p1"][0])
    everything = {"Properties": {"AllProperties": True}}
    assert query["Properties"] == everything["Properties"]
    assert [query[f"{part}Query"] for part in ("Attribute", "Relationship", "Key")] == [
        everything
    ] * 3
    assert "LabelQuery" not in query, "labels come in all languages"
    assert asked_for(request) == ["a", "b"]
    assert [entity.name for entity in found] == ["a", "b"]
    size, tags = (found[0].attribute(name) for name in ("size", "tags"))
    assert size is not None
    assert size.option_set is not None
    assert (size.option_set.is_global, size.option_set.options[0].value) == (True, 1)
    assert tags is not None
    assert tags.type is AttributeType.MULTISELECT
    assert found[0].many_to_many[0].intersect_entity == "atags"
    assert found[0].keys[0].attributes == ("size",)
    assert all("@odata.type" not in item.extras for item in found[0].attributes)


def test_portions_follow_the_size_of_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"e{number}" for number in range(8)]
    first = make_answer(*map(make_entity, names[:4]))
    monkeypatch.setattr(metadata, "WANTED_BYTES", len(first.body) * 6 // 10)
    answers = {
        FUNCTION: [
            first,
            make_answer(*map(make_entity, names[4:6])),
            make_answer(*map(make_entity, names[6:])),
        ]
    }
    with connected(answers) as (fake, connector):
        assert [entity.name for entity in connector.describe(names)] == names
    assert [len(asked_for(request)) for request in fake.asked] == [4, 2, 2]


def test_an_entity_that_is_not_among_those_found_is_unknown() -> None:
    answers = {FUNCTION: [make_answer(make_entity("a"))]}
    with connected(answers) as (_, connector), pytest.raises(UnknownEntity, match="no entity 'b'"):
        list(connector.describe(["a", "b"]))


def test_the_first_stamp_says_that_everything_is_to_be_read() -> None:
    with connected({FUNCTION: [make_answer()]}) as (fake, connector):
        assert connector.definition_changes("") == DefinitionChanges(
            stamp=STAMP, is_everything=True
        )
    assert len(fake.asked) == 1


def test_it_understands_what_changed_and_what_is_gone() -> None:
    gone = {"Attribute": ["AAAA-1"], "OptionSet": ["bbbb-2"]}
    answers = {SINCE: [make_answer({"LogicalName": "account"}, deleted=gone)]}
    with connected(answers) as (fake, connector):
        found = connector.definition_changes("1'2!3")
    assert found == DefinitionChanges(
        stamp=STAMP,
        entities=frozenset({"account"}),
        deleted=frozenset({"aaaa-1", "bbbb-2"}),
    )
    values = parse_qs(urlsplit(fake.asked[0].target).query)
    assert values["@p2"] == ["'1''2!3'"]
    assert values["@p3"] == ["Microsoft.Dynamics.CRM.DeletedMetadataFilters'All'"]
    query = orjson.loads(values["@p1"][0])
    assert "OptionSet" in query["AttributeQuery"]["Properties"]["PropertyNames"]
    assert query["Properties"]["AllProperties"] is False


def test_no_change_is_nothing() -> None:
    with connected({SINCE: [make_answer()]}) as (_, connector):
        found = connector.definition_changes(STAMP)
    assert found is not None
    assert found.is_nothing


def test_an_expired_stamp_means_everything() -> None:
    expired = failed("0x80044352", "Version stamp associated with the client has expired.")
    with connected({SINCE: [expired], FUNCTION: [make_answer()]}) as (fake, connector):
        found = connector.definition_changes(STAMP)
    assert found == DefinitionChanges(stamp=STAMP, is_everything=True)
    assert len(fake.asked) == 2


@pytest.mark.parametrize("status", [404, 501])
def test_it_goes_by_plain_definitions_where_there_is_no_such_function(status: int) -> None:
    answers = {
        FUNCTION: [Answer(status)],
        "GET EntityDefinitions(LogicalName='a')": [
            told({"LogicalName": "a", "PrimaryIdAttribute": "aid", "Attributes": []})
        ],
    }
    with connected(answers) as (fake, connector):
        assert connector.definition_changes("") is None
        assert [entity.name for entity in connector.describe(["a"])] == ["a"]
    assert [unquote(request.path).rsplit("/", 1)[1][:8] for request in fake.asked] == [
        "Retrieve",
        "EntityDe",
    ]


def test_another_error_is_told() -> None:
    answers = {FUNCTION: [failed("0x80040203", "The query is wrong.")]}
    with connected(answers) as (_, connector), pytest.raises(Refused, match="The query is wrong"):
        list(connector.describe(["a"]))
