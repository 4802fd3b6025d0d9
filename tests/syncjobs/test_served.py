"""Every hosted organization is served, whatever it is in a connection; a twin is Dynamics only."""

from __future__ import annotations

import pytest
from django.test import Client

from organizations.catalog import create_organization, define, enable
from organizations.models import Organization
from tests.syncjobs.making import basic, make_entity, make_member, make_pair

WHO = "anna@example.com"
SERVICES = {
    "data": ("POST", "/rest/v1/data/{}/WhoAmI"),
    "metadata": ("GET", "/rest/v1/metadata/{}/$entities"),
    "odata": ("GET", "/odata/v4/{}/account"),
    "questionnaires": ("GET", "/odata/questionnaires/v4/{}/"),
}
pytestmark = pytest.mark.django_db


def make(role: str) -> Organization:
    """Make an organization in that role, with a member."""
    if role in ("client", "server"):
        connection = make_pair("field")
        end = connection.client if role == "client" else connection.server
        organization = end.organization
    else:
        kind = Organization.Kind.DYNAMICS_TWIN if role == "twin" else Organization.Kind.CLIENT
        organization = create_organization("contoso", kind)
        define(organization, [make_entity("account")])
        enable(organization, ["account"])
    assert organization is not None
    make_member(organization, WHO)
    return organization


def ask(organization: Organization, service: str) -> tuple[int, str]:
    method, path = SERVICES[service]
    answer = Client().generic(method, path.format(organization.name), headers=basic(WHO))
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize("role", ["client", "server", "on its own"])
def test_every_hosted_organization_is_served(role: str) -> None:
    organization = make(role)
    for service in SERVICES:
        status, body = ask(organization, service)
        assert status == 200, (service, body)


def test_the_data_of_a_twin_are_not() -> None:
    twin = make("twin")
    for service in SERVICES:
        status, body = ask(twin, service)
        assert status == 404, (service, body)
        assert "twin" in body or "no service of organization" in body
