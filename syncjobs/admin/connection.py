"""Connections: the list, the dialog that connects, and the page with ribbon and entities grid."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from connections.admin import connect_form, signing_in
from connections.admin.connect_form import ConnectForm
from connections.admin.signing_in import SignedInHere
from connections.connect import admission, clients, proof, service
from connections.connect.errors import ConnectError
from connections.errors import Refused
from connections.logins import LoginKind
from connections.models import Connection
from organizations.errors import InvalidRequest
from organizations.models import Organization
from syncjobs import client_hooks, dispatch
from syncjobs.admin.dashboard import with_last_run
from syncjobs.admin.entities import EntitiesPages
from syncjobs.admin.explain import ExplainPages
from syncjobs.admin.filter import FilterPages
from syncjobs.admin.held import HeldPages
from syncjobs.admin.metadata import MetadataPages
from syncjobs.admin.names import NamesPages
from syncjobs.admin.page import signed_in, starter
from syncjobs.admin.readiness import ReadinessPages
from syncjobs.admin.recycle import RecyclePages
from syncjobs.admin.rehearsal import RehearsalPages
from syncjobs.admin.requests import RequestsPages
from syncjobs.admin.run import RUN_COLOURS
from syncjobs.admin.settings import SettingsPages
from syncjobs.admin.signing_in import SignInPages
from syncjobs.admin.transactions import TransactionPages
from syncjobs.admin.verification import VerificationPages
from syncjobs.models import Run

BUTTON = "button"
STATE_COLOURS = {"ready": "success", "failed": "danger", "setting_up": "warning"}


@admin.register(Connection)
class ConnectionAdmin(
    SignInPages,
    EntitiesPages,
    FilterPages,
    ExplainPages,
    HeldPages,
    MetadataPages,
    NamesPages,
    ReadinessPages,
    RecyclePages,
    RehearsalPages,
    RequestsPages,
    SettingsPages,
    TransactionPages,
    VerificationPages,
):
    """Server and client, state, last run; nothing is edited in the list."""

    list_display = ("client_name", "server_name", "shown_state", "last_run", "last_run_time")
    list_display_links = ("client_name",)
    search_fields = ("name", "server__url", "server__organization_name_seen")
    list_filter = ("state",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        """Bring each connection's last run along."""
        return with_last_run(super().get_queryset(request))

    def get_urls(self) -> list[URLPattern]:
        """Add what the ribbon does."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<uuid:pk>/sync-all/", wrap(self.sync_all), name="connections_connection_sync_all"
            ),
            path(
                "<uuid:pk>/disconnect/",
                wrap(self.disconnect),
                name="connections_connection_disconnect",
            ),
            *self.sign_in_urls(),
            *self.filter_urls(),
            *self.explain_urls(),
            *self.held_urls(),
            *self.metadata_urls(),
            *self.names_urls(),
            *self.readiness_urls(),
            *self.recycle_urls(),
            *self.rehearsal_urls(),
            *self.requests_urls(),
            *self.settings_urls(),
            *self.transactions_urls(),
            *self.verification_urls(),
            *super().get_urls(),
        ]

    @admin.display(description="Client", ordering="name")
    def client_name(self, row: Connection) -> str:
        """Return the client organization's name."""
        return row.name

    @admin.display(description="Server")
    def server_name(self, row: Connection) -> str:
        """Return which server it is connected to."""
        return f"{row.server.get_backend_display()} · {row.server}"

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def shown_state(self, row: Connection) -> tuple[str, str]:
        """Return the state, and in words."""
        return row.state, row.get_state_display()

    @display(description="Last run", ordering="last_run_state", label=RUN_COLOURS)
    def last_run(self, row: Connection) -> tuple[str, str] | None:
        """Return how the last run ended, and in words."""
        state = getattr(row, "last_run_state", None)
        return None if state is None else (state, Run.State(state).label)

    @admin.display(description="at (UTC)", ordering="last_run_at", empty_value="never")
    def last_run_time(self, row: Connection) -> str | None:
        """Return when the last run was asked for."""
        at = getattr(row, "last_run_at", None)
        return None if at is None else f"{at:%Y-%m-%d %H:%M}"

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Connect: prove both logins, save, start the job, show it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        who = self._signed_in(request)
        form = ConnectForm(
            request.POST or None,
            request.FILES or None,
            initial=self._known(request),
            signed_in=who,
        )
        if request.method == "POST" and form.is_valid():
            run = self._connect(request, form)
            if run is not None:
                signing_in.connected(request)
                return redirect("admin:syncjobs_run_change", run.pk)
        clients = Organization.objects.filter(kind=Organization.Kind.CLIENT)
        return self.page(
            request,
            "admin/connections/connect.html",
            title="Resco CRM Sync Connection Setup",
            form=form,
            signed_in=who,
            clients=clients.values_list("name", flat=True),
            invitation=admission.invitation(),
            status=400 if form.errors else 200,
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show ribbon and entities grid; POST saves the grid."""
        return self.grid_view(request, object_id)

    def has_delete_permission(self, request: HttpRequest, obj: Connection | None = None) -> bool:
        """Disconnecting has a page of its own that says what stays."""
        return False

    def sync_all(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Start Sync All, or a dry run of it."""
        connection = self.row(request, pk)
        if request.method != "POST":
            return redirect("admin:connections_connection_change", pk)
        user = starter(request)
        try:
            run = dispatch.start_sync(
                connection,
                reason=BUTTON,
                dry_run="dry_run" in request.POST,
                full="full" in request.POST,
                user=user,
                actor=user.get_username(),
            )
        except InvalidRequest as error:
            messages.error(request, str(error))
            return redirect("admin:connections_connection_change", pk)
        return redirect("admin:syncjobs_run_change", run.pk)

    def disconnect(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Remove the connection with its links and history; both organizations stay."""
        connection = self.row(request, pk, change=True)
        active = connection.runs.filter(state__in=Run.ACTIVE).exists()
        if request.method != "POST" or active:
            return self.page(
                request,
                "admin/connections/disconnect.html",
                title=f"Disconnect {connection.name}",
                original=connection,
                connection=connection,
                active=active,
            )
        left = client_hooks.remove(connection)
        with transaction.atomic():
            server, client = connection.server, connection.client
            connection.delete()
            server.delete()
            client.delete()
        messages.success(request, f"{connection.name} is disconnected. Its records are all there.")
        if left:
            messages.warning(request, left)
        return HttpResponseRedirect(reverse("admin:connections_connection_changelist"))

    def _known(self, request: HttpRequest) -> dict[str, str]:
        """Return what the dialog begins with: the connection of `?client=`, to connect it again."""
        if "sign_in" in request.GET:
            return {**signing_in.remembered(request), "login": LoginKind.MICROSOFT}
        found = self.get_queryset(request).filter(name=request.GET.get("client", "")).first()
        return {} if found is None else connect_form.known(found)

    def _signed_in(self, request: HttpRequest) -> SignedInHere | None:
        try:
            return signing_in.signed_in(request)
        except Refused as error:
            signing_in.connected(request)
            messages.error(request, str(error))
            return None

    def _connect(self, request: HttpRequest, form: ConnectForm) -> Run | None:
        """Return the job, or None after the fault was put into the form."""
        user = signed_in(request)
        try:
            wanted = form.request()
            wished = form.who()
            service.check_free(wished.name, wanted.backend, wanted.url)
            who = clients.prove(wished)
            proven = proof.prove(wanted, keeper=signing_in.SessionKeeper(request))
            with transaction.atomic():
                connection = service.connect(proven, who)
                return dispatch.start(
                    connection,
                    Run.Kind.CONNECT,
                    reason=BUTTON,
                    user=user,
                    actor=user.get_username(),
                )
        except (InvalidRequest, ConnectError) as error:
            form.add_fault(error.element, str(error))
            return None
