"""Web hooks that remote clients call when their records change."""

from __future__ import annotations

from django.db import models

from connections.models.connection import Connection


class RemoteHook(models.Model):
    """One hook that was made in a remote client organization for us.

    `location` is the address by which it is removed there.
    """

    class Action(models.TextChoices):
        """What happened to a record."""

        CREATE = "Create", "Create"
        UPDATE = "Update", "Update"
        DELETE = "Delete", "Delete"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="hooks")
    entity = models.CharField(max_length=128)
    action = models.CharField(max_length=6, choices=Action)
    address = models.CharField(max_length=2000, help_text="ours, which it calls")
    location = models.CharField(max_length=2000)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One hook tells one thing."""

        ordering = ("entity", "action")
        constraints = [
            models.UniqueConstraint(
                fields=("connection", "entity", "action"), name="remote_hook_once"
            )
        ]

    def __str__(self) -> str:
        """Return what it tells."""
        return f"{self.action} of {self.entity}"
