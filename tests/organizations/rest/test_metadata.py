"""Entities and localizations, read and written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from organizations.catalog import delete_organization
from organizations.models import Organization
from organizations.rest.codec import entity_xml, read_entity
from organizations.schema import VERSION, Attribute, AttributeType, Entity, Source
from tests.organizations.making import make_account, make_every_type, make_rivals
from tests.organizations.rest.office import ADMINISTRATOR, Rest, make_office

NAMESPACE = "{http://schemas.resco.net/XRM/MetadataService}"


@pytest.fixture
def own(db: None) -> Any:
    organization = make_office("rest-metadata")
    yield Rest(organization, ADMINISTRATOR)
    delete_organization(organization)


def told(entity: Entity) -> dict[str, Any]:
    """What the service tells of an entity."""
    return {
        "key": entity.primary_id,
        "name": entity.primary_name,
        "intersect": entity.is_intersect,
        "attributes": sorted(map(attribute_told, entity.attributes), key=str),
    }


def attribute_told(item: Attribute) -> tuple[Any, ...]:
    options = item.option_set.options if item.option_set else ()
    values = sorted((o.value, o.state or 0) for o in options)
    targets = () if item.type.value == "Uniqueidentifier" else item.targets
    return item.name, item.type, item.max_length, item.precision, targets, values


@pytest.mark.parametrize("entity", [make_account(), make_rivals(), make_every_type()])
def test_an_entity_survives_its_element(entity: Entity) -> None:
    found = read_entity(etree.fromstring(entity_xml(entity)))
    kept = tuple(item for item in entity.attributes if item.is_stored)
    known = {item.name for item in kept}
    found = replace(
        found, attributes=tuple(item for item in found.attributes if item.name in known)
    )
    assert told(found) == told(replace(entity, attributes=kept))
    assert [pair.name for pair in found.many_to_many] == (
        ["account_rivals"] if entity.is_intersect else []
    )


def test_it_tells_what_nobody_types_in() -> None:
    total = Attribute(name="total", type=AttributeType.MONEY, source=Source.ROLLUP)
    found = read_entity(etree.fromstring(entity_xml(make_account(total))))
    assert found.attribute("total") is not None
    assert [item.name for item in found.attributes if item.source is Source.ROLLUP] == ["total"]


def test_it_lists_the_entities_as_children_of_the_root(rest: Rest) -> None:
    root = rest.read("/$entities", method="GET", service="metadata")
    names = [child.get("Name") for child in root]
    assert names == ["account", "accountrivals", "sampler"]
    account = root[0]
    assert account.get("PrimaryKeyName") == "accountid"
    status = next(a for a in account.iter(f"{NAMESPACE}Attribute") if a.get("Name") == "statuscode")
    assert (status.get("Type"), status.get("OptionSetValues")) == ("PicklistMap", "0,1,3;1,2")
    assert root[1].get("EntityAttributes") == "System Intersect"


def test_it_tells_display_names_in_a_language(rest: Rest) -> None:
    root = rest.read("/$localizations?lcid=1033", method="GET", service="metadata")
    assert root.get("LCID") == "1033"
    assert {item.get("Name"): item.text for item in root}["account"] == "Account"
    assert len(rest.read("/$localizations?lcid=1031", method="GET", service="metadata")) == 0


def test_an_entity_of_others_gets_what_it_leaves_out() -> None:
    text = (
        '<Entity Name="visit" OwnershipType="User"><Attributes>'
        '<Attribute Name="name" Type="String" Length="80" />'
        '<Attribute Name="notes" Type="String" Format="TextArea" />'
        '<Attribute Name="day" Type="DateTime" Precision="2" />'
        '<Attribute Name="who" Type="Lookup" LookupTargets="contact;account" />'
        '<Attribute Name="statuscode" Type="PicklistMap" OptionSetValues="0,1,2;1,3"'
        ' OptionSetTextValues="Open;Started;Done" />'
        "</Attributes></Entity>"
    )
    found = read_entity(etree.fromstring(text), {1031: {"visit": "Besuch"}})
    kinds = {item.name: item.type.value for item in found.attributes}
    assert kinds == {
        "id": "Uniqueidentifier",
        VERSION: "BigInt",
        "name": "String",
        "notes": "Memo",
        "day": "DateTime",
        "who": "Lookup",
        "statuscode": "Status",
    }
    assert found.label.text(1031) == "Besuch"
    status = found.attribute("statuscode")
    assert status is not None
    assert status.option_set is not None
    assert [(o.value, o.state, o.label.text()) for o in status.option_set.options] == [
        (1, 0, "Open"),
        (2, 0, "Started"),
        (3, 1, "Done"),
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("<Entity/>", "Entity needs the attribute Name"),
        ('<Entity Name="a"><Attributes><Attribute/></Attributes></Entity>', "has no Name"),
        (
            '<Entity Name="a"><Attributes><Attribute Name="b" Type="Odd"/></Attributes></Entity>',
            "unknown type 'Odd'",
        ),
        (
            '<Entity Name="a"><Attributes><Attribute Name="b" Length="x"/></Attributes></Entity>',
            "Length in 'a' is a whole number, not 'x'",
        ),
        (
            '<Entity Name="a"><Attributes><Attribute Name="b" Min="x"/></Attributes></Entity>',
            "Min in 'a' is a number, not 'x'",
        ),
        ('<Entity Name="a" EntityAttributes="Intersect"/>', "needs two Lookup attributes"),
    ],
)
def test_it_refuses_an_entity_it_cannot_read(own: Rest, text: str, part: str) -> None:
    fault = own.fault("/$entities", text, service="metadata", status=400)
    assert part in fault["Reason"]


def test_an_administrator_makes_changes_and_hides_entities(own: Rest) -> None:
    head = '<Entity Name="visit"><Attributes><Attribute Name="name" Type="String" Length="80"/>'
    more = '<Attribute Name="rating" Type="Integer"/>'
    for body in (f"{head}</Attributes></Entity>", f"{head}{more}</Attributes></Entity>"):
        assert own.send("/$entities", body, service="metadata").status_code == 204
    made = own.execute("visit", "Create", "<name>First</name><rating>3</rating>")
    assert made.get("Type") == "guid"
    path = "/$entities/visit/rating"
    assert own.send(path, method="DELETE", service="metadata").status_code == 204
    own.store.catalog.refresh()
    rating = own.store.catalog.entity("visit").attribute("rating")
    assert rating is not None
    assert rating.is_hidden
    assert own.send("/$entities/visit", method="DELETE", service="metadata").status_code == 204
    assert own.execute("visit", "Create", "<name>x</name>").tag == "Fault"


def test_an_administrator_translates(own: Rest) -> None:
    body = (
        '<Language LCID="1031"><DisplayName Name="account">Firma</DisplayName>'
        '<DisplayName Name="account.name">Name der Firma</DisplayName>'
        '<DisplayName Name="account.statuscode.2">Zu</DisplayName></Language>'
    )
    assert own.send("/$localizations", body, service="metadata").status_code == 204
    root = own.read("/$localizations?lcid=1031", method="GET", service="metadata")
    assert {item.get("Name"): item.text for item in root} == {
        "account": "Firma",
        "account.name": "Name der Firma",
        "account.statuscode.2": "Zu",
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "part"),
    [
        ("DELETE", "/$entities/account/name", "", 400, "names the records of 'account'"),
        ("DELETE", "/$entities/account/wrong", "", 404, "There is no attribute 'wrong'"),
        ("DELETE", "/$entities/wrong", "", 404, "There is no entity 'wrong'"),
        ("DELETE", "/$entities", "", 400, "DELETE names $entities/{entity}"),
        ("DELETE", "/$entities/systemuser", "", 404, "There is no entity 'systemuser'"),
        ("POST", "/$localizations", "<x/>", 400, "Expected a Language element"),
        ("POST", "/$entities", "<x/>", 400, "Expected an Entity element, found 'x'"),
        ("GET", "/$wrong", "", 404, "There is no GET of '$wrong'"),
        ("GET", "/$localizations?lcid=x", "", 400, "lcid is a language's number such as 1033"),
    ],
)
def test_it_refuses_what_cannot_be_meant(
    own: Rest, method: str, path: str, body: str, status: int, part: str
) -> None:
    fault = own.fault(path, body, method=method, service="metadata", status=status)
    assert part in fault["Reason"]


def test_only_administrators_write(office: Organization, db: None) -> None:
    fault = Rest(office).fault("/$entities", "<Entity/>", service="metadata", status=403)
    assert "is no administrator" in fault["Reason"]
