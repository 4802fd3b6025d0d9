"""Organizations hosted here: the list, making one, and the pages of each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern

from organizations import deletions
from organizations.admin.entities import EntityPages
from organizations.admin.faults import FaultPages
from organizations.admin.members import MemberForm, MemberPages
from organizations.admin.page import LANGUAGE_NAMES
from organizations.admin.plugins import PluginPages
from organizations.admin.records import RecordPages
from organizations.admin.recycle_bin import RecycleBinPages
from organizations.admin.services import ServicePages
from organizations.catalog import create_organization
from organizations.errors import OrganizationError
from organizations.members import add_member
from organizations.models import Organization
from organizations.schema import ENGLISH


class OrganizationForm(MemberForm):
    """A new organization and its first administrator."""

    name = forms.CharField(
        label="Organization",
        max_length=40,
        help_text="2 to 40 lower-case letters, digits and hyphens.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    display_name = forms.CharField(label="Display Name", max_length=160, required=False)
    language = forms.TypedChoiceField(
        label="Language",
        coerce=int,
        initial=ENGLISH,
        choices=list(LANGUAGE_NAMES.items()),
    )
    is_administrator = None  # type: ignore[assignment]
    field_order = ("name", "display_name", "language", "email", "password", "again")


@admin.register(Organization)
class OrganizationAdmin(
    EntityPages, RecordPages, MemberPages, ServicePages, RecycleBinPages, FaultPages, PluginPages
):
    """The list of organizations; each opens with its entities."""

    list_display = ("shown_name", "name", "shown_kind", "shown_entities", "shown_members", "made")
    list_display_links = ("shown_name",)
    search_fields = ("name", "display_name")
    list_filter = ("kind",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        """Bring the numbers of enabled entities and of members along."""
        enabled = Q(entities__has_table=True, entities__is_hidden=False)
        return (
            super()
            .get_queryset(request)
            .annotate(
                enabled_entities=Count("entities", filter=enabled, distinct=True),
                member_count=Count("members", distinct=True),
            )
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of an organization."""
        return [
            *self.entity_urls(),
            *self.record_urls(),
            *self.member_urls(),
            *self.service_urls(),
            *self.recycle_bin_urls(),
            *self.fault_urls(),
            *self.plugin_urls(),
            *super().get_urls(),
        ]

    @admin.display(description="Display Name", ordering="display_name")
    def shown_name(self, row: Organization) -> str:
        """Return the name people see."""
        return str(row)

    @admin.display(description="Kind", ordering="kind")
    def shown_kind(self, row: Organization) -> str:
        """Return what the organization is for."""
        return row.get_kind_display()

    @admin.display(description="Enabled entities", ordering="enabled_entities")
    def shown_entities(self, row: Organization) -> int:
        """Return how many entities have records here."""
        return int(getattr(row, "enabled_entities", 0))

    @admin.display(description="Members", ordering="member_count")
    def shown_members(self, row: Organization) -> int:
        """Return how many people may sign in."""
        return int(getattr(row, "member_count", 0))

    @admin.display(description="Made", ordering="created")
    def made(self, row: Organization) -> str:
        """Return when the organization was made."""
        return f"{row.created:%Y-%m-%d %H:%M} UTC"

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """Records are not deleted by a click in a list."""
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the entities."""
        return self.entities_view(request, object_id)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Make an empty organization with an administrator."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = OrganizationForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            organization = _make(form)
            if organization is not None:
                messages.success(request, f"The organization {organization} was made.")
                return redirect("admin:organizations_organization_change", organization.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "New organization",
            "form": form,
        }
        status = 400 if form.errors else 200
        return render(request, "admin/organizations/add.html", context, status=status)


def _make(form: OrganizationForm) -> Organization | None:
    data = form.cleaned_data
    try:
        with transaction.atomic():
            organization = create_organization(
                data["name"], display_name=data["display_name"], languages=[data["language"]]
            )
            deletions.define(organization)
            add_member(organization, data["email"], data["password"], is_administrator=True)
    except OrganizationError as error:
        field = getattr(error, "element", "name")
        form.add_error(field if field in form.fields else "name", str(error))
        return None
    return organization
