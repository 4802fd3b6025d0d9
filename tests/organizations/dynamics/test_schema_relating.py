"""Metadata writes: relationships, global option sets, options, publishing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.organizations.dynamics.library import Api
from tests.organizations.dynamics.test_metadata_changes import ALL, ask, deleted, entities, stamp_of
from tests.organizations.dynamics.test_schema_writing import (
    CRM,
    WIDGET,
    attributes,
    column,
    done,
    label,
    post,
    table,
)

pytestmark = pytest.mark.django_db
ONE = f"{CRM}OneToManyRelationshipMetadata"
MANY = f"{CRM}ManyToManyRelationshipMetadata"
SHADES = "GlobalOptionSetDefinitions(Name='new_shades')"


@pytest.fixture
def widget(api: Api) -> str:
    return post(api, "EntityDefinitions", table())


def one(name: str = "new_shelf_widget", **more: Any) -> dict[str, Any]:
    return {
        "@odata.type": ONE,
        "SchemaName": name,
        "ReferencedEntity": "shelf",
        "ReferencedAttribute": "shelfid",
        "ReferencingEntity": "new_widget",
        "CascadeConfiguration": {"Assign": "NoCascade", "Delete": "RemoveLink"},
        "AssociatedMenuConfiguration": {"Behavior": "UseLabel", "Group": "Sales", "Order": 10000},
        "Lookup": column("new_ShelfId", "Lookup"),
        **more,
    }


def many(name: str = "new_shelf_widget_nn", **more: Any) -> dict[str, Any]:
    return {
        "@odata.type": MANY,
        "SchemaName": name,
        "IntersectEntityName": name,
        "Entity1LogicalName": "shelf",
        "Entity2LogicalName": "new_widget",
        **more,
    }


def shades(**more: Any) -> dict[str, Any]:
    options = [{"Value": 1, "Label": label("Light")}, {"Value": 2, "Label": label("Dark")}]
    return {
        "@odata.type": f"{CRM}OptionSetMetadata",
        "Name": "new_shades",
        "DisplayName": label("Shades"),
        "IsGlobal": True,
        "OptionSetType": "Picklist",
        "Options": options,
        **more,
    }


def test_a_relationship_brings_its_lookup(api: Api, widget: str) -> None:
    made = post(api, "RelationshipDefinitions", one())
    found = api.get(f"RelationshipDefinitions({made})/{ONE}")
    assert found["ReferencingAttribute"] == "new_shelfid"
    assert found["ReferencingEntityNavigationPropertyName"] == "new_ShelfId"
    assert found["ReferencedEntityNavigationPropertyName"] == "new_shelf_widget"
    assert found["CascadeConfiguration"]["Delete"] == "RemoveLink"
    assert found["CascadeConfiguration"]["Share"] == "NoCascade"
    assert found["IsCustomRelationship"] is True
    lookup = attributes(api)["new_shelfid"]
    assert lookup["Targets"] == ["shelf"]
    assert attributes(api)["new_shelfidname"]["AttributeOf"] == "new_shelfid"
    shelf = post_record(api, "shelves", {"name": "top"})
    body = {"new_name": "w", "new_ShelfId@odata.bind": f"/shelves({shelf})"}
    post_record(api, "new_widgets", body)
    (row,) = api.rows("new_widgets?$select=_new_shelfid_value")
    assert row["_new_shelfid_value"] == shelf
    names = api.rows("EntityDefinitions(LogicalName='shelf')/OneToManyRelationships")
    assert [item["SchemaName"] for item in names] == ["new_shelf_widget"]


def post_record(api: Api, path: str, body: dict[str, Any]) -> str:
    response = api.send("POST", path, body)
    assert response.status_code == 204, response.content
    return str(response["OData-EntityId"]).rpartition("(")[2].rstrip(")")


def test_an_entity_that_is_pointed_to_stays(api: Api, widget: str) -> None:
    post(api, "EntityDefinitions", table("new_Part"))
    post(api, "RelationshipDefinitions", one(ReferencedEntity="new_part"))
    part = "EntityDefinitions(LogicalName='new_part')"
    status, code, message = api.fails(part, "DELETE")
    assert (status, code) == (400, "0x8004f01f")
    assert "Entity(new_part)" in message
    assert "referenced by 1 other components" in message
    done(api, "DELETE", WIDGET)
    assert api.rows(f"{part}/OneToManyRelationships") == []
    done(api, "DELETE", part)


def test_a_removed_relationship_takes_its_lookup_along(api: Api, widget: str) -> None:
    made = post(api, "RelationshipDefinitions", one())
    done(api, "DELETE", f"RelationshipDefinitions({made})")
    assert not {"new_shelfid", "new_shelfidname"} & attributes(api).keys()
    assert api.fails(f"RelationshipDefinitions({made})")[0] == 404
    assert api.rows("EntityDefinitions(LogicalName='shelf')/OneToManyRelationships") == []


def test_a_removed_lookup_takes_its_relationship_along(api: Api, widget: str) -> None:
    made = post(api, "RelationshipDefinitions", one())
    done(api, "DELETE", f"{WIDGET}/Attributes(LogicalName='new_shelfid')")
    assert api.fails(f"RelationshipDefinitions({made})")[0] == 404


def test_pairs_have_an_intersect_entity(api: Api, widget: str) -> None:
    post(api, "RelationshipDefinitions", many())
    named = "RelationshipDefinitions(SchemaName='new_shelf_widget_nn')"
    found = api.get(named)
    assert found["@odata.type"] == f"#{MANY}"
    assert found["Entity1IntersectAttribute"] == "shelfid"
    assert found["Entity2IntersectAttribute"] == "new_widgetid"
    intersect = api.get("EntityDefinitions(LogicalName='new_shelf_widget_nn')")
    assert intersect["IsIntersect"] is True
    shelf = post_record(api, "shelves", {"name": "top"})
    made = post_record(api, "new_widgets", {"new_name": "w"})
    target = {"@odata.id": f"http://testserver{api.root}shelves({shelf})"}
    path = f"new_widgets({made})/new_shelf_widget_nn/$ref"
    assert api.send("POST", path, target).status_code == 204
    (pair,) = api.rows(intersect["EntitySetName"])
    assert (pair["shelfid"], pair["new_widgetid"]) == (shelf, made)
    done(api, "DELETE", named)
    assert api.fails("EntityDefinitions(LogicalName='new_shelf_widget_nn')")[0] == 404


def test_pairs_of_one_entity_have_two_columns(api: Api, widget: str) -> None:
    post(api, "RelationshipDefinitions", many(Entity1LogicalName="new_widget"))
    (found,) = api.rows(f"{WIDGET}/ManyToManyRelationships")
    assert found["Entity1IntersectAttribute"] == "new_widgetidone"
    assert found["Entity2IntersectAttribute"] == "new_widgetidtwo"


def test_the_pairs_of_a_deleted_entity_go(api: Api, widget: str) -> None:
    post(api, "RelationshipDefinitions", many())
    done(api, "DELETE", WIDGET)
    assert api.fails("EntityDefinitions(LogicalName='new_shelf_widget_nn')")[0] == 404
    names = api.rows("EntityDefinitions(LogicalName='shelf')/ManyToManyRelationships")
    assert [item["SchemaName"] for item in names] == ["book_shelf_association"]


def test_how_a_relationship_cascades_can_be_changed(api: Api, widget: str) -> None:
    post(api, "RelationshipDefinitions", one())
    path = "RelationshipDefinitions(SchemaName='new_shelf_widget')"
    whole = api.get(f"{path}/{ONE}")
    whole["CascadeConfiguration"]["Delete"] = "Cascade"
    done(api, "PUT", path, whole | {"ReferencedEntity": "book"})
    found = api.get(path)
    assert found["CascadeConfiguration"]["Delete"] == "Cascade"
    assert found["ReferencedEntity"] == "shelf"
    wrong = {"CascadeConfiguration": {"Delete": "Explode"}}
    assert "cannot be 'Explode'" in api.fails(path, "PUT", wrong)[2]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (one("ShelfWidget"), "0x80040203", "Invalid name for relationship"),
        (one(Lookup=None), "0x80040203", "needs a Lookup"),
        (one(ReferencedEntity="nothing"), "0x80041102", "'nothing' was not found"),
        (one(ReferencingEntity=None), "0x80040203", "needs 'ReferencingEntity'"),
        (one(Lookup=column("new_Name", "Lookup")), "0x80047013", "new_name already exists"),
        (one(Colour="red"), "0x80048d19", "'Colour' does not exist"),
        (one(**{"@odata.type": f"{CRM}Label"}), "0x80040203", "is not a type of relationships"),
        (many(Entity2LogicalName="nothing"), "0x80041102", "'nothing' was not found"),
        (many(IntersectEntityName="new_widget"), "0x80047010", "new_widget already exists"),
        (many(IntersectEntityName="pairs"), "0x80040203", "Invalid name for entity 'pairs'"),
    ],
)
def test_it_says_what_is_wrong_with_a_relationship(
    api: Api, widget: str, body: dict[str, Any], code: str, message: str
) -> None:
    status, found, said = api.fails("RelationshipDefinitions", "POST", body)
    assert (status, found) == (400, code)
    assert message in said


def test_a_relationship_is_made_once(api: Api, widget: str) -> None:
    post(api, "RelationshipDefinitions", one())
    again = one(Lookup=column("new_Other", "Lookup"))
    assert api.fails("RelationshipDefinitions", "POST", again)[1] == "0x80047010"


def test_a_standard_relationship_stays(api: Api) -> None:
    path = "RelationshipDefinitions(SchemaName='author_books')"
    assert api.fails(path, "DELETE")[:2] == (400, "0x8004700a")


def test_a_global_option_set_needs_no_attribute(api: Api, widget: str) -> None:
    made = post(api, "GlobalOptionSetDefinitions", shades())
    assert api.get(SHADES)["MetadataId"] == made
    bind = {"GlobalOptionSet@odata.bind": f"/GlobalOptionSetDefinitions({made})"}
    post(api, f"{WIDGET}/Attributes", column("new_Shade", "Picklist", **bind))
    named = column("new_Hue", "Picklist", OptionSet={"IsGlobal": True, "Name": "new_shades"})
    post(api, f"{WIDGET}/Attributes", named)
    cast = f"{CRM}PicklistAttributeMetadata"
    path = f"{WIDGET}/Attributes(LogicalName='new_shade')/{cast}?$expand=GlobalOptionSet"
    assert api.get(path)["GlobalOptionSet"]["MetadataId"] == made
    status, code, message = api.fails(SHADES, "DELETE")
    assert (status, code) == (400, "0x8004f01f")
    assert "referenced by 2" in message
    for name in ("new_shade", "new_hue"):
        done(api, "DELETE", f"{WIDGET}/Attributes(LogicalName='{name}')")
    before = stamp_of(api)
    done(api, "DELETE", SHADES)
    assert api.fails(SHADES)[0] == 404
    assert deleted(api.get(ask(stamp=before, filters=ALL)))["OptionSet"] == [made]


def test_a_global_option_set_is_renamed(api: Api) -> None:
    post(api, "GlobalOptionSetDefinitions", shades())
    body = api.get(SHADES) | {"DisplayName": label("Tones", _1031="Töne")}
    done(api, "PUT", SHADES, body)
    found = api.get(SHADES)
    texts = {t["LanguageCode"]: t["Label"] for t in found["DisplayName"]["LocalizedLabels"]}
    assert texts == {1033: "Tones", 1031: "Töne"}
    assert len(found["Options"]) == 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (shades(Name="shades"), "Invalid name for option set"),
        (shades(Name=None), "option set needs a Name"),
    ],
)
def test_it_says_what_is_wrong_with_an_option_set(
    api: Api, body: dict[str, Any], message: str
) -> None:
    assert message in api.fails("GlobalOptionSetDefinitions", "POST", body)[2]


def test_a_global_option_set_is_made_once(api: Api) -> None:
    post(api, "GlobalOptionSetDefinitions", shades())
    _, code, message = api.fails("GlobalOptionSetDefinitions", "POST", shades())
    assert code == "0x80047010"
    assert "not unique" in message


def test_a_bind_must_lead_to_an_option_set(api: Api, widget: str) -> None:
    for address, message in (("/books", "not the address"), ("/a(b=1)/c", "not the address")):
        body = column("new_S", "Picklist", **{"GlobalOptionSet@odata.bind": address})
        assert message in api.fails(f"{WIDGET}/Attributes", "POST", body)[2]


def values(api: Api, name: str) -> dict[int, str]:
    cast = f"{CRM}{'Status' if name == 'statuscode' else 'Picklist'}AttributeMetadata"
    path = f"EntityDefinitions(LogicalName='book')/Attributes(LogicalName='{name}')/{cast}"
    found = api.get(f"{path}?$expand=OptionSet")["OptionSet"]["Options"]
    return {item["Value"]: item["Label"]["UserLocalizedLabel"]["Label"] for item in found}


def act(api: Api, name: str, body: dict[str, Any]) -> Any:
    response = api.send("POST", name, body)
    assert response.status_code in (200, 204), response.content
    return json.loads(response.content) if response.content else None


def test_options_of_a_global_set_are_changed_everywhere(api: Api) -> None:
    given = {"OptionSetName": "kinds"}
    told = act(api, "InsertOptionValue", given | {"Label": label("Essay")})
    assert told["NewOptionValue"] == 100_000_000
    told = act(api, "InsertOptionValue", given | {"Value": 9, "Label": label("Play")})
    assert told["@odata.context"].endswith(
        "$metadata#Microsoft.Dynamics.CRM.InsertOptionValueResponse"
    )
    assert told["NewOptionValue"] == 9
    act(api, "UpdateOptionValue", given | {"Value": 1, "Label": label("Tale"), "MergeLabels": True})
    act(api, "DeleteOptionValue", given | {"Value": 2})
    assert values(api, "kind") == {1: "Tale", 100_000_000: "Essay", 9: "Play"}
    act(api, "OrderOption", given | {"Values": [9, 1, 100_000_000]})
    assert list(values(api, "kind")) == [9, 1, 100_000_000]
    first = api.get("GlobalOptionSetDefinitions(Name='kinds')")["Options"][1]
    texts = {t["LanguageCode"]: t["Label"] for t in first["Label"]["LocalizedLabels"]}
    assert texts == {1033: "Tale", 1031: "Novel (de)"}
    act(
        api, "UpdateOptionValue", given | {"Value": 1, "Label": label("Tale"), "MergeLabels": False}
    )
    first = api.get("GlobalOptionSetDefinitions(Name='kinds')")["Options"][1]
    assert [t["LanguageCode"] for t in first["Label"]["LocalizedLabels"]] == [1033]


def test_options_of_an_attribute_are_changed(api: Api) -> None:
    given = {"EntityLogicalName": "book", "AttributeLogicalName": "statuscode"}
    before = stamp_of(api)
    body = given | {"StateCode": 1, "Value": 5, "Label": label("Lost")}
    act(api, "InsertStatusValue", body)
    assert values(api, "statuscode") == {1: "Here", 2: "Gone", 5: "Lost"}
    book = entities(api.get(ask(stamp=before)))["book"]
    assert [item["LogicalName"] for item in book["Attributes"]] == ["statuscode"]
    options = book["Attributes"][0]["OptionSet"]["Options"]
    assert [item["State"] for item in options] == [0, 1, 1]


BOOK_KIND = {"EntityLogicalName": "book", "AttributeLogicalName": "kind"}


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("InsertOptionValue", {"OptionSetName": "kinds"}, "needs a Label"),
        (
            "InsertOptionValue",
            {"OptionSetName": "kinds", "Value": 1, "Label": label("x")},
            "1 is used twice",
        ),
        ("InsertOptionValue", {"Label": label("x")}, "Give OptionSetName, or"),
        (
            "InsertOptionValue",
            BOOK_KIND | {"AttributeLogicalName": "x", "Label": label("x")},
            "has no attribute 'x'",
        ),
        (
            "InsertOptionValue",
            BOOK_KIND | {"AttributeLogicalName": "name", "Label": label("x")},
            "has no options",
        ),
        ("UpdateOptionValue", BOOK_KIND | {"Value": 77}, "no option with the value 77"),
        ("DeleteOptionValue", BOOK_KIND | {"Value": 77}, "no option with the value 77"),
        ("DeleteOptionValue", BOOK_KIND, "needs 'Value'"),
        ("OrderOption", BOOK_KIND | {"Values": [1]}, "all values of the option set"),
        ("PublishXml", {}, "needs 'ParameterXml'"),
        ("PublishXml", {"ParameterXml": "<a"}, "cannot be read"),
    ],
)
def test_it_says_what_is_wrong_with_an_action(
    api: Api, name: str, body: dict[str, Any], message: str
) -> None:
    status, _, said = api.fails(name, "POST", body)
    assert status == 400
    assert message in said


def test_publishing_is_accepted(api: Api) -> None:
    xml = "<importexportxml><entities><entity>book</entity></entities></importexportxml>"
    assert act(api, "PublishXml", {"ParameterXml": xml}) is None
    assert act(api, "PublishAllXml", {}) is None


def test_actions_are_posted(api: Api) -> None:
    assert api.fails("PublishAllXml")[0] == 405
    assert api.fails("PublishAllXml/x", "POST", {})[0] == 404
