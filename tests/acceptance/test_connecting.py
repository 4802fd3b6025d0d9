"""Connecting Dynamics and Resco Cloud: cases 1a and 1c (mission.md A4, topology A)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from connections.models import Connection
from organizations.query.nodes import Query
from tests.acceptance.conftest import make_place
from tests.acceptance.place import Place

pytestmark = pytest.mark.django_db
CARRIED = ("account", "lead", "transactioncurrency")


@dataclass
class Connected:
    """How many records of each entity server and client have."""

    there: dict[str, int]
    here: dict[str, int]
    state: str


@pytest.fixture(scope="package")
def connected(served: str) -> dict[str, Connected]:
    """1a: a new client. 1c: that client, disconnected, is connected to another Dynamics."""
    first = make_place(served, "travel", twin="fabrikam")
    first.connect(CARRIED)
    first.sync_all()
    found = {"1a": _look(first)}
    connection = first.connection
    server, client = connection.server, connection.client
    connection.delete()
    server.delete()
    client.delete()
    second = make_place(served, "travel", twin="northwind")
    second.connect(CARRIED)
    second.sync_all()
    found["1c"] = _look(second)
    return found


def _look(place: Place) -> Connected:
    sets = {name: place.client.catalog.entity(name).set_name for name in CARRIED}
    there = {name: len(place.api.rows(set_name)) for name, set_name in sets.items()}
    here = {name: place.client.count(Query(entity=name)) for name in CARRIED}
    return Connected(there, here, place.connection.state)


@pytest.mark.parametrize("case", ["1a", "1c"])
def test_connecting(case: str, connected: dict[str, Connected]) -> None:
    found = connected[case]
    assert found.state == Connection.State.READY
    assert all(found.there.values())
    for name, count in found.there.items():
        assert found.here[name] >= count
    if case == "1a":
        assert found.here == found.there
