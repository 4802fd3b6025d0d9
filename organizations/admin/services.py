"""The services of an organization: their addresses, a first call of each, and its SQL user."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from organizations.admin.page import OrganizationPages
from organizations.catalog import sql_users
from organizations.errors import OrganizationError
from organizations.models import Organization

_SOMEBODY = "user@example.com"


@dataclass(frozen=True, slots=True)
class Service:
    """An address, and the line for a shell that asks it something; no line holds a password."""

    name: str
    url: str
    what: str
    line: str


class ServicePages(OrganizationPages):
    """Adds the page of services to the admin of organizations."""

    def service_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap, base = self.admin_site.admin_view, "organizations_organization"
        return [
            path("<uuid:pk>/services/", wrap(self.services_view), name=f"{base}_services"),
            path("<uuid:pk>/sql-user/", wrap(self.sql_user_view), name=f"{base}_sql_user"),
        ]

    def services_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Show the addresses."""
        return self._services(request, self.organization(request, pk))

    def sql_user_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Make the SQL user and show its password, this once; or remove it."""
        organization = self.organization(request, pk, change=True)
        if request.method == "POST":
            try:
                if request.POST.get("act") == "make":
                    password = sql_users.make(organization)
                    return self._services(request, organization, password=password)
                sql_users.remove(organization)
                messages.success(request, "The SQL user was removed.")
            except OrganizationError as error:
                messages.error(request, str(error))
        return redirect("admin:organizations_organization_services", organization.pk)

    def _services(
        self, request: HttpRequest, organization: Organization, password: str = ""
    ) -> HttpResponse:
        return self.page(
            request,
            "services.html",
            organization,
            title=f"Services · {organization}",
            tab="services",
            services=services(request, organization, _login(organization)),
            has_members=organization.members.filter(is_active=True).exists(),
            sql_user=sql_users.find(organization),
            sql_line=shlex.join(sql_users.psql(organization)),
            password=password,
        )


def services(request: HttpRequest, organization: Organization, login: str) -> Sequence[Service]:
    """Return what answers for an organization; `login` is who the examples sign in as."""
    if organization.kind == Organization.Kind.DYNAMICS_TWIN:
        return _of_twin(request, organization, login)
    data = _address(request, "rest-data", {"path": organization.name})
    metadata = _address(request, "rest-metadata", {"path": organization.name})
    odata = _address(request, "odata", {"path": f"{organization.name}/"})
    questionnaires = _address(request, "odata-questionnaires", {"path": f"{organization.name}/"})
    who = _curl(login, "--request", "POST", f"{data}/WhoAmI")
    return (
        Service("REST data", data, "Records, as XML", who),
        Service("REST metadata", metadata, "Entities", _curl(login, f"{metadata}/$entities")),
        Service("OData 4.0", odata, "Records, as JSON", _curl(login, odata)),
        Service(
            "Questionnaire OData",
            questionnaires,
            "Answered questionnaires, as JSON",
            _curl(login, questionnaires),
        ),
    )


def _of_twin(request: HttpRequest, twin: Organization, login: str) -> Sequence[Service]:
    """Return the Web API and where its tokens come from.

    curl asks for a password only for Basic, which the token's address takes of an application;
    a member's password stands in the form, so the shell asks for it.
    """
    api = _address(request, "dynamics-api", {"name": twin.name, "version": "9.2", "path": ""})
    token = _address(request, "dynamics-token", {"name": twin.name})
    root = api.partition("api/data/")[0]
    fields = {"grant_type": "password", "scope": f"{root}.default", "username": login}
    form = [part for pair in fields.items() for part in ("--data-urlencode", "=".join(pair))]
    asked = shlex.join(["curl", "--fail", *form])
    who = f"{api}WhoAmI"
    return (
        Service(
            "Token",
            token,
            "For an hour, as JSON",
            f"read -rsp 'Password: ' p; printf %s \"$p\" | {asked} "
            f"--data-urlencode password@- {shlex.quote(token)}",
        ),
        Service(
            "Web API",
            api,
            "Records and metadata, as JSON",
            f"read -rsp 'Token: ' t; printf 'header = \"Authorization: Bearer %s\"' \"$t\" | "
            f"{shlex.join(['curl', '--fail', '--config', '-', who])}",
        ),
    )


def _curl(login: str, *arguments: str) -> str:
    return shlex.join(["curl", "--fail", "--user", login, *arguments])


def _address(request: HttpRequest, name: str, given: dict[str, str]) -> str:
    return request.build_absolute_uri(reverse(name, kwargs=given))


def _login(organization: Organization) -> str:
    member = organization.members.filter(is_active=True).order_by("created").first()
    return member.email if member else _SOMEBODY
