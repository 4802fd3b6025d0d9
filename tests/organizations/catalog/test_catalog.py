"""The catalog: definitions, what is enabled, and what changes when they change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries as CountQueries

from organizations import catalog
from organizations.catalog import Catalog, reading
from organizations.errors import AlreadyExists, InvalidRequest, NotFound, SchemaConflict
from organizations.models import ChangeLog, EntityDefinition, Organization
from organizations.schema import Attribute, AttributeType, Entity
from organizations.store import Store
from organizations.tables import ddl
from tests.organizations.making import (
    make_account,
    make_attribute,
    make_id,
    make_organization,
    make_rivals,
    make_store,
)

pytestmark = pytest.mark.django_db


def column_names(organization: Organization, entity: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s",
            [organization.schema, entity],
        )
        return [row[0] for row in cursor.fetchall()]


def without(entity: Entity, name: str) -> Entity:
    return replace(
        entity, attributes=tuple(item for item in entity.attributes if item.name != name)
    )


def test_it_knows_what_was_defined() -> None:
    organization = make_organization(make_account(), make_rivals())
    known = Catalog(organization)
    assert known.names() == ["account", "accountrivals"]
    assert known.entity("account") == make_account()
    assert known.by_set_name("accounts").name == "account"
    assert known.relationship("account_rivals") == make_account().relationships[0]
    assert [entity.name for entity in known.entities()] == known.names()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda known: known.entity("lead"), "There is no entity 'lead'"),
        (lambda known: known.by_set_name("leads"), "There is no entity set 'leads'"),
        (lambda known: known.relationship("a_b"), "There is no relationship 'a_b'"),
    ],
)
def test_it_says_what_it_does_not_know(ask, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotFound, match=message):
        ask(Catalog(make_organization(make_account())))


def test_it_makes_a_table_only_when_the_entity_is_enabled() -> None:
    organization = catalog.create_organization("lazy")
    catalog.define(organization, [make_account()])
    assert not Catalog(organization).enabled("account")
    assert not ddl.exists(organization.schema, "account")
    catalog.enable(organization, ["account"])
    assert Catalog(organization).enabled("account")
    assert ddl.exists(organization.schema, "account")


def test_it_does_not_move_the_schema_version_when_nothing_changed() -> None:
    organization = make_organization(make_account())
    before = Catalog(organization).version
    catalog.define(organization, [make_account()])
    catalog.enable(organization, ["account"])
    assert Catalog(organization).version == before


def test_a_store_sees_a_new_attribute_without_being_made_again() -> None:
    store = make_store()
    catalog.define(store.organization, [make_account(make_attribute("fax"))])
    assert store.create("account", {"fax": "123"}).values["fax"] == "123"


def test_a_store_of_one_request_keeps_its_metadata_until_it_locks_what_it_writes() -> None:
    organization = make_store().organization
    store = Store(organization, is_followed=False)
    assert store.page("account", ["name"]) == []
    catalog.define(organization, [make_account(make_attribute("fax"))])
    with pytest.raises(InvalidRequest, match="no stored attribute 'fax'"):
        store.page("account", ["fax"])
    assert store.create("account", {"fax": "123"}).values["fax"] == "123"
    assert [row[0] for row in store.page("account", ["fax"])] == ["123"]


def test_what_is_not_there_is_asked_for_once(django_assert_num_queries: CountQueries) -> None:
    organization = make_organization(make_account())
    known = Catalog(organization)
    with django_assert_num_queries(1):
        assert (known.find("lead"), known.find("lead")) == (None, None)
        assert not known.enabled("lead")
    catalog.define(organization, [replace(make_account(), name="lead", relationships=())])
    known.refresh()
    assert known.entity("lead").name == "lead"


def test_a_removed_attribute_is_hidden_and_comes_back_with_its_values() -> None:
    store = make_store()
    organization = store.organization
    record = store.create("account", {"name": "Žižka & syn"})
    catalog.define(organization, [without(make_account(), "name")])
    hidden = Catalog(organization).entity("account").attribute("name")
    assert hidden is not None
    assert hidden.is_hidden
    assert "name" not in store.get("account", record.id).values
    assert "name" in column_names(organization, "account")
    with pytest.raises(InvalidRequest, match="has no attribute 'name'"):
        store.update("account", record.id, {"name": "x"})
    catalog.define(organization, [make_account()])
    assert store.get("account", record.id).values["name"] == "Žižka & syn"


def test_an_attribute_of_another_type_gets_a_column_of_its_own() -> None:
    store = make_store()
    record = store.create("account", {"name": "Ada"})
    changed = replace(make_account().attributes[1], type=AttributeType.INTEGER)
    entity = make_account()
    attributes = (entity.attributes[0], changed, *entity.attributes[2:])
    catalog.define(store.organization, [replace(entity, attributes=attributes)])
    assert store.get("account", record.id).values["name"] is None
    assert store.update("account", record.id, {"name": 5}).values["name"] == 5
    assert "name__was_text" in column_names(store.organization, "account")


def test_a_whole_number_that_grows_keeps_its_values() -> None:
    store = make_store(make_account(make_attribute("points", AttributeType.INTEGER)))
    record = store.create("account", {"points": 7})
    grown = make_account(make_attribute("points", AttributeType.BIGINT))
    catalog.define(store.organization, [grown])
    assert store.get("account", record.id).values["points"] == 7
    assert store.update("account", record.id, {"points": 2**40}).values["points"] == 2**40


def test_lengths_and_precision_change_without_touching_the_table() -> None:
    store = make_store()
    record = store.create("account", {"name": "Ada", "revenue": "10.25"})
    before = column_file(store.organization)
    entity = make_account()
    longer = tuple(
        replace(item, max_length=4000 if item.name == "name" else None, precision=4)
        for item in entity.attributes
    )
    catalog.define(store.organization, [replace(entity, attributes=longer)])
    assert column_file(store.organization) == before
    assert str(store.get("account", record.id).values["revenue"]) == "10.2500"


def column_file(organization: Organization) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_filenode(%s)", [f'"{organization.schema}".account'])
        return int(cursor.fetchone()[0])


def test_hiding_keeps_the_records_and_enabling_shows_them_again() -> None:
    store = make_store()
    record = store.create("account", {"name": "Ada"})
    catalog.hide(store.organization, ["account"])
    with pytest.raises(InvalidRequest, match="'account' is not enabled"):
        store.get("account", record.id)
    catalog.enable(store.organization, ["account"])
    assert store.get("account", record.id).values["name"] == "Ada"


def test_dropping_forgets_the_entity_and_its_records() -> None:
    organization = make_organization(make_account())
    catalog.drop(organization, "account")
    assert Catalog(organization).names() == []
    assert not ddl.exists(organization.schema, "account")
    with pytest.raises(NotFound, match="There is no entity 'account'"):
        catalog.drop(organization, "account")


@pytest.mark.parametrize("name", ['na"me', "na me", "1name", "náme", "n" * 129, "a%s"])
def test_it_refuses_names_that_no_column_should_have(name: str) -> None:
    organization = catalog.create_organization("strict")
    with pytest.raises(SchemaConflict, match="cannot name an entity or attribute"):
        catalog.define(organization, [make_account(make_attribute(name))])
    assert not EntityDefinition.objects.filter(organization=organization).exists()


def test_it_refuses_an_entity_without_its_primary_id() -> None:
    organization = catalog.create_organization("strict")
    with pytest.raises(InvalidRequest, match="'account' needs a readable Uniqueidentifier"):
        catalog.define(organization, [without(make_account(), "accountid")])


def test_it_refuses_another_primary_id_once_there_is_a_table() -> None:
    organization = make_organization(make_account())
    other = make_account(make_attribute("otherid", AttributeType.UNIQUEIDENTIFIER))
    with pytest.raises(SchemaConflict, match="records under the primary id 'accountid'"):
        catalog.define(organization, [replace(other, primary_id="otherid")])


def test_it_refuses_an_organization_with_a_bad_or_taken_name() -> None:
    catalog.create_organization("acme")
    with pytest.raises(AlreadyExists, match="acme exists already"):
        catalog.create_organization("acme")
    with pytest.raises(InvalidRequest, match="2 to 40 lower-case letters"):
        catalog.create_organization("Ácme")
    with pytest.raises(InvalidRequest, match="is reserved"):
        catalog.create_organization("admin")


def test_it_refuses_a_name_whose_schema_is_there_already() -> None:
    with connection.cursor() as cursor:
        cursor.execute('CREATE SCHEMA "org_left"')
    with pytest.raises(SchemaConflict, match="'org_left' that belongs to no organization"):
        catalog.create_organization("left")
    assert not Organization.objects.filter(name="left").exists()


def test_a_deleted_organization_leaves_nothing_behind() -> None:
    store = make_store()
    record = store.create("account", {"name": "Ada"})
    store.delete("account", record.id)
    organization, key = store.organization, store.organization.pk
    catalog.delete_organization(organization)
    assert not Organization.objects.filter(pk=key).exists()
    assert not ChangeLog.objects.filter(organization_id=key).exists()
    assert not column_names(organization, "account")
    with pytest.raises(NotFound, match="There is no organization"):
        Catalog(Organization(id=make_id(), name="gone"))


def test_the_cache_holds_only_so_many_entities() -> None:
    organization = catalog.create_organization("many")
    count = reading.CACHED_ENTITIES + 8
    catalog.define(
        organization,
        [replace(make_account(), name=f"e{n}", relationships=()) for n in range(count)],
    )
    known = Catalog(organization)
    for name in known.names():
        known.entity(name)
    assert reading._definition.cache_info().currsize == reading.CACHED_ENTITIES


def test_a_rolled_back_definition_is_not_taken_from_the_cache() -> None:
    organization = make_organization(make_account())
    from_rolled_back = define_and_roll_back(organization, make_attribute("ghost"))
    assert from_rolled_back.attribute("ghost")
    catalog.define(organization, [make_account(make_attribute("real"))])
    entity = Catalog(organization).entity("account")
    assert entity.attribute("real")
    assert not entity.attribute("ghost")
    assert Store(organization).create("account", {"real": "x"}).values["real"] == "x"


def define_and_roll_back(organization: Organization, attribute: Attribute) -> Entity:
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before")
        catalog.define(organization, [make_account(attribute)])
        entity = Catalog(organization).entity("account")
        cursor.execute("ROLLBACK TO SAVEPOINT before")
    return entity
