"""Whether both sides of an entity were equal when they were last read for it."""

from __future__ import annotations

from django.db import models

from connections.models import SyncedEntity


class Verification(models.Model):
    """The last verification of one entity; `client` = `equal` + those extra or different."""

    entity = models.OneToOneField(SyncedEntity, models.CASCADE, related_name="verification")
    at = models.DateTimeField(help_text="when both sides had been read")
    server = models.BigIntegerField(help_text="records inside the sync filter")
    client = models.BigIntegerField()
    equal = models.BigIntegerField()
    differences = models.BigIntegerField(help_text="all of them; the first 1,000 are listed")
    read = models.BigIntegerField(default=0, help_text="records of the server read in full")

    @property
    def is_quick(self) -> bool:
        """Return whether versions stood for the values of some records."""
        return self.read < self.server

    def __str__(self) -> str:
        """Return the verdict in words."""
        if self.differences:
            return f"{self.differences:,} difference{'s' * (self.differences != 1)}"
        told = f"identical, {self.equal:,} record{'s' * (self.equal != 1)}"
        return f"{told} (by versions, {self.read:,} read)" if self.is_quick else told


class Difference(models.Model):
    """One record that was not the same on both sides, and why."""

    class Kind(models.TextChoices):
        """On which side something is missing or other."""

        MISSING = "missing", "missing on the client"
        EXTRA = "extra", "on the client only"
        DIFFERS = "differs", "differs"

    verification = models.ForeignKey(Verification, models.CASCADE, related_name="listed")
    kind = models.CharField(max_length=7, choices=Kind)
    server_id = models.UUIDField()
    client_id = models.UUIDField()
    reason = models.TextField()
    fields = models.JSONField(default=list, help_text="[{name, server, client}]")

    class Meta:
        """In the order in which they were found."""

        ordering = ("id",)
