"""Dataverse metadata JSON to schema and back."""

from __future__ import annotations

from typing import Any

import pytest

from organizations.dynamics.codec import entity_from_json, entity_to_json
from organizations.errors import InvalidRequest
from organizations.schema import AttributeType, DateBehavior, RequiredLevel, Source
from tests.organizations.dynamics.differences import differences
from tests.organizations.dynamics.shared_data import definition

DANISH = 1030
IGNORED = {".@odata.context": "names the answer's own address, not a property of the entity"}


def make_document(**properties: Any) -> dict[str, Any]:
    return {"LogicalName": "book", "PrimaryIdAttribute": "bookid", "Attributes": []} | properties


def test_it_gives_real_metadata_back_without_loss() -> None:
    raw = definition("lead")
    served = entity_to_json(entity_from_json(raw), language=DANISH)
    assert set(differences(raw, served)) == set(IGNORED)


@pytest.mark.parametrize("name", ["account", "contact.ja", "incident", "opportunity.ja"])
def test_it_reads_partial_documents_and_loses_nothing_of_them(name: str) -> None:
    raw = definition(name)
    served = entity_to_json(entity_from_json(raw), language=1041 if ".ja" in name else 1033)
    for attribute in served["Attributes"]:
        original = next(
            item for item in raw["Attributes"] if item["LogicalName"] == attribute["LogicalName"]
        )
        for key, value in original.items():
            assert attribute[key] == value, (attribute["LogicalName"], key)
    for key in raw.keys() - {"@odata.context", "Attributes"}:
        if not key.endswith("Relationships"):
            assert served[key] == raw[key], key


def test_it_reads_the_vocabulary_out_of_real_metadata() -> None:
    lead = entity_from_json(definition("lead"))
    assert (lead.name, lead.set_name, lead.primary_id, lead.type_code) == (
        "lead",
        "leads",
        "leadid",
        4,
    )
    assert (len(lead.attributes), len(lead.many_to_many), lead.tracks_changes) == (312, 7, True)
    assert (len(lead.one_to_many), len(lead.many_to_one)) == (103, 39)
    assert [item.name for item in lead.attributes if item.is_primary_id] == ["leadid"]
    customer = lead.attribute("customerid")
    assert customer is not None
    assert customer.targets == ("account", "contact")
    assert customer.is_polymorphic
    status = lead.attribute("statuscode")
    assert status is not None
    assert status.option_set is not None
    assert {item.value: item.state for item in status.option_set.options}[4] == 2


def test_it_keeps_texts_of_all_languages() -> None:
    lead = entity_from_json(definition("lead"))
    assert {lcid for lcid, _ in lead.label.texts} == {1030, 1031, 1033, 1044, 1045, 1053}
    assert lead.collection_label.text(1031) == "Leads"


def test_an_attribute_that_odata_hides_is_not_readable() -> None:
    lead = entity_from_json(definition("lead"))
    hidden = lead.attribute("isautocreate")
    assert hidden is not None
    assert not hidden.is_readable
    assert not hidden.is_stored


def test_it_marks_calculated_and_rollup_attributes() -> None:
    lead = entity_from_json(definition("lead"))
    found = {item.name: item.source for item in lead.attributes if item.source != Source.SIMPLE}
    assert found == {
        "dnb_mergedbyoptimizer": Source.CALCULATED,
        "msdyncrm_linkedinsubmissioncount": Source.ROLLUP,
    }


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [
        ({"AttributeType": "Virtual", "AttributeTypeName": {"Value": "ImageType"}}, "Image"),
        ({"AttributeType": "Virtual", "AttributeTypeName": {"Value": "FileType"}}, "File"),
        (
            {
                "AttributeType": "Virtual",
                "@odata.type": "#Microsoft.Dynamics.CRM.MultiSelectPicklistAttributeMetadata",
            },
            "MultiSelectPicklist",
        ),
        ({"@odata.type": "#Microsoft.Dynamics.CRM.ComplexStringAttributeMetadata"}, "String"),
        ({"AttributeType": "BigInt"}, "BigInt"),
        ({"AttributeType": "Customer"}, "Customer"),
        ({"AttributeType": "Hologram"}, "Virtual"),
    ],
)
def test_it_tells_the_type_from_what_the_document_has(attribute: dict[str, Any], kind: str) -> None:
    document = make_document(Attributes=[{"LogicalName": "x"} | attribute])
    assert entity_from_json(document).attributes[0].type == AttributeType(kind)


def test_it_reads_and_writes_status_transitions() -> None:
    data = (
        '<allowedtransitions xmlns="http://schemas.microsoft.com/crm/2009/WebServices">'
        '<allowedtransition sourcestatusid="1" tostatusid="2"/></allowedtransitions>'
    )
    option = {"Value": 1, "State": 0, "TransitionData": data}
    attribute = {
        "LogicalName": "statuscode",
        "AttributeType": "Status",
        "OptionSet": {"Name": "book_statuscode", "Options": [option]},
    }
    entity = entity_from_json(make_document(Attributes=[attribute]))
    found = entity.attributes[0].option_set
    assert found is not None
    assert found.options[0].next_statuses == (2,)
    served = entity_to_json(entity)["Attributes"][0]["OptionSet"]["Options"][0]
    assert served["TransitionData"] == data


def test_it_reads_dates_levels_and_global_option_sets() -> None:
    options = {"Name": "shades", "IsGlobal": True, "Options": [{"Value": 5}]}
    document = make_document(
        Attributes=[
            {
                "LogicalName": "born",
                "AttributeType": "DateTime",
                "DateTimeBehavior": {"Value": "DateOnly"},
                "RequiredLevel": {"Value": "ApplicationRequired"},
            },
            {"LogicalName": "shade", "AttributeType": "Picklist", "GlobalOptionSet": options},
        ]
    )
    born, shade = entity_from_json(document).attributes
    assert born.date_behavior is DateBehavior.DATE_ONLY
    assert born.required is RequiredLevel.APPLICATION
    assert shade.option_set is not None
    assert (shade.option_set.is_global, shade.option_set.options[0].value) == (True, 5)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "An entity definition has no 'LogicalName'"),
        ({"LogicalName": "book"}, "Entity 'book' has no 'PrimaryIdAttribute'"),
        (make_document(Attributes=[{}]), "An attribute of entity 'book' has no 'LogicalName'"),
        (make_document(Attributes={"a": 1}), "'Attributes' of entity 'book' must be a list"),
        (
            make_document(OneToManyRelationships=[{"SchemaName": "r"}]),
            "Relationship 'r' has no 'ReferencedEntity'",
        ),
        (make_document(Keys=[{"SchemaName": "K"}]), "Key 'k' of entity 'book' names no attributes"),
        (
            make_document(
                Attributes=[
                    {
                        "LogicalName": "c",
                        "AttributeType": "Picklist",
                        "OptionSet": {"Name": "c", "Options": [{"Value": "one"}]},
                    }
                ]
            ),
            "An option of 'c' has no whole number as 'Value'",
        ),
        (
            make_document(
                Attributes=[
                    {
                        "LogicalName": "c",
                        "AttributeType": "Status",
                        "OptionSet": {
                            "Name": "c",
                            "Options": [{"Value": 1, "TransitionData": "<broken"}],
                        },
                    }
                ]
            ),
            "The TransitionData of an option of 'c' cannot be read",
        ),
    ],
)
def test_it_says_what_is_wrong_with_a_document(document: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        entity_from_json(document)
