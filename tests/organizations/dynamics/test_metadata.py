"""EntityDefinitions, option sets and relationships over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from organizations.catalog import define
from organizations.dynamics.codec import entity_from_json, entity_to_json
from organizations.dynamics.codec.attribute_types import PREFIX
from organizations.models import Organization
from tests.organizations.dynamics.differences import differences
from tests.organizations.dynamics.library import BOOK, ENTITIES, HOST, Api
from tests.organizations.dynamics.shared_data import definition

pytestmark = pytest.mark.django_db
BOOKS = "EntityDefinitions(LogicalName='book')"
NAVIGATIONS = (
    "Attributes",
    "Keys",
    *(f"{a}To{b}Relationships" for a, b in (("One", "Many"), ("Many", "One"), ("Many", "Many"))),
)
IGNORED = {
    ".@odata.context": "names the answer's own address, not a property of the entity",
}


def test_it_lists_entities(api: Api) -> None:
    document = api.get("EntityDefinitions?$select=LogicalName,EntitySetName&$count=true")
    context = f"{HOST}{api.root}$metadata#EntityDefinitions(LogicalName,EntitySetName)"
    assert document["@odata.context"] == context
    assert document["@odata.count"] == len(ENTITIES)
    assert {item["LogicalName"] for item in document["value"]} == {e.name for e in ENTITIES}
    keys = {"LogicalName", "EntitySetName", "MetadataId"}
    assert all(set(item) == keys for item in document["value"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ChangeTrackingEnabled eq true", ["book", "bookshelf"]),
        ("LogicalName eq 'Book'", ["book"]),
        ("IsIntersect eq true and ChangeTrackingEnabled eq true", ["bookshelf"]),
        ("not (IsActivity eq false) or LogicalName eq 'shelf'", ["appointment", "shelf"]),
        ("OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'None'", []),
        ("CanCreateAttributes/Value eq false", []),
        ("startswith(LogicalName,'book') and IsIntersect ne true", ["book"]),
        ("LogicalName in ('book','shelf')", ["book", "shelf"]),
        ("ObjectTypeCode gt 5", []),
        ("PrimaryNameAttribute eq null", ["activityparty", "bookshelf"]),
    ],
)
def test_it_filters_entities(api: Api, text: str, found: list[str]) -> None:
    rows = api.rows(f"EntityDefinitions?$select=LogicalName&$filter={text}")
    assert sorted(row["LogicalName"] for row in rows) == found


def test_one_entity_is_found_by_name_and_id(api: Api) -> None:
    document = api.get(BOOKS)
    assert document["@odata.context"].endswith("$metadata#EntityDefinitions/$entity")
    assert document["LogicalName"] == "book"
    assert "Attributes" not in document
    assert document["DisplayName"]["UserLocalizedLabel"]["Label"] == "Book"
    again = api.get(f"EntityDefinitions({document['MetadataId']})?$select=LogicalName")
    assert again["LogicalName"] == "book"


def test_a_hidden_or_unknown_entity_is_404(api: Api) -> None:
    for key in ("LogicalName='nothing'", "11111111-1111-4111-8111-111111111111"):
        assert api.fails(f"EntityDefinitions({key})") == (
            404,
            "0x80060888",
            "Could not find an entity with specified entity key.",
        )


def test_expanded_attributes_come_without_their_option_sets(api: Api) -> None:
    path = f"{BOOKS}?$select=LogicalName&$expand=Attributes($select=LogicalName,AttributeType)"
    document = api.get(path)
    assert {a["LogicalName"] for a in document["Attributes"]} == {a.name for a in BOOK.attributes}
    kind = next(a for a in document["Attributes"] if a["LogicalName"] == "kind")
    assert kind["@odata.type"] == f"{PREFIX}PicklistAttributeMetadata"
    assert set(kind) == {"@odata.type", "MetadataId", "LogicalName", "AttributeType"}
    assert all("OptionSet" not in a for a in api.rows(f"{BOOKS}/Attributes"))


def test_an_expand_may_filter(api: Api) -> None:
    inner = "AttributeType eq Microsoft.Dynamics.CRM.AttributeTypeCode'Picklist'"
    path = f"{BOOKS}?$expand=Attributes($select=LogicalName;$filter={inner}),Keys"
    document = api.get(path)
    assert [a["LogicalName"] for a in document["Attributes"]] == ["kind"]
    assert document["Keys"][0]["KeyAttributes"] == ["isbn"]


@pytest.mark.parametrize(
    ("cast", "found"),
    [
        ("Picklist", ["kind"]),
        ("MultiSelectPicklist", ["moods"]),
        ("State", ["statecode"]),
        ("Status", ["statuscode"]),
        ("Boolean", ["lent"]),
        ("Lookup", ["writerid", "editorid"]),
        ("UniqueIdentifier", ["bookid"]),
        ("Money", ["price"]),
        ("File", []),
    ],
)
def test_casts_select_attributes_by_type(api: Api, cast: str, found: list[str]) -> None:
    rows = api.rows(f"{BOOKS}/Attributes/Microsoft.Dynamics.CRM.{cast}AttributeMetadata")
    assert [row["LogicalName"] for row in rows] == found


def test_a_cast_may_expand_option_sets(api: Api) -> None:
    cast = f"{BOOKS}/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    expand = "$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)"
    (kind,) = api.rows(f"{cast}?$select=LogicalName&{expand}")
    assert [o["Value"] for o in kind["OptionSet"]["Options"]] == [1, 2]
    assert set(kind["GlobalOptionSet"]) == {"MetadataId", "Options"}
    cast = f"{BOOKS}/Attributes/Microsoft.Dynamics.CRM.StatusAttributeMetadata"
    (status,) = api.rows(f"{cast}?$select=LogicalName&{expand}")
    assert status["GlobalOptionSet"] is None
    assert [o["State"] for o in status["OptionSet"]["Options"]] == [0, 1]


def test_one_attribute_is_found_by_name_and_id(api: Api) -> None:
    path = f"{BOOKS}/Attributes(LogicalName='lent')"
    lent = api.get(path)
    assert lent["AttributeType"] == "Boolean"
    assert api.get(f"{BOOKS}/Attributes({lent['MetadataId']})")["LogicalName"] == "lent"
    cast = f"{path}/Microsoft.Dynamics.CRM.BooleanAttributeMetadata"
    expanded = api.get(f"{cast}?$expand=OptionSet")
    assert expanded["OptionSet"]["TrueOption"]["Value"] == 1
    assert api.get(f"{cast}/OptionSet")["FalseOption"]["Value"] == 0
    assert api.fails(f"{BOOKS}/Attributes(LogicalName='x')")[1] == "0x80060888"
    wrong = f"{path}/Microsoft.Dynamics.CRM.StringAttributeMetadata"
    assert api.fails(wrong)[1] == "0x80060888"


def test_labels_can_be_limited_to_languages(api: Api) -> None:
    path = f"{BOOKS}/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    (kind,) = api.rows(f"{path}?$expand=OptionSet&LabelLanguages=1031")
    labels = kind["OptionSet"]["Options"][0]["Label"]["LocalizedLabels"]
    assert [item["Label"] for item in labels] == ["Novel (de)"]


def test_keys_and_relationships_are_listed(api: Api) -> None:
    (key,) = api.rows(f"{BOOKS}/Keys?$select=SchemaName,KeyAttributes,EntityKeyIndexStatus")
    assert (key["KeyAttributes"], key["EntityKeyIndexStatus"]) == (["isbn"], "Active")
    rows = api.rows(f"{BOOKS}/ManyToOneRelationships")
    assert {row["ReferencingEntityNavigationPropertyName"] for row in rows} == {
        "writerid_author",
        "writerid_company",
        "EditorId",
    }
    (pairs,) = api.rows(f"{BOOKS}/ManyToManyRelationships")
    assert pairs["IntersectEntityName"] == "bookshelf"
    assert api.rows(f"{BOOKS}/OneToManyRelationships") == []
    named = f"{BOOKS}/ManyToOneRelationships(SchemaName='author_books')"
    assert api.get(named)["ReferencedEntity"] == "author"


def test_relationship_definitions_hold_both_kinds(api: Api) -> None:
    rows = api.rows("RelationshipDefinitions")
    assert len(rows) == 4
    assert all(row["@odata.type"].endswith("RelationshipMetadata") for row in rows)
    kind = "RelationshipType eq Microsoft.Dynamics.CRM.RelationshipType'ManyToManyRelationship'"
    cast = "Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata"
    for path in (f"RelationshipDefinitions?$filter={kind}", f"RelationshipDefinitions/{cast}"):
        assert [row["SchemaName"] for row in api.rows(path)] == ["book_shelf_association"]
    one = api.get("RelationshipDefinitions(SchemaName='author_edited')")
    assert one["ReferencingAttribute"] == "editorid"
    assert api.get(f"RelationshipDefinitions({one['MetadataId']})") == one


def test_global_option_sets_are_listed(api: Api) -> None:
    (listed,) = api.rows("GlobalOptionSetDefinitions")
    assert listed["Name"] == "kinds"
    assert "Options" not in listed
    cast = "GlobalOptionSetDefinitions/Microsoft.Dynamics.CRM.OptionSetMetadata"
    assert len(api.rows(cast)[0]["Options"]) == 2
    single = api.get("GlobalOptionSetDefinitions(Name='kinds')")
    assert [o["Value"] for o in single["Options"]] == [1, 2]
    assert api.fails("GlobalOptionSetDefinitions(Name='x')")[0] == 404


def test_a_property_of_an_entity_can_be_read_alone(api: Api) -> None:
    assert api.get(f"{BOOKS}/EntitySetName")["value"] == "books"
    assert api.get(f"{BOOKS}/DisplayName")["LocalizedLabels"]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("EntityDefinitions?$select=X", 400, "property named 'X' on type"),
        ("EntityDefinitions?$filter=X eq 1", 400, "property named 'X'"),
        ("EntityDefinitions?$filter=LogicalName add 1 eq 2", 400, "not supported: BinOp"),
        ("EntityDefinitions?$orderby=LogicalName", 400, "$orderby is not supported"),
        ("EntityDefinitions?$expand=X", 404, "'X'"),
        ("EntityDefinitions?$expand=Attributes(", 400, "Syntax error in $expand"),
        ("EntityDefinitions?$expand=(x)", 400, "Syntax error in $expand"),
        ("EntityDefinitions/Attributes", 404, "Attributes"),
        (f"{BOOKS}/X", 404, "'X'"),
        (f"{BOOKS}/Attributes/Microsoft.Dynamics.CRM.EnumAttributeMetadata", 404, "Enum"),
        (f"{BOOKS}/Keys/Microsoft.Dynamics.CRM.EnumAttributeMetadata", 404, "Enum"),
        ("RelationshipDefinitions/x", 404, "'x'"),
    ],
)
def test_it_refuses_what_it_cannot_mean(api: Api, path: str, status: int, message: str) -> None:
    found = api.fails(path)
    assert found[0] == status
    assert message in found[2]


def served(api: Api, name: str) -> dict[str, Any]:
    """Put together what the twin serves of an entity, as a client does: casts for option sets."""
    path = f"EntityDefinitions(LogicalName='{name}')"
    document = api.get(f"{path}?$expand={','.join(NAVIGATIONS)}")
    sets: dict[str, Any] = {}
    for cast in ("Picklist", "MultiSelectPicklist", "State", "Status", "Boolean", "EntityName"):
        full = f"{path}/Attributes/Microsoft.Dynamics.CRM.{cast}AttributeMetadata"
        for row in api.rows(f"{full}?$select=LogicalName&$expand=OptionSet"):
            sets[row["LogicalName"]] = row["OptionSet"]
    for attribute in document["Attributes"]:
        if attribute["LogicalName"] in sets:
            attribute["OptionSet"] = sets[attribute["LogicalName"]]
    return document  # type: ignore[no-any-return]


def test_real_metadata_are_served_without_loss(api: Api) -> None:
    raw = definition("lead")
    api.twin.language = 1030
    api.twin.save()
    define(api.twin, [entity_from_json(raw)])
    assert set(differences(raw, served(api, "lead"))) == set(IGNORED)
    assert Organization.objects.get(pk=api.twin.pk).language == 1030


def test_what_is_served_reads_as_what_was_defined(api: Api) -> None:
    again = entity_from_json(served(api, "book"))
    assert entity_to_json(again) == entity_to_json(BOOK)
