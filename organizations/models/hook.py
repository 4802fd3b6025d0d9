"""Web hooks: whom to call when records of an organization change (resco.md §3.4)."""

from __future__ import annotations

import uuid

from django.db import models

from organizations.models.organization import Organization


class WebHook(models.Model):
    """One address that is called with the id of each record of that entity and action.

    `version`: changes up to there were told. After failures it waits until `next_attempt`.
    """

    class Action(models.TextChoices):
        """What happened to the record."""

        CREATE = "create", "Create"
        UPDATE = "update", "Update"
        DELETE = "delete", "Delete"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="hooks")
    entity = models.CharField(max_length=128)
    action = models.CharField(max_length=6, choices=Action)
    url = models.URLField(max_length=2000)
    version = models.BigIntegerField()
    failures = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)
    next_attempt = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """Return what it listens to."""
        return f"{self.get_action_display()} {self.entity}"
