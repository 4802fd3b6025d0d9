"""A twin of the sample organization and a hosted one, each on a free port, with their logins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from organizations.catalog import create_organization, define, enable
from organizations.models import Application, Organization
from organizations.samples import contoso
from organizations.store import Store
from tests.clients.cloud import Cloud
from tests.organizations.rest.office import make_office
from tests.syncjobs.making import drop_organizations

SECRET = "a secret of the twin"


@dataclass(frozen=True)
class Twin:
    """Where the twin is, and how to sign in."""

    organization: Organization
    url: str
    client_id: str

    @property
    def store(self) -> Store:
        """Its records, by its newest metadata."""
        return Store(self.organization)

    def token(self) -> str:
        """Sign in as the application user."""
        answer = requests.post(
            f"{self.url}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": SECRET,
                "scope": f"{self.url}/.default",
            },
            timeout=10,
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@pytest.fixture
def twin(transactional_db: None, live_server: LiveServer, settings: Settings) -> Iterator[Twin]:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    organization = create_organization("contoso", Organization.Kind.DYNAMICS_TWIN)
    entities = contoso.entities()
    define(organization, entities)
    enable(organization, [entity.name for entity in entities])
    application = Application(organization=organization, name="test")
    application.set_secret(SECRET)
    application.save()
    base = live_server.url.replace("localhost", "127.0.0.1")
    yield Twin(organization, f"{base}/dynamics/contoso", str(application.id))
    drop_organizations()


@pytest.fixture
def cloud(transactional_db: None, live_server: LiveServer, settings: Settings) -> Iterator[Cloud]:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    organization = make_office("clients")
    yield Cloud(organization, live_server.url.replace("localhost", "127.0.0.1"))
    drop_organizations()
