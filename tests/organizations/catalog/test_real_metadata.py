"""Real definitions of a Dynamics organization get tables, and keep everything known of them."""

from __future__ import annotations

import pytest

from organizations import definitions
from organizations.catalog import Catalog
from organizations.dynamics.codec import entity_from_json
from organizations.schema import VERSION, columns
from organizations.store import Store
from tests.organizations.dynamics.shared_data import definition
from tests.organizations.making import make_organization

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["lead", "account", "contact", "incident", "opportunity"])
def test_a_real_entity_is_kept_whole_and_can_hold_records(name: str) -> None:
    entity = entity_from_json(definition(name))
    organization = make_organization(entity)
    kept = Catalog(organization).entity(name)
    assert kept == entity
    assert definitions.dump(kept) == definitions.dump(entity)
    store = Store(organization)
    primary_name = kept.primary_name or ""
    record = store.create(name, {primary_name: "Příliš žluťoučký kůň"})
    assert set(record.values) == {
        column.attribute.name for column in columns(entity) if column.attribute.name != VERSION
    }
    names = [column.name for column in columns(entity)]
    row = store.page(name, names)[0]
    assert row[names.index(primary_name)] == "Příliš žluťoučký kůň"
    assert row[-1] == record.version
