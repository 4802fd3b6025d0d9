"""What was deleted can be read like any entity, and not written."""

from __future__ import annotations

import pytest
from django.db import transaction

from organizations import deletions
from organizations.catalog import define, delete_organization
from organizations.errors import InvalidRequest, SchemaConflict
from organizations.query.nodes import Condition, Group, Operator, Query
from organizations.records import Action
from organizations.schema import Origin
from organizations.store import Store
from tests.organizations.making import make_account, make_id, make_store, write

pytestmark = pytest.mark.django_db


def make_deleting_store() -> Store:
    store = make_store(make_account())
    deletions.define(store.organization)
    return store


def test_it_shows_what_was_deleted() -> None:
    store = make_deleting_store()
    account = store.create("account", {"name": "A"}).id
    before = store.row_version()
    store.delete("account", account)
    condition = Condition("versionnumber", Operator.GT, (before,))
    query = Query(entity=deletions.NAME, filter=Group(children=(condition,)), select_all=True)
    (row,) = store.query(query).rows
    assert (row["entityname"], row["objectid"]) == ("account", account)
    assert row["versionnumber"] == store.row_version()
    assert str(row["deletedon"]).endswith("Z")
    assert store.count_records(deletions.NAME) == 1


def test_it_shows_nothing_of_other_organizations() -> None:
    store, other = make_deleting_store(), make_deleting_store()
    other.delete("account", other.create("account", {"name": "A"}).id)
    assert store.count_records(deletions.NAME) == 0


def test_it_cannot_be_written() -> None:
    store = make_deleting_store()
    with pytest.raises(InvalidRequest, match="Entity 'trackingdelete' can only be read"):
        store.create(deletions.NAME, {"entityname": "account"})
    with pytest.raises(InvalidRequest, match="can only be read"), transaction.atomic():
        write(store, Action.DELETE, ["id"], [(make_id(),)], entity=deletions.NAME)


def test_it_is_local_and_not_taken_for_a_table() -> None:
    store = make_deleting_store()
    assert store.catalog.entity(deletions.NAME).origin is Origin.LOCAL
    with pytest.raises(SchemaConflict, match="is a view of this organization"):
        define(store.organization, [deletions.ENTITY])


def test_it_does_not_replace_an_entity_of_that_name() -> None:
    store = make_store(deletions.ENTITY)
    with pytest.raises(SchemaConflict, match="has an entity 'trackingdelete' of its own"):
        deletions.define(store.organization)


def test_it_can_be_defined_again_and_goes_with_its_organization() -> None:
    store = make_deleting_store()
    deletions.define(store.organization)
    delete_organization(store.organization)
