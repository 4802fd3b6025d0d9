"""What a check of a server endpoint found, kept with its date."""

from __future__ import annotations

from django.db import models

from connections.models.connection import Connection


class ReadinessReport(models.Model):
    """One readiness report of a connection's server; `document` is `readiness.report.to_json`."""

    class Colour(models.TextChoices):
        """The worst of what was found."""

        GREEN = "green", "Ready"
        AMBER = "amber", "Ready, with remarks"
        RED = "red", "Not ready"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="readiness")
    colour = models.CharField(max_length=5, choices=Colour)
    document = models.JSONField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Newest first."""

        ordering = ("-created",)

    def __str__(self) -> str:
        """Return whose it is, and how it looks."""
        return f"{self.connection.name}: {self.get_colour_display()}"
