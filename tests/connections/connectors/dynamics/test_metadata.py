"""Who the Dynamics connector is, and how it reads metadata."""

from __future__ import annotations

from typing import Any

import pytest

from connections.errors import (
    MetadataChanged,
    UnknownEntity,
)
from tests.connections.connectors.dynamics.making import (
    ID,
)
from tests.fakes.dataverse import connected, failed, told
from tests.fakes.server import Answer


def test_it_identifies_itself_even_where_little_is_allowed() -> None:
    who = {"BusinessUnitId": ID.format(1), "UserId": ID.format(2), "OrganizationId": ID.format(3)}
    denied = failed("0x80040220", status=403)
    answers = {
        "GET WhoAmI": [told(who)],
        "GET RetrieveVersion()": [denied],
        "GET RetrieveAvailableLanguages()": [told({"LocaleIds": [1033, 1051]})],
        "GET organizations": [denied],
    }
    with connected(answers) as (_, connector):
        identity = connector.identify()
    assert (identity.organization_id, identity.user_id) == (ID.format(3), ID.format(2))
    assert (identity.organization_name, identity.version) == ("127.0.0.1", "")
    assert identity.languages == (1033, 1051)


BASE = "EntityDefinitions(LogicalName='account')"
FUNCTION = "GET RetrieveMetadataChanges(Query=@p1)"
WITHOUT = {FUNCTION: [Answer(501)]}
"""What an organization answers that has no RetrieveMetadataChanges."""


def make_attribute(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "@odata.type": f"#Microsoft.Dynamics.CRM.{kind}AttributeMetadata",
        "LogicalName": name,
        "AttributeType": kind,
        "IsValidForRead": True,
        **more,
    }


def make_definition() -> dict[str, list[Answer]]:
    """An entity whose attributes say all but their options."""
    attributes = [
        make_attribute("name", "String", MaxLength=160),
        make_attribute("size", "Picklist"),
    ]
    option = {"Value": 1, "Label": {"LocalizedLabels": []}}
    options = {"Name": "account_size", "OptionSetType": "Picklist", "Options": [option]}
    definition = {"LogicalName": "account", "PrimaryIdAttribute": "accountid"}
    cast = f"GET {BASE}/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    return WITHOUT | {
        f"GET {BASE}": [told(definition | {"Attributes": attributes})],
        cast: [told({"value": [{"LogicalName": "size", "OptionSet": options}]})],
    }


def test_it_asks_for_casts_only_where_they_tell_more() -> None:
    with connected(make_definition()) as (fake, connector):
        (entity,) = connector.describe(["account"])
        assert len(fake.asked) == 3
        assert "$expand=OptionSet,GlobalOptionSet" in fake.targets()[-1]
    size = entity.attribute("size")
    assert size is not None
    assert size.option_set is not None
    assert [item.value for item in size.option_set.options] == [1]


def test_a_party_list_of_unknown_meaning_is_not_stored() -> None:
    base = "GET EntityDefinitions(LogicalName='letter')"
    lists = [
        {
            "@odata.type": "#Microsoft.Dynamics.CRM.LookupAttributeMetadata",
            "LogicalName": name,
            "AttributeType": "PartyList",
            "IsValidForRead": True,
            "Targets": ["contact"],
        }
        for name in ("to", "partners")
    ]
    answers = WITHOUT | {
        base: [
            told(
                {
                    "LogicalName": "letter",
                    "PrimaryIdAttribute": "activityid",
                    "Attributes": lists,
                }
            )
        ],
    }
    with connected(answers) as (_, connector):
        (letter,) = connector.describe(["letter"])
    assert [item.is_stored for item in letter.attributes] == [True, False]


def test_it_says_which_entity_or_definition_is_wrong() -> None:
    base = "GET EntityDefinitions(LogicalName='{}')"
    answers = WITHOUT | {
        base.format("gone"): [failed("0x80060888", status=404)],
        base.format("odd"): [told({"LogicalName": "odd"})],
    }
    with connected(answers) as (_, connector):
        with pytest.raises(UnknownEntity, match="no entity 'gone'"):
            list(connector.describe(["gone"]))
        with pytest.raises(MetadataChanged, match="The definition of 'odd' cannot be read"):
            list(connector.describe(["odd"]))
