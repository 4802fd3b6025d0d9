"""The contract once more, with something going wrong between connector and server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from connections.addresses import Allowlist
from connections.connectors.base import Connector
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.connectors.http import Patience
from connections.egress import Session
from tests.connections.connectors.contract import ConnectorContract
from tests.connections.connectors.contract_changes import ChangesContract
from tests.connections.connectors.contract_writing import WritingContract
from tests.connections.connectors.places import TwinPlace
from tests.connections.connectors.strict_place import StrictPlace
from tests.fakes.faulty import FAULTS, Faulty
from tests.fakes.server import serve

PASSING = tuple(name for name in FAULTS if name != "latency")


class TestEachFault(ChangesContract, WritingContract):
    """Each fault strikes every third request to the strict Dataverse.

    The rest of the contract, which only reads, is tried with all faults in turn below.
    """

    @pytest.fixture(params=FAULTS)
    def place(self, request: pytest.FixtureRequest) -> Iterator[StrictPlace]:
        place = StrictPlace()
        place.is_disturbed = True
        with serve(place.service) as upstream, serve(Faulty(upstream, (request.param,))) as url:
            place.service.url = url
            yield place
        writes = Counter(item for item in place.organization.writes if item[0] != "change")
        assert not [item for item, times in writes.items() if times > 1]


class TestAllFaultsStrictly(ConnectorContract):
    """All faults strike the strict Dataverse in turn."""

    @pytest.fixture
    def place(self) -> Iterator[StrictPlace]:
        place = StrictPlace()
        place.is_disturbed = True
        with serve(place.service) as upstream, serve(Faulty(upstream, PASSING)) as url:
            place.service.url = url
            yield place


class FaultyTwinPlace(TwinPlace):
    """A twin behind a proxy; waits are remembered, not slept."""

    is_disturbed = True

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.waits: list[float] = []

    def connector(self) -> Connector:
        patience = Patience(sleep=self.waits.append)
        session = Session(allow=Allowlist.of(["localhost", "127.0.0.1"]))
        user = str(self.application.pk)
        return DynamicsConnector(self.url, user, self.secret, session=session, patience=patience)


class TestAllFaults(ConnectorContract):
    """All faults strike the twin in turn, at every third request."""

    @pytest.fixture
    def place(self, live_server: LiveServer) -> Iterator[FaultyTwinPlace]:
        with serve(Faulty(live_server.url, PASSING)) as url:
            yield FaultyTwinPlace(url)
