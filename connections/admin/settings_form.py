"""Settings of a connection, and the rules of one of its entities."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from connections.models import Connection, Endpoint, SyncedEntity

MOST_SECONDS = 60
MOST_DAYS = 3650

LIMITS = {
    "reply_seconds": (1, MOST_SECONDS),
    "delete_percent": (0, 100),
    "recycle_days": (0, MOST_DAYS),
    "image_days": (0, MOST_DAYS),
    "verify_requests": (1, 1_000_000_000),
}
"""The least and the most of each number, for form and API."""


class SettingsForm(forms.ModelForm[Connection]):
    """When client changes reach the server, the airbag, and how long things can be taken back."""

    class Meta:
        """In the order of the page."""

        model = Connection
        fields = (
            "write_mode",
            "reply",
            "reply_seconds",
            "delete_limit",
            "delete_floor",
            "delete_percent",
            "recycle_days",
            "image_days",
            "verify_requests",
        )
        labels = {
            "write_mode": "Client changes",
            "reply": "With instant writing",
            "reply_seconds": "Wait at most",
            "delete_limit": "More than",
            "delete_floor": "Always allowed",
            "delete_percent": "More than a share of",
            "recycle_days": "Recycle bin",
            "image_days": "Undo",
            "verify_requests": "Verify with at most",
        }
        help_texts = {
            "write_mode": "Instant: delivered to the server at once (WriteOffline false). "
            "Offline: kept as offline transactions until the next sync (WriteOffline true).",
            "reply": "Whether whoever changes a client record waits for the server. The change is "
            "kept either way.",
            "reply_seconds": "seconds, with “Deliver, then answer”; after that the change stays "
            "pending",
            "delete_limit": "deletions of one entity within a day wait for a person",
            "delete_floor": "deletions of one entity within a day, whatever their share",
            "delete_percent": "percent of an entity's records waits for a person",
            "recycle_days": "days that deleted client records can be restored",
            "image_days": "days that a run can be taken back",
            "verify_requests": "requests to the server; then it stops, and goes on with the other "
            "entities the next time. Empty: as many as it takes",
        }

    atomic = forms.BooleanField(
        label="Read, and check versions, by OData",
        required=False,
        help_text="For Resco Cloud organizations that are not hosted here. On: records are read "
        "by OData, and the organization itself refuses a change that is not based on its newest "
        "version (atomic), at one request a record. Off: records are read by Fetch, and the "
        "version is read right before writing, a hundred records a request.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Give the numbers their limits."""
        super().__init__(*args, **kwargs)
        self.fields["atomic"].initial = self._elsewhere().filter(is_atomic=True).exists()
        self.fields["atomic"].disabled = not self._elsewhere().exists()
        self.fields["write_mode"].choices = [  # type: ignore[attr-defined]
            (Connection.WriteMode.INSTANT, "Instant"),
            (Connection.WriteMode.OFFLINE, "Offline"),
        ]
        for name, (low, high) in LIMITS.items():
            self.fields[name] = forms.IntegerField(
                label=self.fields[name].label,
                required=self.fields[name].required,
                help_text=self.fields[name].help_text,
                min_value=low,
                max_value=high,
            )

    def save(self, commit: bool = True) -> Connection:  # noqa: FBT001, FBT002 - Django's
        """Save the connection, and how its endpoints elsewhere check versions."""
        self._elsewhere().update(is_atomic=self.cleaned_data["atomic"])
        return super().save(commit)

    def _elsewhere(self) -> QuerySet[Endpoint]:
        connection = self.instance
        ends = Endpoint.objects.filter(pk__in=(connection.server_id, connection.client_id))
        return ends.filter(backend=Endpoint.Backend.RESCO_CLOUD)


class RulesForm(forms.ModelForm[SyncedEntity]):
    """How one entity differs from its connection: writing, conflicts, leaving the filter."""

    class Meta:
        """In the order of the page."""

        model = SyncedEntity
        fields = ("write_mode", "conflict_rule", "leaving")
        labels = {
            "write_mode": "Client changes",
            "conflict_rule": "When both sides changed",
            "leaving": "When a record leaves the filter",
        }
        help_texts = {
            "conflict_rule": "The losing values are never lost: they stay as an archived "
            "transaction.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Say what an empty choice means for this entity."""
        super().__init__(*args, **kwargs)
        row = self.instance
        mode = row.connection.get_write_mode_display().lower()
        left = "delete" if row.sync_deletion else "keep"
        self._offer("write_mode", f"As the connection ({mode})", Connection.WriteMode.choices)
        self._offer("leaving", f"As Sync Deletion says ({left})", SyncedEntity.Leaving.choices)

    def _offer(self, name: str, empty: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", empty), *choices]
