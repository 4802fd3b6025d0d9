"""What the plug-ins of a twin record at the source."""

from __future__ import annotations

from django.db import models

from organizations.models.organization import Organization


class TwinTracking(models.Model):
    """What a twin records in its entity Mobile Tracking; a twin without a row records nothing.

    `relationships` are names of N:N relationships, the others logical names of entities.
    """

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="tracking")
    relationships = models.JSONField(default=list)
    deletes = models.JSONField(default=list)
    owners = models.JSONField(default=list)

    def __str__(self) -> str:
        """Return how much is recorded."""
        counts = len(self.relationships), len(self.deletes), len(self.owners)
        return "{} relationships, deletions of {} and owners of {} entities".format(*counts)
