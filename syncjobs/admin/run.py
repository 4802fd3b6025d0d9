"""Runs: the history, and one run's page with live counts, errors and Cancel."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from unfold.decorators import display

from connections.metadata import import_file
from syncjobs import dispatch, undo
from syncjobs.admin.page import starter
from syncjobs.admin.plan import PlanPages
from syncjobs.admin.undo import UndoPages
from syncjobs.models import Run, RunEntity

ERRORS_PER_PAGE = 50
COUNTS = ("read", *RunEntity.COUNTS)

RUN_COLOURS = {
    "queued": "info",
    "running": "info",
    "cancelling": "warning",
    "succeeded": "success",
    "partly": "warning",
    "failed": "danger",
    "cancelled": "danger",
}


@admin.register(Run)
class RunAdmin(PlanPages, UndoPages):
    """Newest first; a run is never edited."""

    list_display = ("what", "shown_state", "asked", "duration", "started_by", "message")
    list_display_links = ("what",)
    list_filter = ("state", "kind", "connection", "job")
    search_fields = ("connection__name", "message", "actor")
    date_hierarchy = "created"
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Bring the connection along."""
        return super().get_queryset(request).select_related("connection__server")

    def get_urls(self) -> list[URLPattern]:
        """Add Cancel, Undo and the plan."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:pk>/cancel/", wrap(self.cancel), name="syncjobs_run_cancel"),
            *self.undo_urls(),
            *self.plan_urls(),
            *super().get_urls(),
        ]

    @admin.display(description="Run")
    def what(self, row: Run) -> str:
        """Return kind and client."""
        return f"{row} (dry run)" if row.options.get("dry_run") else str(row)

    @display(description="State", ordering="state", label=RUN_COLOURS)
    def shown_state(self, row: Run) -> tuple[str, str]:
        """Return the state, and in words."""
        return row.state, row.get_state_display()

    @admin.display(description="Asked for (UTC)", ordering="created")
    def asked(self, row: Run) -> str:
        """Return when it was asked for."""
        return f"{row.created:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Started by")
    def started_by(self, row: Run) -> str:
        """Return which door it came through, and who opened it."""
        return ", ".join(filter(None, (row.reason, row.actor)))

    @admin.display(description="Duration")
    def duration(self, row: Run) -> str:
        """Return minutes and seconds, empty while it goes on."""
        if row.started is None or row.finished is None:
            return ""
        seconds = int((row.finished - row.started).total_seconds())
        return f"{seconds // 60}:{seconds % 60:02d}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Runs are started from their connection."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        """History goes by retention only."""
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the run; the page asks the API for news while it goes on."""
        run = self.row(request, object_id)
        errors = Paginator(run.errors.all(), ERRORS_PER_PAGE).get_page(request.GET.get("p"))
        return self.page(
            request,
            "admin/syncjobs/run.html",
            title=str(run),
            original=run,
            run=run,
            connection=run.connection,
            entities=[
                (entity, [getattr(entity, name) for name in COUNTS])
                for entity in run.entities.all()
            ],
            counts=COUNTS,
            errors=errors,
            plan=run.result if "entities" in run.result else None,
            import_form=import_file.FORM,
            import_where=import_file.WHERE,
            undo=run.result.get("undo"),
            may_undo=not undo.reason_against(run),
        )

    def cancel(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Ask the run to stop at the end of its page."""
        run = self.row(request, pk)
        if request.method == "POST":
            starter(request)
            if not dispatch.cancel(run):
                messages.info(request, "The run had ended already.")
        return redirect("admin:syncjobs_run_change", pk)
