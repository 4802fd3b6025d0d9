"""Physical tables: limits, long names, one ALTER."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations import catalog
from organizations.errors import SchemaConflict
from organizations.store import Store
from organizations.tables import ddl, names
from tests.organizations.making import make_account, make_attribute, make_organization, make_store

pytestmark = pytest.mark.django_db


def test_long_names_are_shortened_with_a_digest_and_stay_apart() -> None:
    first, second = "new_" + "x" * 80 + "one", "new_" + "x" * 80 + "two"
    assert len(names.shorten(first)) == 63
    assert names.shorten(first) != names.shorten(second)
    assert names.shorten("accountid") == "accountid"


def test_entities_and_attributes_with_long_names_hold_records() -> None:
    long = "new_" + "y" * 100
    entity = replace(
        make_account(make_attribute(long + "a"), make_attribute(long + "b")), name=long
    )
    store = make_store(entity)
    record = store.create(long, {long + "a": "A", long + "b": "B"})
    assert record.values[long + "a"] == "A"
    assert store.page(long, ["accountid", long + "b"]) == [(record.id, "B", record.version)]


def test_all_new_columns_come_by_one_alter() -> None:
    organization = make_organization(make_account())
    more = [make_attribute(f"new_{n}") for n in range(20)]
    with CaptureQueriesContext(connection) as queries:
        catalog.define(organization, [make_account(*more)])
    alters = [query["sql"] for query in queries if query["sql"].startswith("ALTER TABLE")]
    assert len(alters) == 1
    assert alters[0].count("ADD COLUMN") == 20


def test_it_refuses_more_columns_than_a_table_can_have() -> None:
    organization = make_organization(make_account())
    many = [make_attribute(f"new_{n}") for n in range(ddl.MOST_COLUMNS)]
    with pytest.raises(SchemaConflict, match="would have 1512 columns.*at most 1500"):
        catalog.define(organization, [make_account(*many)])
    assert Store(organization).create("account", {"name": "still here"}).version


def test_columns_of_removed_attributes_count_too() -> None:
    organization = make_organization(make_account())
    catalog.define(organization, [make_account(*(make_attribute(f"old_{n}") for n in range(1000)))])
    with pytest.raises(SchemaConflict, match="counting those of removed attributes"):
        catalog.define(
            organization, [make_account(*(make_attribute(f"new_{n}") for n in range(600)))]
        )


def test_it_refuses_two_attributes_that_would_share_a_column() -> None:
    organization = make_organization()
    clash = make_attribute("ownerid__type")
    with pytest.raises(SchemaConflict, match="two columns 'ownerid__type'"):
        catalog.define(organization, [make_account(clash)])


def test_it_is_readable_as_its_administrators_know_it() -> None:
    store = make_store()
    store.create("account", {"name": "Škoda"})
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT name FROM "{store.organization.schema}".account')
        assert cursor.fetchall() == [("Škoda",)]
