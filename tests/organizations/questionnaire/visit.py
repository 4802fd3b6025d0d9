"""Two versions of a template, with answers; and a client of the service."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
from django.http import HttpResponse
from django.test import Client

from organizations.catalog import create_organization
from organizations.members import add_member
from organizations.models import Organization
from organizations.records import Reference
from organizations.samples import templates
from organizations.store import Store
from tests.organizations.rest.office import EMAIL, PASSWORD, basic

TEXT, WHOLE, DECIMAL, FLAG, MOMENT, CHOICE = range(6)
QUESTIONNAIRE, GROUP, QUESTION = "resco_questionnaire", "resco_questiongroup", "resco_question"


def make_organization(name: str = "visits") -> Organization:
    organization = create_organization(name)
    templates.fill(organization, "sales")
    add_member(organization, EMAIL, PASSWORD)
    return organization


class Visits:
    """Writes templates and answers as an app does."""

    def __init__(self, organization: Organization) -> None:
        self.store = Store(organization)

    def template(self, name: str, version: int | None = None) -> str:
        values: dict[str, Any] = {"resco_name": name, "resco_istemplate": True}
        return self.store.create(QUESTIONNAIRE, values | {"resco_version": version}).id

    def answered(self, template: str, name: str, **more: Any) -> str:
        of: dict[str, Any] = {
            "resco_name": name,
            "resco_templateid": Reference(QUESTIONNAIRE, template),
        }
        return self.store.create(QUESTIONNAIRE, of | more).id

    def group(self, of: str, name: str, **more: Any) -> str:
        values: dict[str, Any] = {
            "resco_name": name,
            "resco_questionnaireid": Reference(QUESTIONNAIRE, of),
        }
        return self.store.create(GROUP, values | more).id

    def question(self, of: str, name: str, kind: int = TEXT, group: str = "", **more: Any) -> str:
        values: dict[str, Any] = {
            "resco_name": name,
            "resco_type": kind,
            "resco_questionnaireid": Reference(QUESTIONNAIRE, of),
        }
        if group:
            values["resco_questiongroupid"] = Reference(GROUP, group)
        return self.store.create(QUESTION, values | more).id

    def answer(self, of: str, name: str, value: str, label: str = "", group: str = "") -> str:
        return self.question(of, name, group=group, resco_value=value, resco_valuelabel=label)


class Service:
    """Reads JSON. Paths are as the service has them, options unencoded."""

    def __init__(self, organization: Organization) -> None:
        self.root = f"/odata/questionnaires/v4/{organization.name}/"
        self._client = Client()

    def send(self, path: str = "", *, method: str = "GET", **headers: str) -> HttpResponse:
        address, _, query = path.removeprefix(f"http://testserver{self.root}").partition("?")
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.generic(  # type: ignore[return-value]
            method,
            f"{self.root}{quote(address, safe='/()$')}"
            + (f"?{quote(query, safe='$&=%')}" if query else ""),
            headers={"Authorization": basic(EMAIL)} | given,
        )

    def get(self, path: str = "", **headers: str) -> Any:
        response = self.send(path, **headers)
        assert response.status_code == 200, response.content.decode()
        return orjson.loads(response.content)

    def error(self, path: str, status: int, **more: Any) -> dict[str, str]:
        response = self.send(path, **more)
        assert response.status_code == status, response.content.decode()
        told: dict[str, str] = orjson.loads(response.content)["error"]
        return told
