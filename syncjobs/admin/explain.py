"""The page that tells the story of one record."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from connections.errors import ConnectorError
from connections.models import Connection
from organizations.errors import InvalidRequest
from syncjobs.admin.page import Pages
from syncjobs.explain.explaining import explain


class ExplainPages(Pages[Connection]):
    """Adds the explanation of records to the admin of connections."""

    def explain_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<uuid:pk>/explain/", wrap(self.explain_view), name="connections_connection_explain"
            )
        ]

    def explain_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the search box, and the story of the record that is asked for."""
        connection = self.row(request, pk)
        record, story, problem = request.GET.get("record", "").strip(), None, ""
        if record:
            try:
                story = explain(connection, record)
            except (InvalidRequest, ConnectorError) as error:
                problem = str(error)
        return self.page(
            request,
            "admin/syncjobs/explain.html",
            title=f"Explain a record · {connection.name}",
            status=400 if problem else 200,
            original=connection,
            connection=connection,
            record=record,
            problem=problem,
            story=story,
        )
