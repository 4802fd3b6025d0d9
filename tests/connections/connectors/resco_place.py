"""An organization hosted here, spoken to by its own REST services over real HTTP."""

from __future__ import annotations

from django.db.models import F

from connections.addresses import Allowlist
from connections.connectors.base import Connector
from connections.connectors.http import Patience
from connections.connectors.resco_cloud.connector import RescoCloudConnector
from connections.egress import Session
from organizations import deletions
from organizations.members import add_member
from organizations.models import Organization
from tests.connections.connectors.places import HostedPlace

EMAIL, PASSWORD = "connector@example.com", "a long enough phrase"


class RescoPlace(HostedPlace):
    """A client organization behind its services; what a test does here, another user did."""

    def __init__(self, url: str, *, is_atomic: bool = False) -> None:
        super().__init__()
        self.is_atomic = is_atomic
        deletions.define(self.organization)
        add_member(self.organization, EMAIL, PASSWORD)
        self.url = f"{url}/{self.organization.name}"
        self.waits: list[float] = []

    def connector(self) -> Connector:
        session = Session(allow=Allowlist.of(["localhost", "127.0.0.1"]))
        patience = Patience(sleep=self.waits.append)
        return RescoCloudConnector(
            self.url,
            EMAIL,
            PASSWORD,
            session=session,
            patience=patience,
            is_atomic=self.is_atomic,
        )

    def neighbour(self) -> Connector | None:
        return None

    def expire(self) -> None:
        """Restore the organization from a backup: it is at a version that it had before."""
        own = Organization.objects.filter(pk=self.organization.pk)
        own.update(row_version=F("row_version") - 1)
