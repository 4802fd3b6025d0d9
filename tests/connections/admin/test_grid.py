"""Saving the grid."""

from __future__ import annotations

import pytest

from connections.admin import grid
from connections.models import Connection, Endpoint, SyncedEntity
from organizations.catalog import Catalog, create_organization, define
from organizations.samples import contoso


@pytest.fixture
def connection(db: None) -> Connection:
    """A client that knows two entities, none of which is enabled."""
    organization = create_organization("field")
    define(organization, [e for e in contoso.entities() if e.name in ("account", "lead")])
    made = Connection.objects.create(
        name="field",
        server=Endpoint.objects.create(backend="dynamics", url="https://far.example"),
        client=Endpoint.objects.create(backend=Endpoint.Backend.HOSTED, organization=organization),
    )
    for name in ("account", "lead"):
        SyncedEntity.objects.create(connection=made, name=name)
    return made


def test_it_makes_the_tables_of_what_is_enabled(connection: Connection) -> None:
    change = grid.save(
        connection, shown=["account", "lead"], enabled={"account"}, deletion={"lead"}
    )
    organization = connection.client.organization
    assert organization is not None
    assert Catalog(organization).enabled("account")
    assert not Catalog(organization).enabled("lead")
    assert str(change) == "Saved. enabled: account; Sync Deletion on: lead."


def test_it_keeps_the_table_of_what_is_disabled(connection: Connection) -> None:
    grid.save(connection, shown=["account"], enabled={"account"}, deletion={"account"})
    change = grid.save(connection, shown=["account"], enabled=set(), deletion=set())
    organization = connection.client.organization
    assert organization is not None
    assert Catalog(organization).enabled("account")
    assert (change.disabled, change.deletion_off) == (("account",), ("account",))


def test_it_touches_no_row_that_was_not_shown(connection: Connection) -> None:
    change = grid.save(connection, shown=[], enabled={"account"}, deletion={"account"})
    assert str(change) == "Nothing was changed."
    assert not connection.entities.filter(enabled=True).exists()
