"""A server in other names passes the contract that every connector passes."""

from __future__ import annotations

import inspect

import pytest

from connections.connectors.base import Connector
from connections.connectors.memory import MemoryConnector, MemoryOrganization
from connections.connectors.passing import PassingOn
from connections.naming import metadata
from connections.naming.renamed import Renamed
from tests.connections.connectors.contract import ConnectorContract
from tests.connections.connectors.place import described, named
from tests.connections.connectors.sample import ENTITIES, THING
from tests.connections.naming.making import NAMES, RenamedPlace

NAMELESS = {
    "settle",
    "hurry",
    "identify",
    "entities",
    "version_at",
    "requests_sent",
    "definer",
    "watcher",
    "takes_all",
}
"""What names no attribute, or is asked of a client only, which nobody renames."""


@pytest.mark.django_db
class TestRenamed(ConnectorContract):
    """An organization of this installation under other names."""

    @pytest.fixture
    def place(self, db: None) -> RenamedPlace:
        return RenamedPlace()


def test_it_renames_whatever_names_attributes() -> None:
    public = {
        name
        for name, value in vars(Connector).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    assert public - set(vars(Renamed)) <= NAMELESS
    assert issubclass(Renamed, PassingOn)


def test_it_has_no_digests_of_records_with_other_names() -> None:
    served = [metadata.renamed(entity, NAMES.inverse) for entity in ENTITIES]
    connector = Renamed(MemoryConnector(MemoryOrganization.of("server", served)), NAMES)
    thing = described(connector, "thing")
    assert connector.buckets(thing, [named(thing, "text")]) is None


def test_what_it_describes_is_what_the_client_has() -> None:
    served = [metadata.renamed(entity, NAMES.inverse) for entity in ENTITIES]
    connector = Renamed(MemoryConnector(MemoryOrganization.of("server", served)), NAMES)
    assert described(connector, "thing") == THING
