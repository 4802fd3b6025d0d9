"""Check Readiness: the button that starts it, and the report it leaves."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from connections.models import Connection
from connections.readiness import saving
from syncjobs import dispatch
from syncjobs.admin.page import Pages, starter
from syncjobs.models import Run


class ReadinessPages(Pages[Connection]):
    """Adds the readiness report to the admin of connections."""

    def readiness_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<uuid:pk>/readiness/",
                wrap(self.readiness_view),
                name="connections_connection_readiness",
            )
        ]

    def readiness_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the newest report; POST starts a check and shows its run."""
        connection = self.row(request, pk)
        if request.method == "POST":
            user = starter(request)
            run = dispatch.start(
                connection,
                Run.Kind.READINESS,
                reason="button",
                user=user,
                actor=user.get_username(),
            )
            return redirect("admin:syncjobs_run_change", run.pk)
        return self.page(
            request,
            "admin/connections/readiness.html",
            title=f"Readiness · {connection.name}",
            original=connection,
            connection=connection,
            report=saving.latest(connection),
        )
