"""Every connector passes the one contract."""

from __future__ import annotations

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.connections.connectors.contract import ConnectorContract
from tests.connections.connectors.places import HostedPlace, MemoryPlace, TwinPlace


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
