"""The contract for Resco Cloud once more, with something going wrong between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.connections.connectors.contract_changes import ChangesContract
from tests.connections.connectors.contract_resco_cloud import RescoCloudContract
from tests.connections.connectors.contract_writing import WritingContract
from tests.connections.connectors.resco_cloud.strict import StrictRescoPlace
from tests.connections.connectors.resco_place import RescoPlace
from tests.connections.connectors.test_contract_resco_cloud import StrictContract
from tests.fakes.faulty import XML_FAULTS, Faulty
from tests.fakes.server import serve

PASSING = tuple(name for name in XML_FAULTS if name != "latency")


def disturbed(*names: str, is_atomic: bool = False, every: int = 3) -> Iterator[StrictRescoPlace]:
    """Serve the strict server behind a proxy; afterwards, look that nothing was done twice."""
    place = StrictRescoPlace(is_atomic=is_atomic)
    place.is_disturbed = True
    with (
        serve(place.service) as upstream,
        serve(Faulty(upstream, names, every=every, faults=XML_FAULTS)) as url,
    ):
        place.url = url
        yield place
    assert not [item for item, times in Counter(place.organization.writes).items() if times > 1]


class TestEachFault(ChangesContract, WritingContract):
    """Each fault strikes every third request to the strict server."""

    @pytest.fixture(params=XML_FAULTS)
    def place(self, request: pytest.FixtureRequest) -> Iterator[StrictRescoPlace]:
        yield from disturbed(request.param)


class TestEachFaultOverOData(ChangesContract, WritingContract):
    """Each fault strikes every fourth request, most of which go by OData.

    A change takes three (etags, versions, PATCH): of every third it would always be the same.
    """

    @pytest.fixture(params=XML_FAULTS)
    def place(self, request: pytest.FixtureRequest) -> Iterator[StrictRescoPlace]:
        yield from disturbed(request.param, is_atomic=True, every=4)


class TestAllFaultsStrictly(StrictContract):
    """All faults strike the strict server in turn."""

    @pytest.fixture
    def place(self) -> Iterator[StrictRescoPlace]:
        yield from disturbed(*PASSING)


class TestAllFaults(RescoCloudContract):
    """All faults strike our own services in turn."""

    @pytest.fixture
    def place(self, live_server: LiveServer) -> Iterator[RescoPlace]:
        with serve(Faulty(live_server.url, PASSING, faults=XML_FAULTS)) as url:
            place = RescoPlace(url)
            place.is_disturbed = True
            yield place


class TestAllFaultsOverOData(RescoCloudContract):
    """All faults strike our own services in turn, read and written by OData."""

    @pytest.fixture
    def place(self, live_server: LiveServer) -> Iterator[RescoPlace]:
        with serve(Faulty(live_server.url, PASSING, faults=XML_FAULTS)) as url:
            place = RescoPlace(url, is_atomic=True)
            place.is_disturbed = True
            yield place
