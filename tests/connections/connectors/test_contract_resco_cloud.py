"""The contract of connectors for Resco Cloud, against our own services over HTTP."""

from __future__ import annotations

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.connections.connectors.contract_resco_cloud import RescoCloudContract
from tests.connections.connectors.resco_place import RescoPlace


class TestRescoCloud(RescoCloudContract):
    """An organization hosted here, behind its REST services."""

    @pytest.fixture
    def place(self, live_server: LiveServer) -> RescoPlace:
        return RescoPlace(live_server.url)
