"""The schedule of a connection."""

from __future__ import annotations

from django.db import models

from connections.models import Connection


class SyncJob(models.Model):
    """Name, frequency, step and whether it is active; times are UTC."""

    class Frequency(models.TextChoices):
        """How often the job comes due."""

        MINUTES = "minutes", "Every N minutes"
        HOURS = "hours", "Every N hours"
        DAILY = "daily", "Daily at hour and minute"

    class Step(models.TextChoices):
        """What the job does."""

        SYNC = "Server.SyncService();", "Server.SyncService();"
        VERIFY = "Server.Verify();", "Server.Verify();"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="jobs")
    name = models.CharField(max_length=100, default="SyncJob")
    step = models.CharField(max_length=24, choices=Step, default=Step.SYNC)
    frequency = models.CharField(max_length=10, choices=Frequency, default=Frequency.HOURS)
    every = models.PositiveIntegerField(default=1, help_text="N, for minutes and hours")
    hour = models.PositiveSmallIntegerField(default=1, help_text="UTC, for daily")
    minute = models.PositiveSmallIntegerField(default=0, help_text="UTC; for hours too")
    is_active = models.BooleanField(default=False)
    keep_logs = models.BooleanField(
        default=True, verbose_name="Keep Logs for workflow that succeed"
    )
    verifies = models.BooleanField(
        default=False, verbose_name="Verify afterwards", help_text="reads both sides in full"
    )
    next_due = models.DateTimeField(null=True, editable=False)
    last_run = models.DateTimeField(null=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Listed by name."""

        ordering = ("name",)

    def __str__(self) -> str:
        """Return the name."""
        return self.name
