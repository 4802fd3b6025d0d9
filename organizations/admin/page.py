"""What the pages of one organization have in common: frame, tabs, language, permission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from psycopg.errors import QueryCanceled
from unfold.admin import ModelAdmin

from organizations.catalog import Catalog
from organizations.errors import InvalidRequest, NotFound
from organizations.models import Organization
from organizations.schema import Entity
from organizations.tables.database import one, run

PATIENCE = 8
"""Seconds a search may take before it is given up with a word of advice."""
LANGUAGE = "organizations_language"
LANGUAGE_NAMES = {
    1029: "Čeština",
    1030: "Dansk",
    1031: "Deutsch",
    1033: "English",
    1036: "Français",
    1040: "Italiano",
    1041: "日本語",
    1044: "Norsk",
    1045: "Polski",
    1051: "Slovenčina",
    1053: "Svenska",
    3082: "Español",
}


class OrganizationPages(ModelAdmin[Organization]):
    """The admin of organizations, whose pages are templates of our own."""

    def page(
        self,
        request: HttpRequest,
        template: str,
        organization: Organization,
        *,
        title: str,
        tab: str,
        status: int = 200,
        **context: Any,
    ) -> HttpResponse:
        """Render a page with the admin's frame and the organization's tabs around it."""
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": title,
            "organization": organization,
            "tab": tab,
            "language": language(request, organization),
            "languages": [(lcid, language_name(lcid)) for lcid in lcids(organization)],
            "may_change": self.has_change_permission(request, organization),
            **context,
        }
        return render(request, f"admin/organizations/{template}", whole, status=status)

    def organization(self, request: HttpRequest, pk: Any, *, change: bool = False) -> Organization:
        """Return the organization of an address; raises Http404 or PermissionDenied."""
        found = self.get_object(request, str(pk))
        if found is None:
            raise Http404("There is no such organization.")
        allowed = self.has_change_permission if change else self.has_view_permission
        if not allowed(request, found):
            raise PermissionDenied
        return found


def entity_of(organization: Organization, name: str) -> Entity:
    """Return the entity of an address; raises Http404."""
    try:
        return Catalog(organization).entity(name)
    except NotFound as error:
        raise Http404(str(error)) from error


def lcids(organization: Organization) -> list[int]:
    """Return the languages of an organization, the base language first."""
    others = [lcid for lcid in organization.languages if lcid != organization.language]
    return [organization.language, *others]


def language_name(lcid: int) -> str:
    """Return a language by its own name, or its LCID."""
    return LANGUAGE_NAMES.get(lcid, str(lcid))


def language(request: HttpRequest, organization: Organization) -> int:
    """Return the language of labels: the one asked for, else the last one, else the base."""
    asked = request.GET.get("lang", "")
    if asked.isdecimal() and int(asked) in lcids(organization):
        request.session[LANGUAGE] = int(asked)
    chosen = request.session.get(LANGUAGE)
    return chosen if chosen in lcids(organization) else organization.language


@contextmanager
def patience(*, scanning: bool = False) -> Iterator[None]:
    """Give up what the database does inside after PATIENCE seconds. Raises InvalidRequest.

    `scanning` says that a whole table may have to be read for a few rows. PostgreSQL likes to
    walk along the primary key then, because it hopes to find them soon; where there are none,
    reading the table as it lies takes a fifth of the time, and never much longer.
    """
    settings = {"statement_timeout": f"{PATIENCE}s"}
    if scanning:
        settings["enable_indexscan"] = "off"
    try:
        with transaction.atomic(), _set(settings):
            yield
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise InvalidRequest(
            f"This took longer than {PATIENCE} seconds and was given up. Narrow the search, or "
            "sort by the id.",
            "search",
        ) from error


@contextmanager
def _set(settings: Mapping[str, str]) -> Iterator[None]:
    """Change settings of the database until the end of the block; an error undoes them, too."""
    before = {name: one("SELECT current_setting(%s)", [name]) for name in settings}
    for name, value in settings.items():
        run("SELECT set_config(%s, %s, true)", [name, value])
    yield
    for name, row in before.items():
        run("SELECT set_config(%s, %s, true)", [name, *(row or ())])
