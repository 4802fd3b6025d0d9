"""Deletions that are so many that a person decides (design decision 8)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from connections.models import SyncedEntity
from syncjobs.models.run import Run


class HeldDeletions(models.Model):
    """The deletions of one entity that one run did not dare to carry out."""

    class State(models.TextChoices):
        """What became of them. Carried out: by a run after they were approved."""

        WAITING = "waiting", "Waiting for a decision"
        APPROVED = "approved", "Approved"
        DECLINED = "declined", "Declined"
        DONE = "done", "Carried out"
        OVER = "over", "No longer to be deleted"

    entity = models.ForeignKey(SyncedEntity, models.CASCADE, related_name="held")
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="held")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.TextField(help_text="which limit they exceed")
    server_ids = ArrayField(models.UUIDField())
    count = models.PositiveIntegerField()
    linked = models.PositiveIntegerField(help_text="records of the entity on both sides then")
    sample = models.JSONField(default=list, help_text="[{id, name, why}]")
    created = models.DateTimeField(auto_now_add=True)
    decided = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=254, blank=True)

    class Meta:
        """Newest first; an entity waits for one decision at a time."""

        ordering = ("-created",)
        constraints = [
            models.UniqueConstraint(
                fields=("entity",),
                condition=models.Q(state__in=("waiting", "approved")),
                name="one_held_per_entity",
            )
        ]
