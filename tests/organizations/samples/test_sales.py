"""The Sales template: native Resco entities as the published lists name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from organizations import definitions
from organizations.catalog import Catalog
from organizations.errors import InvalidRequest
from organizations.models import Member, Organization
from organizations.samples import sales, templates
from organizations.schema import (
    UNSTORED_TYPES,
    VERSION,
    AttributeType,
    Entity,
    Origin,
)
from organizations.store import Store
from tests.organizations.making import make_organization
from tests.organizations.management.test_commands import login, run

ENTITIES = {entity.name: entity for entity in sales.entities()}
PUBLISHED = {
    "account": "address1_city address1_country address1_latitude address1_line1 address1_line2 "
    "address1_line3 address1_longitude address1_postalcode address1_stateorprovince createdon "
    "defaultpricelevelid emailaddress1 fax id modifiedon name originatingleadid ownerid "
    "primarycontactid statecode statuscode telephone1 transactioncurrencyid websiteurl",
    "contact": "contacttype createdon emailaddress1 fax firstname id jobtitle lastname "
    "mobilephone modifiedon name originatingleadid ownerid parentcustomerid resco_portalaccess "
    "resco_portaluserid statecode statuscode telephone1",
    "lead": "companyname createdby createdon customerid emailaddress1 estimatedamount "
    "estimatedamount_base estimatedclosedate firstname id lastname leadqualitycode "
    "leadsourcecode mobilephone modifiedon name statecode statuscode subject telephone1 "
    "transactioncurrencyid",
    "appointment": "actualdurationminutes actualend actualstart appointmenttype createdby "
    "createdon description id latitude location longitude modifiedby modifiedon name organizer "
    "ownerid owningbusinessunit prioritycode regardingobjectid requiredattendees resco_eventid "
    "resco_externalid resco_islocal resco_source scheduledend scheduledstart statecode "
    "statuscode versionnumber",
    "activityparty": "activityid addressused id participationtypemask partyid",
    "systemuser": "allowedforscheduling createdon customerid firstname homephone id "
    "internalemailaddress isdisabled lastname mobilephone modifiedon name statecode statuscode",
    "role": "createdon id modifiedon name",
    "team": "createdon id modifiedon name",
    "opportunity": "actualclosedate actualvalue createdon customerid estimatedvalue id "
    "isrevenuesystemcalculated modifiedon name opportunityratingcode originatingleadid ownerid "
    "pricelevelid statecode statuscode transactioncurrencyid",
    "task": "actualdurationminutes createdon description id modifiedon name ownerid prioritycode "
    "regardingobjectid scheduledend scheduledstart statecode statuscode",
    "annotation": "createdon documentbody filename filesize id isdocument mimetype modifiedon "
    "notetext objectid ownerid subject",
    "transactioncurrency": "createdon currencyprecision currencysymbol id isocurrencycode "
    "modifiedon name statecode statuscode",
    "uom": "baseuom createdon id isschedulebaseuom modifiedon name quantity uomscheduleid",
    "pricelevel": "begindate createdon enddate id modifiedon name transactioncurrencyid",
}
"""Attributes of the published property lists (resco.md §6.1), without `fs_territory`."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_has_what_is_published(name: str) -> None:
    names = {item.name for item in ENTITIES[name].attributes}
    assert set(PUBLISHED[name].split()) <= names
    assert ENTITIES[name].primary_id == "id"


def test_it_keeps_the_keys_of_questionnaires_as_they_are_published() -> None:
    found = {
        name: (entity.primary_id, entity.primary_name)
        for name, entity in ENTITIES.items()
        if entity.primary_id != "id"
    }
    assert found == {
        name: (f"{name}id", "resco_name")
        for name in ("resco_questionnaire", "resco_questiongroup", "resco_question")
    }


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=lambda entity: entity.name)
def test_every_element_is_labelled_and_native(entity: Entity) -> None:
    assert entity.label
    assert entity.collection_label
    assert {item.origin for item in entity.attributes} == {Origin.NATIVE}
    assert all(item.label for item in entity.attributes)
    sets = [item.option_set for item in entity.attributes if item.option_set]
    assert all(option.label for options in sets for option in options.options)
    assert all(options.name for options in sets)
    assert definitions.load(definitions.dump(entity)) == entity


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=lambda entity: entity.name)
def test_every_attribute_is_stored_and_stands_once(entity: Entity) -> None:
    names = [item.name for item in entity.attributes]
    assert len(names) == len(set(names))
    assert VERSION in names
    assert not {item.type for item in entity.attributes} & UNSTORED_TYPES


def test_the_states_are_those_of_the_published_map() -> None:
    found = {}
    for name in ("lead", "appointment", "task", "opportunity", "account"):
        status = ENTITIES[name].attribute("statuscode")
        assert status is not None
        assert status.option_set is not None
        found[name] = {option.value: option.state for option in status.option_set.options}
    assert found == {
        "account": {1: 0, 2: 1},
        "lead": {1: 0, 2: 0, 3: 1, 4: 2, 5: 2, 6: 2, 7: 2},
        "appointment": {1: 0, 2: 0, 3: 1, 4: 2, 5: 3, 6: 3},
        "task": {2: 0, 3: 0, 4: 0, 7: 0, 5: 1, 6: 2},
        "opportunity": {1: 0, 2: 0, 3: 1, 4: 2, 5: 2},
    }


@pytest.mark.django_db
def test_records_and_their_parties_can_be_written() -> None:
    organization = make_organization()
    templates.fill(organization, "sales")
    store = Store(organization)
    company = store.create("account", {"name": "Contoso"})
    meeting = store.create(
        "appointment",
        {
            "name": "First talk",
            "scheduledstart": "2026-01-02T09:00:00Z",
            "scheduledend": "2026-01-02T10:00:00Z",
            "requiredattendees": f'[[5,"account","{company.id}"]]',
        },
    )
    parties = list(store.page("activityparty", ["id", "activityid", "partyid"]))
    assert [(str(row[1]), str(row[2])) for row in parties] == [(meeting.id, company.id)]


@pytest.mark.django_db
def test_the_command_makes_an_organization_as_sales(tmp_path: Path) -> None:
    out, _ = run("organization", "field", *login(tmp_path), "--template", "sales", "--json")
    assert '"template":"sales"' in out
    organization = Organization.objects.get(name="field")
    catalog = Catalog(organization)
    assert set(ENTITIES) <= set(catalog.names())
    assert all(catalog.enabled(name) for name in ENTITIES)
    assert Member.objects.get().organization == organization
    assert catalog.taken_over() == 0
    key = catalog.entity("account").attribute("id")
    assert key is not None
    assert key.type is AttributeType.UNIQUEIDENTIFIER


@pytest.mark.django_db
def test_it_refuses_an_unknown_template() -> None:
    with pytest.raises(InvalidRequest, match="no template 'service'. Known: sales"):
        templates.fill(make_organization(), "service")
