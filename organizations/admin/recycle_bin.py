"""The recycle bin of an organization: what was deleted, by whom, and bringing it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from organizations.admin.display import name_column
from organizations.admin.page import OrganizationPages
from organizations.catalog import Catalog
from organizations.errors import NotFound, OrganizationError
from organizations.models import DeletedRecord, Organization
from organizations.store import Store

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A deleted record and what it is called."""

    row: DeletedRecord
    name: str


class RecycleBinPages(OrganizationPages):
    """Adds the recycle bin to the admin of organizations."""

    def recycle_bin_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap, base = self.admin_site.admin_view, "organizations_organization"
        return [
            path("<uuid:pk>/bin/", wrap(self.recycle_bin_view), name=f"{base}_bin"),
            path("<uuid:pk>/bin/<int:row>/restore/", wrap(self.restore), name=f"{base}_restore"),
        ]

    def recycle_bin_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """List deleted records, the last first, a page beyond the one before."""
        organization = self.organization(request, pk)
        before, entity = request.GET.get("before", ""), request.GET.get("entity", "")
        rows = organization.recycle_bin.order_by("-pk")
        if entity:
            rows = rows.filter(entity=entity)
        if before.isdecimal():
            rows = rows.filter(pk__lt=int(before))
        found = list(rows[: PAGE + 1])
        return self.page(
            request,
            "bin.html",
            organization,
            title=f"Recycle Bin · {organization}",
            tab="bin",
            lines=[Line(row, _name(organization, row)) for row in found[:PAGE]],
            entity=entity,
            entities=organization.recycle_bin.order_by("entity")
            .values_list("entity", flat=True)
            .distinct(),
            is_later=before.isdecimal(),
            next=found[PAGE - 1].pk if len(found) > PAGE else None,
        )

    def restore(self, request: HttpRequest, pk: Any, row: int) -> HttpResponse:
        """Bring a record back."""
        organization = self.organization(request, pk, change=True)
        deleted = DeletedRecord.objects.filter(organization=organization, pk=row).first()
        if deleted is None:
            raise Http404("That record is no longer in the recycle bin.")
        if request.method != "POST":
            return redirect("admin:organizations_organization_bin", organization.pk)
        try:
            actor = request.user.get_username()
            record = Store(organization).restore(deleted, actor=actor)
        except OrganizationError as error:
            messages.error(request, f"Not restored. {error}")
            return redirect("admin:organizations_organization_bin", organization.pk)
        messages.success(request, "The record is back.")
        place = (organization.pk, record.entity, record.id)
        return redirect("admin:organizations_organization_record", *place)


def _name(organization: Organization, row: DeletedRecord) -> str:
    try:
        entity = Catalog(organization).entity(row.entity)
    except NotFound:
        return str(row.record)
    name = name_column(entity)
    return str((row.document.get(name) if name else None) or row.record)
