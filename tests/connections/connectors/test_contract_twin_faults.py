"""The contract against a twin with each of its own faults switched on, as in a rehearsal."""

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
from organizations.dynamics.faults_switching import switch_on
from organizations.models import ChangeLog, TwinFault
from tests.connections.connectors.contract import ConnectorContract
from tests.connections.connectors.places import TwinPlace

FAULTS = [kind for kind in TwinFault.Kind.values if kind != TwinFault.Kind.EXPIRED_DELTA]
"""Without expired tokens: there the contract has a test of its own (`expire`)."""
SETTINGS: dict[str, dict[str, float]] = {
    TwinFault.Kind.LATENCY: {"milliseconds": 20},
    # A token that was renewed and is refused again means something else: the login is wrong.
    TwinFault.Kind.REVOKED: {"probability": 1.0, "count": 1},
}


class DisturbedTwin(TwinPlace):
    """A twin that disturbs about every third request; waits are not slept."""

    is_disturbed = True

    def connector(self) -> Connector:
        patience = Patience(sleep=lambda _: None, attempts=12)
        session = Session(allow=Allowlist.of(["localhost", "127.0.0.1"]))
        user = str(self.application.pk)
        return DynamicsConnector(self.url, user, self.secret, session=session, patience=patience)


class TestEachFaultOfTheTwin(ConnectorContract):
    """Nothing is lost, and no record is made, changed or deleted twice by one write."""

    @pytest.fixture(params=FAULTS)
    def place(
        self, request: pytest.FixtureRequest, live_server: LiveServer
    ) -> Iterator[DisturbedTwin]:
        place = DisturbedTwin(live_server.url)
        usual = {"probability": 0.35, "seed": 7, "after": 1, "burst": 1}
        switch_on(place.organization, request.param, usual | SETTINGS.get(request.param, {}))
        yield place
        log = ChangeLog.objects.filter(organization=place.organization)
        made = Counter(log.filter(action="create").values_list("entity", "record"))
        gone = Counter(log.filter(action="delete").values_list("entity", "record"))
        for record, times in made.items():
            assert times <= gone[record] + 1
