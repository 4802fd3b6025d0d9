"""The list of alerts: what is silent now, and what was."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from syncjobs.admin.page import Pages
from syncjobs.models import Alert


@admin.register(Alert)
class AlertAdmin(Pages[Alert]):
    """Opened and closed by the clock; nothing is edited."""

    list_display = ("shown_kind", "connection", "message", "since", "until")
    list_display_links = None
    list_filter = ("kind", ("closed", admin.EmptyFieldListFilter), "connection")
    list_select_related = ("connection",)
    search_fields = ("message", "subject", "connection__name")

    @display(description="Alert", ordering="kind", label={"open": "danger", "over": "success"})
    def shown_kind(self, row: Alert) -> tuple[str, str]:
        """Return whether it is open, and what it is about."""
        return ("over" if row.closed else "open"), row.get_kind_display()

    @admin.display(description="Since (UTC)", ordering="opened")
    def since(self, row: Alert) -> str:
        """Return when it was noticed."""
        return f"{row.opened:%Y-%m-%d %H:%M}"

    @admin.display(description="Over (UTC)", ordering="closed", empty_value="–")
    def until(self, row: Alert) -> str | None:
        """Return when it was over."""
        return f"{row.closed:%Y-%m-%d %H:%M}" if row.closed else None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Alerts are opened by what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Alert | None = None) -> bool:
        """Alerts are closed by what happens."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Alert | None = None) -> bool:
        """History goes by retention only."""
        return False
