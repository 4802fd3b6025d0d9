"""Names of attributes that differ between server and client: the list, and one entity's."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from connections.models import Connection, SyncedEntity
from connections.naming import editing
from organizations.errors import InvalidRequest
from syncjobs.admin.page import Pages

BLANK_ROWS = 3
SAVED = "The names of {} are saved. Press Update Server to take them over."


class NamesPages(Pages[Connection]):
    """Adds both pages to the admin of connections."""

    def names_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:pk>/names/", wrap(self.names_view), name="connections_connection_names"),
            path(
                "<uuid:pk>/names/<str:name>/",
                wrap(self.entity_names_view),
                name="connections_connection_entity_names",
            ),
        ]

    def names_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """List the entities with other names; `?entity=` opens one."""
        connection = self.row(request, pk)
        wanted = request.GET.get("entity", "").strip()
        problem = ""
        if wanted:
            try:
                found = editing.find(connection, wanted)
                return redirect("admin:connections_connection_entity_names", pk, found.name)
            except InvalidRequest as error:
                problem = str(error)
        return self.page(
            request,
            "admin/connections/names.html",
            title=f"Names · {connection.name}",
            original=connection,
            connection=connection,
            rows=editing.listed(connection),
            every=connection.entities.values_list("name", "label"),
            wanted=wanted,
            problem=problem,
            status=400 if problem else 200,
        )

    def entity_names_view(self, request: HttpRequest, pk: str, name: str) -> HttpResponse:
        """Show the names of one entity; POST saves them, or resets them to the suggestion."""
        connection = self.row(request, pk, change=request.method == "POST")
        row = _entity(connection, name)
        typed: Mapping[str, str] | None = None
        problem = ""
        if request.method == "POST":
            typed = _typed(request)
            try:
                return self._saved(request, row, typed)
            except InvalidRequest as error:
                problem = str(error)
        found = editing.look(row)
        pairs = dict(found.pairs) if typed is None else typed
        return self.page(
            request,
            "admin/connections/entity_names.html",
            title=f"Names · {row.label or row.name}",
            original=connection,
            connection=connection,
            entity=row,
            found=found,
            pairs=[*pairs.items(), *([("", "")] * BLANK_ROWS)],
            problem=problem,
            status=400 if problem else 200,
        )

    def _saved(
        self, request: HttpRequest, row: SyncedEntity, typed: Mapping[str, str]
    ) -> HttpResponse:
        """Save, and go back to the list. Raises InvalidRequest."""
        is_reset = "reset" in request.POST
        is_other = editing.reset(row) if is_reset else editing.save(row, typed)
        label = row.label or row.name
        if is_other:
            messages.success(request, SAVED.format(label))
        else:
            messages.info(request, f"The names of {label} are as they were.")
        return redirect("admin:connections_connection_names", row.connection_id)


def _entity(connection: Connection, name: str) -> SyncedEntity:
    try:
        return editing.find(connection, name)
    except InvalidRequest as error:
        raise Http404(str(error)) from error


def _typed(request: HttpRequest) -> dict[str, str]:
    """Return the rows of the form; one that is empty on a side is left out. Raises nothing."""
    here, there = request.POST.getlist("server"), request.POST.getlist("client")
    pairs = zip_longest(here, there, fillvalue="")
    named = ((server.strip(), client.strip()) for server, client in pairs)
    return {server: client for server, client in named if server and client}
