"""Metadata writes: entities, attributes, keys; what is made is seen and can be used at once."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.organizations.dynamics.library import Api

pytestmark = pytest.mark.django_db
CRM = "Microsoft.Dynamics.CRM."
WIDGET = "EntityDefinitions(LogicalName='new_widget')"
STRONG = {"Consistency": "Strong"}
STANDARD = {
    *("new_widgetid", "createdby", "createdon", "modifiedby", "modifiedon"),
    *("createdonbehalfby", "modifiedonbehalfby", "overriddencreatedon", "importsequencenumber"),
    *("timezoneruleversionnumber", "utcconversiontimezonecode", "versionnumber"),
    *("statecode", "statuscode"),
}
OWNED = {"ownerid", "owningbusinessunit", "owninguser", "owningteam"}


def label(text: str, **more: str) -> dict[str, Any]:
    texts = {1033: text} | {int(name[1:]): value for name, value in more.items()}
    return {
        "@odata.type": f"{CRM}Label",
        "LocalizedLabels": [
            {"@odata.type": f"{CRM}LocalizedLabel", "Label": value, "LanguageCode": code}
            for code, value in texts.items()
        ],
    }


def column(name: str, kind: str = "String", **more: Any) -> dict[str, Any]:
    return {
        "@odata.type": f"{CRM}{kind}AttributeMetadata",
        "SchemaName": name,
        "DisplayName": label(name),
        "RequiredLevel": {"Value": "None"},
        **more,
    }


def table(name: str = "new_Widget", *columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    primary = column("new_Name", IsPrimaryName=True, MaxLength=50)
    return {
        "@odata.type": f"{CRM}EntityMetadata",
        "SchemaName": name,
        "DisplayName": label(name),
        "DisplayCollectionName": label(f"{name}s"),
        "Description": label("For tests"),
        "OwnershipType": "UserOwned",
        "IsActivity": False,
        "HasActivities": False,
        "HasNotes": True,
        "Attributes": [primary, *columns],
        **more,
    }


def post(api: Api, path: str, body: Any, **headers: str) -> str:
    """Create an element, and return its id."""
    response = api.send("POST", path, body, headers)
    assert response.status_code == 204, response.content
    found = re.search(r"\(([0-9a-f-]{36})\)$", response["OData-EntityId"])
    assert found is not None
    assert response["OData-EntityId"].startswith("http://testserver/dynamics/")
    return found[1]


def done(api: Api, method: str, path: str, body: Any = None, **headers: str) -> None:
    named = {name.replace("_", "."): value for name, value in headers.items()}
    response = api.send(method, path, body, named)
    assert response.status_code == 204, response.content


@pytest.fixture
def widget(api: Api) -> str:
    return post(api, "EntityDefinitions", table())


def attributes(api: Api, entity: str = WIDGET) -> dict[str, Any]:
    return {row["LogicalName"]: row for row in api.rows(f"{entity}/Attributes")}


def test_a_new_entity_has_its_standard_columns(api: Api, widget: str) -> None:
    document = api.get(f"EntityDefinitions({widget})")
    assert document["LogicalName"] == "new_widget"
    assert document["EntitySetName"] == "new_widgets"
    assert document["PrimaryIdAttribute"] == "new_widgetid"
    assert document["PrimaryNameAttribute"] == "new_name"
    assert document["IsCustomEntity"] is True
    assert document["ObjectTypeCode"] >= 10_000
    assert document["DisplayName"]["UserLocalizedLabel"]["Label"] == "new_Widget"
    found = attributes(api)
    assert found.keys() >= STANDARD | OWNED | {"new_name"}
    assert found["new_name"]["IsPrimaryName"] is True
    assert found["new_widgetid"]["IsPrimaryId"] is True
    assert found["createdon"]["IsValidForUpdate"] is False
    relationships = {row["SchemaName"] for row in api.rows(f"{WIDGET}/ManyToOneRelationships")}
    assert {"lk_new_widget_createdby", "owner_new_widget", "user_new_widget"} <= relationships


def test_its_property_lists_are_those_of_every_entity(api: Api, widget: str) -> None:
    made, other = api.get(WIDGET), api.get("EntityDefinitions(LogicalName='book')")
    assert made.keys() == other.keys()
    names = f"{CRM}StringAttributeMetadata"
    own = api.get(f"{WIDGET}/Attributes(LogicalName='new_name')/{names}")
    known = api.get(f"EntityDefinitions(LogicalName='book')/Attributes(LogicalName='name')/{names}")
    assert own.keys() == known.keys()
    text = own["DisplayName"]["LocalizedLabels"][0]
    assert set(text) == {"Label", "LanguageCode", "IsManaged", "MetadataId", "HasChanged"}


def test_a_new_entity_takes_records_at_once(api: Api, widget: str) -> None:
    row = api.send("POST", "new_widgets", {"new_name": "first"}, STRONG)
    assert row.status_code == 204
    (found,) = api.rows("new_widgets?$select=new_name,statecode")
    assert found["new_name"] == "first"


def test_what_is_made_by_others_is_owned_by_nobody(api: Api) -> None:
    post(api, "EntityDefinitions", table("new_Town", OwnershipType="OrganizationOwned"))
    entity = "EntityDefinitions(LogicalName='new_town')"
    assert not OWNED & attributes(api, entity).keys()
    assert api.get(entity)["OwnershipType"] == "OrganizationOwned"


@pytest.mark.parametrize(
    ("name", "set_name"),
    [("new_Box", "new_boxes"), ("new_City", "new_cities"), ("new_Day", "new_days")],
)
def test_the_set_name_is_the_plural(api: Api, name: str, set_name: str) -> None:
    post(api, "EntityDefinitions", table(name))
    found = api.get(f"EntityDefinitions(LogicalName='{name.lower()}')?$select=EntitySetName")
    assert found["EntitySetName"] == set_name


def test_several_entities_are_made_together_or_not_at_all(api: Api) -> None:
    bodies = [
        json.loads(json.dumps(table(name)).replace(f"{CRM}String", f"{CRM}ComplexString"))
        | {"@odata.type": f"{CRM}ComplexEntityMetadata"}
        for name in ("new_One", "new_Two")
    ]
    answer = api.send("POST", "CreateEntities?SolutionUniqueName=x", {"Entities": bodies})
    assert answer.status_code == 200
    ids = json.loads(answer.content)["EntityIds"]
    filtered = "EntityDefinitions?$select=LogicalName&$filter=startswith(LogicalName,'new_')"
    rows = api.get(filtered, **STRONG)["value"]
    assert {row["MetadataId"] for row in rows} == set(ids)
    broken = [table("new_Three"), table("new_One")]
    assert api.fails("CreateEntities", "POST", {"Entities": broken})[1] == "0x8004700b"
    assert len(api.rows(filtered)) == 2
    assert api.fails("CreateEntities", "POST", {})[1] == "0x80040203"


def test_the_new_entity_is_returned_when_preferred(api: Api) -> None:
    headers = {"Prefer": "return=representation"}
    response = api.send("POST", "EntityDefinitions", table(), headers)
    assert response.status_code == 201
    assert json.loads(response.content)["LogicalName"] == "new_widget"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (table("book_"), "0x80040203", "must start with a valid customization prefix"),
        (table("Widget"), "0x80040203", "must start with a valid customization prefix"),
        (table("mscrm_x"), "0x80040203", "must start with a valid customization prefix"),
        (table(f"new_{'x' * 100}"), "0x80040203", "is longer than 100"),
        (table("new_W", OwnershipType="Nobody"), "0x80040203", "OwnershipType 'Nobody'"),
        (table("new_W", IsActivity=True), "0x80040203", "activity entities"),
        (table("new_W", DisplayName=None), "0x80040203", "needs a DisplayName"),
        (table("new_W", Attributes=[]), "0x80047014", "No attributes"),
        (
            table("new_W", Attributes=[column("new_A")]),
            "0x8004700e",
            "exactly one attribute with IsPrimaryName true; 0 are given",
        ),
        (
            table("new_W", Attributes=[column("new_A", "Memo", IsPrimaryName=True)]),
            "0x8004700e",
            "has to be of type String",
        ),
        (table("new_W", column("new_Name")), "0x80047013", "new_name already exists"),
        (table("new_W", column("Plain")), "0x80040203", "Invalid name for attribute 'Plain'"),
        (table("new_W", Colour="red"), "0x80048d19", "The property 'Colour' does not exist"),
        (
            table("new_W", column("new_A", Colour="red")),
            "0x80048d19",
            "'Colour' does not exist on type 'Microsoft.Dynamics.CRM.StringAttributeMetadata'",
        ),
        (table("new_W", {"SchemaName": "new_A"}), "0x80040203", "needs '@odata.type'"),
        (table("new_W", column("new_A", "Lookup")), "0x80040203", "cannot be created through"),
        (
            table("new_W", {"@odata.type": f"{CRM}EntityMetadata", "SchemaName": "new_A"}),
            "0x80040203",
            "is not a type of attributes",
        ),
        (
            table("new_W", DisplayName={"LocalizedLabels": [{"Label": "x"}]}),
            "0x80040203",
            "needs a LanguageCode",
        ),
        ({"@odata.type": f"{CRM}EntityMetadata"}, "0x80040203", "entity needs a SchemaName"),
    ],
)
def test_it_says_what_is_wrong_with_an_entity(
    api: Api, body: dict[str, Any], code: str, message: str
) -> None:
    status, found, said = api.fails("EntityDefinitions", "POST", body)
    assert (status, found) == (400, code)
    assert message in said


def test_an_entity_is_made_once(api: Api, widget: str) -> None:
    status, code, message = api.fails("EntityDefinitions", "POST", table("NEW_widget"))
    assert (status, code) == (400, "0x8004700b")
    assert "already exists" in message


def test_labels_are_replaced_or_merged(api: Api, widget: str) -> None:
    document = api.get(WIDGET)
    document["DisplayName"] = label("Ding", _1031="Dings", _1036="Chose")
    done(api, "PUT", WIDGET, document)
    texts = api.get(WIDGET)["DisplayName"]["LocalizedLabels"]
    assert {t["LanguageCode"]: t["Label"] for t in texts} == {1033: "Ding", 1031: "Dings"}
    body = {"DisplayName": label("Thing")}
    done(api, "PUT", WIDGET, body, MSCRM_MergeLabels="true")
    texts = api.get(WIDGET)["DisplayName"]["LocalizedLabels"]
    assert {t["LanguageCode"]: t["Label"] for t in texts} == {1033: "Thing", 1031: "Dings"}
    done(api, "PUT", f"EntityDefinitions({widget})", body)
    texts = api.get(WIDGET)["DisplayName"]["LocalizedLabels"]
    assert {t["LanguageCode"]: t["Label"] for t in texts} == {1033: "Thing"}


def test_an_update_changes_what_may_change(api: Api, widget: str) -> None:
    body = {
        "ChangeTrackingEnabled": True,
        "HasFeedback": True,
        "IsAuditEnabled": {"Value": True},
        "SchemaName": "new_Other",
        "EntitySetName": "others",
    }
    done(api, "PUT", WIDGET, body)
    found = api.get(WIDGET)
    assert found["MetadataId"] == widget
    assert found["ChangeTrackingEnabled"] is True
    assert found["HasFeedback"] is True
    assert found["IsAuditEnabled"]["Value"] is True
    assert found["IsAuditEnabled"]["CanBeChanged"] is True
    assert found["SchemaName"] == "new_Widget"
    assert found["EntitySetName"] == "new_widgets"
    done(api, "PUT", WIDGET, {"ChangeTrackingEnabled": False})
    assert api.get(WIDGET)["ChangeTrackingEnabled"] is True
    assert attributes(api).keys() >= STANDARD


def test_a_deleted_entity_is_gone(api: Api, widget: str) -> None:
    done(api, "DELETE", f"EntityDefinitions({widget})")
    assert api.fails(WIDGET)[0] == 404
    assert api.fails("new_widgets")[0] == 404
    assert post(api, "EntityDefinitions", table()) != widget


def test_a_standard_entity_cannot_be_deleted(api: Api) -> None:
    found = api.fails("EntityDefinitions(LogicalName='book')", "DELETE")
    assert found[:2] == (400, "0x80047008")


KINDS: dict[str, dict[str, Any]] = {
    "String": {"MaxLength": 200, "FormatName": {"Value": "Email"}},
    "Memo": {"MaxLength": 4000},
    "Integer": {"MinValue": 1, "MaxValue": 5},
    "BigInt": {},
    "Decimal": {"MinValue": 0.5, "MaxValue": 10, "Precision": 3},
    "Double": {"Precision": 5},
    "Money": {"Precision": 2},
    "DateTime": {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}},
    "Boolean": {},
    "Image": {},
    "File": {"MaxSizeInKB": 1024},
    "UniqueIdentifier": {},
}


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_of_all_kinds_can_be_added(api: Api, widget: str, kind: str) -> None:
    made = post(api, f"{WIDGET}/Attributes", column("new_Extra", kind, **KINDS[kind]))
    path = f"EntityDefinitions({widget})/Attributes({made})"
    found = api.get(f"{path}/{CRM}{kind}AttributeMetadata")
    assert found["LogicalName"] == "new_extra"
    assert found["IsCustomAttribute"] is True
    for name, value in KINDS[kind].items():
        assert found[name] == value
    if kind not in ("Image", "File"):
        assert api.rows("new_widgets?$select=new_extra") == []


def test_a_choice_brings_its_options_and_the_name_of_its_value(api: Api, widget: str) -> None:
    options = [{"Value": 7, "Label": label("Seven")}, {"Label": label("Next")}]
    body = column("new_Kind", "Picklist", OptionSet={"IsGlobal": False, "Options": options})
    post(api, f"{WIDGET}/Attributes", body)
    path = f"{WIDGET}/Attributes(LogicalName='new_kind')/{CRM}PicklistAttributeMetadata"
    found = api.get(f"{path}?$expand=OptionSet,GlobalOptionSet")
    assert [o["Value"] for o in found["OptionSet"]["Options"]] == [7, 100_000_000]
    assert found["OptionSet"]["Name"] == "new_widget_new_kind"
    assert found["GlobalOptionSet"] is None
    shadow = attributes(api)["new_kindname"]
    assert (shadow["AttributeOf"], shadow["AttributeType"]) == ("new_kind", "Virtual")
    twice = [{"Value": 7, "Label": label("A")}, {"Value": 7, "Label": label("B")}]
    body = column("new_Bad", "Picklist", OptionSet={"Options": twice})
    assert "used twice" in api.fails(f"{WIDGET}/Attributes", "POST", body)[2]


def test_two_options_have_labels(api: Api, widget: str) -> None:
    two = {"TrueOption": {"Value": 1, "Label": label("On")}}
    post(api, f"{WIDGET}/Attributes", column("new_On", "Boolean", OptionSet=two))
    path = f"{WIDGET}/Attributes(LogicalName='new_on')/{CRM}BooleanAttributeMetadata"
    found = api.get(f"{path}?$expand=OptionSet")["OptionSet"]
    assert found["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"] == "On"
    assert found["FalseOption"]["Label"]["UserLocalizedLabel"]["Label"] == "No"


def test_an_attribute_is_replaced_by_a_whole_definition(api: Api, widget: str) -> None:
    path = f"{WIDGET}/Attributes(LogicalName='new_name')"
    whole = api.get(f"{path}/{CRM}StringAttributeMetadata")
    body = whole | {"MaxLength": 300, "@odata.type": f"{CRM}StringAttributeMetadata"}
    body["DisplayName"] = label("Title")
    done(api, "PUT", path, body, MSCRM_MergeLabels="true")
    found = api.get(f"{path}/{CRM}StringAttributeMetadata")
    assert (found["MaxLength"], found["MetadataId"]) == (300, whole["MetadataId"])
    assert found["DisplayName"]["UserLocalizedLabel"]["Label"] == "Title"
    long = {"new_name": "x" * 250}
    assert api.send("POST", "new_widgets", long).status_code == 204
    wrong = {"@odata.type": f"{CRM}MemoAttributeMetadata"}
    assert "cannot be changed" in api.fails(path, "PUT", wrong)[2]


def test_a_removed_attribute_takes_its_values_along(api: Api, widget: str) -> None:
    made = post(api, f"{WIDGET}/Attributes", column("new_Code"))
    api.send("POST", "new_widgets", {"new_name": "a", "new_code": "secret"})
    done(api, "DELETE", f"{WIDGET}/Attributes({made})")
    assert "new_code" not in attributes(api)
    assert api.fails("new_widgets?$select=new_code")[0] == 400
    post(api, f"{WIDGET}/Attributes", column("new_Code"))
    assert [row["new_code"] for row in api.rows("new_widgets")] == [None]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("new_name", "0x80047002"),
        ("new_widgetid", "0x80047002"),
        ("createdon", "0x80047009"),
        ("statecodename", "0x80047016"),
    ],
)
def test_some_attributes_cannot_be_removed(api: Api, widget: str, name: str, code: str) -> None:
    assert api.fails(f"{WIDGET}/Attributes(LogicalName='{name}')", "DELETE")[1] == code


def test_an_attribute_is_added_once(api: Api, widget: str) -> None:
    status, code, _ = api.fails(f"{WIDGET}/Attributes", "POST", column("new_NAME"))
    assert (status, code) == (400, "0x80047013")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", WIDGET),
        ("PATCH", f"{WIDGET}/Attributes(LogicalName='new_name')"),
        ("PUT", f"{WIDGET}/Keys(LogicalName='k')"),
        ("DELETE", "EntityDefinitions"),
        ("POST", WIDGET),
        ("PUT", "GlobalOptionSetDefinitions"),
    ],
)
def test_definitions_are_never_patched(api: Api, widget: str, method: str, path: str) -> None:
    status, code, message = api.fails(path, method, {})
    assert (status, code) == (405, "0x80060888")
    assert message.startswith("Operation not supported on")
