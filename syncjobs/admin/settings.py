"""Settings of a connection, and the rules of one of its entities, as pages."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from connections.admin.settings_form import RulesForm, SettingsForm
from connections.models import Connection
from syncjobs.admin.page import Pages

SECTIONS = (
    ("Client to server", ("write_mode", "reply", "reply_seconds", "atomic")),
    ("Deletions that wait for a person", ("delete_limit", "delete_percent", "delete_floor")),
    ("Taking back", ("recycle_days", "image_days")),
    ("Proof", ("verify_requests",)),
)


class SettingsPages(Pages[Connection]):
    """Adds both pages to the admin of connections."""

    def settings_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<uuid:pk>/settings/",
                wrap(self.settings_view),
                name="connections_connection_settings",
            ),
            path(
                "<uuid:pk>/rules/<str:name>/",
                wrap(self.rules_view),
                name="connections_connection_rules",
            ),
        ]

    def settings_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the settings; POST saves them."""
        connection = self.row(request, pk, change=request.method == "POST")
        form = SettingsForm(request.POST or None, instance=connection)
        if request.method == "POST" and form.is_valid():
            form.save()
            messages.success(request, "The settings are saved. They hold from now on.")
            return redirect("admin:connections_connection_change", pk)
        return self.page(
            request,
            "admin/connections/settings.html",
            title=f"Settings · {connection.name}",
            original=connection,
            connection=connection,
            sections=[(title, [form[name] for name in names]) for title, names in SECTIONS],
            status=400 if form.errors else 200,
        )

    def rules_view(self, request: HttpRequest, pk: str, name: str) -> HttpResponse:
        """Show the rules of one entity; POST saves them."""
        connection = self.row(request, pk, change=request.method == "POST")
        entity = connection.entities.filter(name=name).first()
        if entity is None:
            raise Http404
        form = RulesForm(request.POST or None, instance=entity)
        if request.method == "POST" and form.is_valid():
            form.save()
            messages.success(request, f"The rules of {entity.label or entity.name} are saved.")
            return redirect("admin:connections_connection_change", pk)
        return self.page(
            request,
            "admin/connections/settings.html",
            title=f"Rules · {entity.label or entity.name}",
            original=connection,
            connection=connection,
            sections=[("", list(form))],
            status=400 if form.errors else 200,
        )
