"""Deletions that wait for a person: how many, why, some of them, and the decision."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from connections.models import Connection
from syncjobs import dispatch, held
from syncjobs.admin.page import Pages, signed_in
from syncjobs.models import HeldDeletions

PAST = 20
_PAGE = "admin:connections_connection_held"


class HeldPages(Pages[Connection]):
    """Adds the decision about held deletions to the admin of connections."""

    def held_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap, name = self.admin_site.admin_view, "connections_connection_held"
        return [
            path("<uuid:pk>/held/", wrap(self.held_view), name=name),
            path("<uuid:pk>/held/<int:number>/", wrap(self.decide), name=f"{name}_decide"),
        ]

    def held_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """List what waits, entity by entity, and what was decided before."""
        connection = self.row(request, pk)
        past = HeldDeletions.objects.filter(entity__connection=connection)
        return self.page(
            request,
            "admin/syncjobs/held.html",
            title=f"Held Deletions · {connection.name}",
            original=connection,
            connection=connection,
            held=held.waiting(connection),
            may_decide=request.user.has_perm(held.PERMISSION),
            past=past.exclude(state=held.State.WAITING).select_related("entity")[:PAST],
        )

    def decide(self, request: HttpRequest, pk: str, number: int) -> HttpResponse:
        """Ask whether the administrator is sure, then approve or decline."""
        connection = self.row(request, pk)
        if not request.user.has_perm(held.PERMISSION):
            raise PermissionDenied
        decision = request.POST.get("decision", "")
        if request.method != "POST" or decision not in ("approve", "decline"):
            return redirect(_PAGE, pk)
        row = held.waiting(connection).filter(pk=number).first()
        if "sure" not in request.POST and row is not None:
            return self.page(
                request,
                "admin/syncjobs/held_sure.html",
                title=f"Held Deletions · {connection.name}",
                original=connection,
                connection=connection,
                row=row,
                decision=decision,
            )
        return self._decide(request, connection, number, decision)

    def _decide(
        self, request: HttpRequest, connection: Connection, number: int, decision: str
    ) -> HttpResponse:
        user, count = signed_in(request), request.POST.get("count", "")
        if not count.isdecimal():
            raise Http404
        act = held.approve if decision == "approve" else held.decline
        try:
            row = act(connection, number, by=user.get_username(), count=int(count))
        except held.CannotDecide as error:
            messages.error(request, str(error))
            return redirect(_PAGE, connection.pk)
        if decision == "decline":
            messages.success(request, f"{row.count:,} records of {row.entity} are kept.")
            return redirect(_PAGE, connection.pk)
        run = dispatch.start_sync(
            connection,
            reason="approved deletions",
            entities=[row.entity.name],
            user=user,
            actor=user.get_username(),
        )
        return redirect("admin:syncjobs_run_change", run.pk)
