"""Are both sides equal: starting Verify, and what it found, entity by entity, record by record."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from connections.models import Connection
from organizations.errors import InvalidRequest
from syncjobs import dispatch
from syncjobs.admin.page import Pages, starter
from syncjobs.models import Difference, Run, Verification

PER_PAGE = 100


class VerificationPages(Pages[Connection]):
    """Adds the proof to the admin of connections."""

    def verification_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:pk>/verify/", wrap(self.verify), name="connections_connection_verify"),
            path(
                "<uuid:pk>/verification/",
                wrap(self.verification_view),
                name="connections_connection_verification",
            ),
        ]

    def verify(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Start Verify for all enabled entities, or for those that were posted."""
        connection = self.row(request, pk)
        if request.method != "POST":
            return redirect("admin:connections_connection_verification", pk)
        user = starter(request)
        try:
            run = dispatch.start_verify(
                connection,
                reason="button",
                entities=request.POST.getlist("entity"),
                quick="quick" in request.POST,
                user=user,
                actor=user.get_username(),
            )
        except InvalidRequest as error:
            messages.error(request, str(error))
            return redirect("admin:connections_connection_verification", pk)
        return redirect("admin:syncjobs_run_change", run.pk)

    def verification_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the last proof of each entity and the differences that were listed."""
        connection = self.row(request, pk)
        entity = request.GET.get("entity", "")
        proofs = Verification.objects.filter(entity__connection=connection, entity__enabled=True)
        listed = Difference.objects.filter(verification__in=proofs)
        if entity:
            listed = listed.filter(verification__entity__name=entity)
        ordered = listed.select_related("verification__entity").order_by(
            "verification__entity__name", "pk"
        )
        runs = connection.runs.filter(kind=Run.Kind.VERIFY)
        return self.page(
            request,
            "admin/syncjobs/verification.html",
            title=f"Verification · {connection.name}",
            original=connection,
            connection=connection,
            entity=entity,
            proofs=proofs.select_related("entity").order_by("entity__name"),
            unproved=connection.entities.filter(enabled=True, verification=None).count(),
            totals=proofs.aggregate(equal=Sum("equal"), differences=Sum("differences")),
            differences=Paginator(ordered, PER_PAGE).get_page(request.GET.get("p")),
            active=runs.filter(state__in=Run.ACTIVE).first(),
        )
