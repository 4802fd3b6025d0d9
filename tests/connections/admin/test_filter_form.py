"""The form of the filter editor."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from connections.admin.filter_form import FilterForm
from connections.models import Connection, Endpoint, SyncedEntity
from organizations.catalog import create_organization, define
from organizations.samples import contoso

WANTED = '<fetch><entity name="account"><filter><condition attribute="name" operator="not-null"/>'
FILTER = f"{WANTED}</filter></entity></fetch>"


@pytest.fixture
def entity(db: None) -> SyncedEntity:
    organization = create_organization("field")
    define(organization, [item for item in contoso.entities() if item.name == "account"])
    hosted = Endpoint.Backend.HOSTED
    connection = Connection.objects.create(
        name="field",
        server=Endpoint.objects.create(backend="dynamics", url="https://far.example"),
        client=Endpoint.objects.create(backend=hosted, organization=organization),
    )
    return SyncedEntity.objects.create(connection=connection, name="account", label="Account")


def make_form(entity: SyncedEntity, text: str) -> FilterForm:
    data = QueryDict(mutable=True)
    data["filter_xml"] = text
    return FilterForm(data, entity=entity)


def test_it_keeps_a_filter(entity: SyncedEntity) -> None:
    form = make_form(entity, FILTER)
    assert form.is_valid(), form.errors
    form.save()
    entity.refresh_from_db()
    assert "not-null" in entity.filter_xml


def test_it_removes_a_filter(entity: SyncedEntity) -> None:
    entity.filter_xml = FILTER
    form = make_form(entity, " ")
    assert form.is_valid(), form.errors
    form.save()
    entity.refresh_from_db()
    assert entity.filter_xml == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<fetch>", "fetch"),
        (FILTER.replace('attribute="name"', 'attribute="nope"'), "no attribute 'nope'"),
        (FILTER.replace("account", "contact"), "contact"),
        ("x" * 100_001, "100000"),
    ],
)
def test_it_says_what_is_wrong(entity: SyncedEntity, text: str, message: str) -> None:
    form = make_form(entity, text)
    assert not form.is_valid()
    assert message in form.errors["filter_xml"][0]


def test_it_shows_one_element_a_line(entity: SyncedEntity) -> None:
    entity.filter_xml = FILTER
    shown = FilterForm(None, entity=entity).initial["filter_xml"]
    assert shown.splitlines()[1].strip() == '<entity name="account">'


def test_it_shows_a_filter_that_cannot_be_read_as_it_is(entity: SyncedEntity) -> None:
    entity.filter_xml = "<fetch>"
    assert FilterForm(None, entity=entity).initial["filter_xml"] == "<fetch>"


def test_it_lists_the_attributes_by_display_name(entity: SyncedEntity) -> None:
    listed = FilterForm(None, entity=entity).attributes()
    assert "name" in [attribute.name for attribute in listed]
    labels = [attribute.label.casefold() for attribute in listed]
    assert labels == sorted(labels)


def test_it_lists_none_before_metadata_are_taken_over(entity: SyncedEntity) -> None:
    entity.name = "contact"
    assert FilterForm(None, entity=entity).attributes() == []


def test_it_edits_no_filter_of_a_client_elsewhere_before_update_server(
    entity: SyncedEntity,
) -> None:
    entity.connection.client.organization = None
    form = make_form(entity, FILTER)
    assert not form.is_valid()
    assert "no entity 'account'" in form.errors["filter_xml"][0]
