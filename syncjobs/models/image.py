"""What runs wrote, kept so that it can be taken back."""

from __future__ import annotations

from django.db import models

from connections.models import SyncedEntity
from syncjobs.models.run import Run


class Image(models.Model):
    """One page of writes of one kind on one side: ids, versions after, rows before.

    `ids` are 16 bytes each, `versions` 8 bytes each, signed, the highest byte first; a single one
    for several ids is that of the first, and each next one is one more. Arrays would cost ten
    times as much to write, at every page of a first load. `before` is null for creates, else
    {columns: [...], rows: [[...]]}, parallel to `ids`. `run` is null for what was delivered
    outside a run.
    """

    run = models.ForeignKey(Run, models.CASCADE, null=True, related_name="images")
    entity = models.ForeignKey(SyncedEntity, models.CASCADE, related_name="images")
    side = models.CharField(max_length=6)
    action = models.CharField(max_length=6)
    ids = models.BinaryField()
    versions = models.BinaryField()
    before = models.JSONField(null=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """In the order in which they were written."""

        ordering = ("id",)
