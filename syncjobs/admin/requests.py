"""Requests to a connection's server: the ledger of two days, and the cap."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from connections import ledger
from connections.admin.cap_form import CapForm
from connections.models import Connection
from syncjobs.admin.page import Pages


class RequestsPages(Pages[Connection]):
    """Adds the ledger to the admin of connections."""

    def requests_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<uuid:pk>/requests/",
                wrap(self.requests_view),
                name="connections_connection_requests",
            )
        ]

    def requests_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the ledger; POST saves the cap."""
        connection = self.row(request, pk, change=request.method == "POST")
        form = CapForm(
            request.POST if request.method == "POST" else None, endpoint=connection.server
        )
        if request.method == "POST" and form.is_valid():
            cap = form.keep()
            messages.success(request, f"At most {cap}." if cap else "There is no cap now.")
            return redirect("admin:connections_connection_requests", pk)
        return self.page(
            request,
            "admin/connections/requests.html",
            title=f"Requests · {connection.name}",
            original=connection,
            connection=connection,
            form=form,
            hours=ledger.recent(connection.server),
            status=400 if form.errors else 200,
        )
