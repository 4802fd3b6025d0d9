"""Metadata of a generated organization taken over: few requests, then one, and nothing written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from connections.connect import service
from connections.models import Connection
from organizations.catalog import Catalog
from organizations.models import Organization
from syncjobs.bench import metadata, organization
from tests.syncjobs.making import drop_organizations

LEDGER = "connections_requesthour"
"""The hours in which a server was asked are kept, whatever was asked."""


@pytest.fixture(autouse=True)
def _no_organizations_left(transactional_db: None) -> Iterator[None]:
    yield
    drop_organizations()


def test_many_entities_take_few_requests_and_none_that_are_not_needed(settings: Settings) -> None:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    with organization.served(30) as server:
        connection = metadata.connect(server)
        first = metadata.update(connection, server)
        stamped = Connection.objects.get(pk=connection.pk)
        second = metadata.update(stamped, server)
        full = service.carry_out(stamped, full=True)
    assert (first["changed"], first["unchanged"]) == (30, 0)
    assert first["requests"] < 15
    assert (second["requests"], second["changed"], second["unchanged"]) == (1, 0, 30)
    assert second["tables_written"] in ("none", LEDGER)
    assert (full.is_empty, full.unchanged) == (True, 30)
    field = Organization.objects.get(name=metadata.CLIENT)
    made = organization.make(7, 30)
    held = Catalog(field).entity(made.name)
    assert [item.name for item in held.attributes] == [item.name for item in made.attributes]
    assert held.label == made.label
    assert [item.name for item in held.many_to_one] == [item.name for item in made.many_to_one]
    stamped.refresh_from_db()
    assert stamped.metadata_stamp.endswith(organization.STAMP)
    assert stamped.metadata_behind == []
