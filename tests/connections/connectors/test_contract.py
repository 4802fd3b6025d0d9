"""Every connector passes the one contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.connections.connectors.contract import ConnectorContract
from tests.connections.connectors.places import HostedPlace, MemoryPlace, TwinPlace
from tests.connections.connectors.strict_place import StrictPlace
from tests.fakes.server import serve


class TestMemory(ConnectorContract):
    """The organization in memory."""

    @pytest.fixture
    def place(self) -> MemoryPlace:
        return MemoryPlace()


@pytest.mark.django_db
class TestHosted(ConnectorContract):
    """An organization of this installation."""

    @pytest.fixture
    def place(self, db: None) -> HostedPlace:
        return HostedPlace()


class TestDynamics(ConnectorContract):
    """A Dynamics organization: our twin, over HTTP."""

    @pytest.fixture
    def place(self, live_server: LiveServer) -> TwinPlace:
        return TwinPlace(live_server.url)


class TestStrict(ConnectorContract):
    """A Dataverse that is strict and shares no code with the product, over HTTP."""

    @pytest.fixture
    def place(self) -> Iterator[StrictPlace]:
        place = StrictPlace()
        with serve(place.service) as url:
            place.service.url = url
            yield place
