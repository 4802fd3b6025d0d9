"""Sync jobs: the form of the original's Admin Console, and Run Now."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone

from organizations.errors import InvalidRequest
from syncjobs import periodic, schedule
from syncjobs.admin.page import Pages, starter
from syncjobs.models import SyncJob


class SyncJobForm(forms.ModelForm[SyncJob]):
    """Checks the schedule as a whole."""

    class Meta:
        """All that a person sets."""

        model = SyncJob
        fields = (
            "connection",
            "name",
            "step",
            "is_active",
            "frequency",
            "every",
            "hour",
            "minute",
            "keep_logs",
            "verifies",
        )
        labels = {"is_active": "Active"}

    def clean(self) -> dict[str, Any]:
        """Let the schedule say which field is wrong."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            job = SyncJob(**{name: data[name] for name in ("frequency", "every", "hour", "minute")})
            try:
                schedule.check(job)
            except InvalidRequest as error:
                self.add_error(error.element, str(error))
        return data


@admin.register(SyncJob)
class SyncJobAdmin(Pages[SyncJob]):
    """Name, step, frequency, active or not."""

    form = SyncJobForm
    list_display = ("name", "connection", "when", "active", "due", "ran")
    list_filter = ("is_active", "connection")
    readonly_fields = ("category", "current_time", "due", "ran")
    fieldsets = (
        (None, {"fields": ("name", "category", "connection", "is_active")}),
        (
            "Start when",
            {
                "fields": ("frequency", "every", "current_time", "hour", "minute"),
                "description": "Note: time must be set in UTC.",
            },
        ),
        ("Log retention", {"fields": ("keep_logs",)}),
        ("Proof", {"fields": ("verifies",)}),
        ("Steps", {"fields": ("step", "due", "ran")}),
    )
    conditional_fields = {
        "every": "frequency != 'daily'",
        "hour": "frequency == 'daily'",
        "minute": "frequency != 'minutes'",
    }
    change_form_outer_before_template = "admin/syncjobs/job_ribbon.html"

    def get_urls(self) -> list[URLPattern]:
        """Add Run Now."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/run-now/", wrap(self.run_now), name="syncjobs_syncjob_run_now"),
            *super().get_urls(),
        ]

    @admin.display(description="Category")
    def category(self, row: SyncJob) -> str:
        """Return the only category there is."""
        return "Job"

    @admin.display(description="Current UTC time")
    def current_time(self, row: SyncJob) -> str:
        """Return the time to set the schedule by."""
        return f"{timezone.now():%H:%M:%S}"

    @admin.display(description="Frequency")
    def when(self, row: SyncJob) -> str:
        """Return the schedule in words."""
        time = f"{row.hour:02d}:{row.minute:02d} UTC"
        if row.frequency == SyncJob.Frequency.DAILY:
            return f"daily at {time}"
        unit = row.frequency.removesuffix("s") if row.every == 1 else f"{row.every} {row.frequency}"
        return f"every {unit}"

    @admin.display(description="Active", boolean=True, ordering="is_active")
    def active(self, row: SyncJob) -> bool:
        """Return whether it starts by itself."""
        return row.is_active

    @admin.display(description="Next due (UTC)", ordering="next_due", empty_value="–")
    def due(self, row: SyncJob) -> str | None:
        """Return when it starts next."""
        return f"{row.next_due:%Y-%m-%d %H:%M}" if row.is_active and row.next_due else None

    @admin.display(description="Last run (UTC)", ordering="last_run", empty_value="never")
    def ran(self, row: SyncJob) -> str | None:
        """Return when it was last started."""
        return f"{row.last_run:%Y-%m-%d %H:%M}" if row.last_run else None

    def get_form(
        self, request: HttpRequest, obj: SyncJob | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[SyncJob]]:
        """Leave out the buttons that would open the connection's pages in a window."""
        form = super().get_form(request, obj, change, **kwargs)
        # Those who may only look get a form without fields.
        if field := form.base_fields.get("connection"):
            for name in ("can_add_related", "can_change_related", "can_view_related"):
                setattr(field.widget, name, False)
        return form

    def save_model(self, request: HttpRequest, obj: SyncJob, form: Any, change: bool) -> None:
        """Save with the next due time."""
        schedule.apply(obj, timezone.now())
        super().save_model(request, obj, form, change)

    def run_now(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Start the job at once, whatever its schedule says."""
        job = self.row(request, pk)
        if request.method != "POST":
            return redirect("admin:syncjobs_syncjob_change", pk)
        user = starter(request)
        try:
            run = periodic.run_now(job, user=user, actor=user.get_username())
        except InvalidRequest as error:
            messages.error(request, str(error))
            return redirect("admin:syncjobs_syncjob_change", pk)
        messages.success(request, f"{job.name} was started.")
        return redirect("admin:syncjobs_run_change", run.pk)
