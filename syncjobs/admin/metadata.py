"""Update Server: a preview made by a job, and the button that applies exactly that preview."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from connections.models import Connection
from organizations.errors import NotFound
from syncjobs import dispatch, import_files
from syncjobs.admin.page import Pages, starter
from syncjobs.models import Run


class MetadataPages(Pages[Connection]):
    """Adds Update Server to the admin of connections."""

    def metadata_urls(self) -> list[URLPattern]:
        """Return the addresses of these actions."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<uuid:pk>/update-server/",
                wrap(self.update_server),
                name="connections_connection_update_server",
            ),
            path(
                "<uuid:pk>/import-file/",
                wrap(self.import_file),
                name="connections_connection_import_file",
            ),
        ]

    def import_file(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Download what the client lacks, to import it there."""
        connection = self.row(request, pk)
        try:
            made = import_files.latest(connection)
        except NotFound:
            messages.info(request, "There is nothing to import by hand.")
            return redirect("admin:connections_connection_change", pk)
        response = HttpResponse(made.content, content_type=import_files.MEDIA_TYPE)
        response["Content-Disposition"] = f'attachment; filename="{made.name}"'
        return response

    def update_server(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Start a preview; with `preview` (a run's id), apply the plan that it made.

        With `full` also what the server says did not change is read.
        """
        connection = self.row(request, pk)
        if request.method != "POST":
            return redirect("admin:connections_connection_change", pk)
        user = starter(request)
        full = {"full": True} if "full" in request.POST else {}
        options: dict[str, object] = {"preview": True, **full}
        if previewed := request.POST.get("preview"):
            run = _preview(connection, previewed)
            if run is None:
                messages.error(request, "That preview is gone. Make a new one.")
                return redirect("admin:connections_connection_change", pk)
            full = {"full": True} if run.options.get("full") else {}
            options = {"plan": run.result, **full}
        started = dispatch.start(
            connection,
            Run.Kind.UPDATE_SERVER,
            reason="button",
            user=user,
            actor=user.get_username(),
            options=options,
        )
        return redirect("admin:syncjobs_run_change", started.pk)


def _preview(connection: Connection, pk: str) -> Run | None:
    """Return the run that made a preview, None if there is no such preview to apply."""
    try:
        key = UUID(pk)
    except ValueError:
        return None
    made = connection.runs.filter(pk=key, state=Run.State.SUCCEEDED).first()
    return made if made is not None and made.result else None
