"""A hosted organization on a free port, and its member's login."""

from __future__ import annotations

from dataclasses import dataclass

from organizations.models import Organization
from organizations.store import Store
from tests.organizations.rest.office import EMAIL, PASSWORD


@dataclass(frozen=True)
class Cloud:
    """Where the organization's services are, and how to sign in."""

    organization: Organization
    base: str

    @property
    def store(self) -> Store:
        """Its records."""
        return Store(self.organization)

    @property
    def odata(self) -> str:
        """The address of the OData service, with a slash at its end."""
        return f"{self.base}/odata/v4/{self.organization.name}/"

    @property
    def rest(self) -> str:
        """The address of the REST data service."""
        return f"{self.base}/rest/v1/data/{self.organization.name}"

    @property
    def login(self) -> tuple[str, str]:
        """User name and password."""
        return EMAIL, PASSWORD
