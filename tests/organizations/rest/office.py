"""A small Resco Cloud organization, and a client that speaks to its REST services."""

from __future__ import annotations

import base64
from typing import Any

from django.http import HttpResponse
from django.test import Client
from lxml import etree

from organizations.catalog import create_organization, define, enable
from organizations.members import add_member
from organizations.models import Organization
from organizations.store import Store
from tests.organizations.making import make_account, make_every_type, make_rivals

EMAIL, ADMINISTRATOR, PASSWORD = "anna@example.com", "boss@example.com", "rest-of-the-office-9"


def make_office(name: str = "rest-office") -> Organization:
    organization = create_organization(name, languages=[1033, 1031])
    define(organization, [make_account(), make_rivals(), make_every_type()])
    enable(organization, ["account", "accountrivals", "sampler"])
    add_member(organization, EMAIL, PASSWORD)
    add_member(organization, ADMINISTRATOR, PASSWORD, is_administrator=True)
    return organization


def basic(email: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()


class Rest:
    """Posts XML and reads XML; names without their namespaces."""

    def __init__(self, organization: Organization, email: str = EMAIL) -> None:
        self.organization, self.email = organization, email
        self.name = f"/{organization.name}"
        self.store = Store(organization)
        self._client = Client()

    def send(
        self, path: str, body: str = "", *, method: str = "POST", service: str = "data", **more: Any
    ) -> HttpResponse:
        address = f"/rest/v1/{service}{self.name}{path}"
        return self._client.generic(  # type: ignore[return-value]
            method,
            address,
            body,
            content_type="application/xml; charset=utf-8",
            headers={"Authorization": basic(self.email)} | more.pop("headers", {}),
            **more,
        )

    def read(self, path: str, body: str = "", **more: Any) -> etree._Element:
        response = self.send(path, body, **more)
        assert response.status_code == 200, response.content.decode()
        return etree.fromstring(response.content)

    def fault(self, path: str, body: str = "", *, status: int, **more: Any) -> dict[str, str]:
        response = self.send(path, body, **more)
        assert response.status_code == status, response.content.decode()
        root = etree.fromstring(response.content)
        assert root.tag == "Fault"
        return {str(child.tag): child.text or "" for child in root}

    def execute(self, entity: str, action: str, body: str = "", key: str = "") -> etree._Element:
        more = f' PrimaryKey="{key}"' if key else ""
        root = self.read(
            "/Execute",
            '<Entity xmlns="http://schemas.resco.net/XRM/Execute" '
            f'EntityName="{entity}" Action="{action}"{more}>{body}</Entity>',
        )
        return root[0]


def rows(root: etree._Element) -> list[dict[str, str]]:
    found = root.find("Entities")
    assert found is not None
    return [{str(child.tag): child.text or "" for child in item} for item in found]
