"""What runs wrote, kept so that it can be taken back."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from connections.models import SyncedEntity
from syncjobs.models.run import Run


class Image(models.Model):
    """One page of writes of one kind on one side: ids, versions after, rows before.

    `before` is null for creates, else {columns: [...], rows: [[...]]}, parallel to `ids`.
    `run` is null for what was delivered outside a run.
    """

    run = models.ForeignKey(Run, models.CASCADE, null=True, related_name="images")
    entity = models.ForeignKey(SyncedEntity, models.CASCADE, related_name="images")
    side = models.CharField(max_length=6)
    action = models.CharField(max_length=6)
    ids = ArrayField(models.UUIDField())
    versions = ArrayField(models.BigIntegerField())
    before = models.JSONField(null=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """In the order in which they were written."""

        ordering = ("id",)
