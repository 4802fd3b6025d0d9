"""Taking a run back: a preview first, then the plan that it shows."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from organizations.errors import InvalidRequest
from syncjobs import undo
from syncjobs.admin.page import Pages, starter
from syncjobs.models import Run


class UndoPages(Pages[Run]):
    """Adds Undo to the admin of runs."""

    def undo_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        return [path("<uuid:pk>/undo/", wrap(self.undo), name="syncjobs_run_undo")]

    def undo(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Start the preview, or with a digest the undo itself, and show that run."""
        run = self.row(request, pk)
        if request.method != "POST":
            return redirect("admin:syncjobs_run_change", pk)
        user, digest = starter(request), request.POST.get("digest", "")
        actor = user.get_username()
        try:
            if digest:
                started = undo.start(run, digest, reason="button", user=user, actor=actor)
            else:
                started = undo.start_preview(run, reason="button", user=user, actor=actor)
        except InvalidRequest as error:
            messages.error(request, str(error))
            return redirect("admin:syncjobs_run_change", pk)
        return redirect("admin:syncjobs_run_change", started.pk)
