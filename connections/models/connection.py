"""One server and one client, and what moves between them."""

from __future__ import annotations

import uuid

from django.db import models

from connections.models.endpoint import Endpoint


class Connection(models.Model):
    """A server endpoint and a client endpoint.

    A client has one server (unique); a server may have many clients. `name` is the client
    organization's name, by which doors and commands find the connection.
    """

    class State(models.TextChoices):
        """How far connecting has come."""

        SETTING_UP = "setting_up", "Setting up"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    class WriteMode(models.TextChoices):
        """When client changes reach the server; the original's WriteOffline."""

        INSTANT = "instant", "Instant"
        OFFLINE = "offline", "Offline"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=40, unique=True)
    server = models.ForeignKey(Endpoint, models.PROTECT, related_name="clients")
    client = models.OneToOneField(Endpoint, models.PROTECT, related_name="server_connection")
    write_mode = models.CharField(max_length=10, choices=WriteMode, default=WriteMode.OFFLINE)
    state = models.CharField(max_length=10, choices=State, default=State.SETTING_UP)
    problem = models.TextField(blank=True, help_text="why setting up failed")
    metadata_stamp = models.CharField(
        max_length=200, blank=True, editable=False, help_text="the server's, of what was taken over"
    )
    metadata_stamped = models.DateTimeField(null=True, editable=False)
    metadata_behind = models.JSONField(
        default=list, editable=False, help_text="entities not wholly taken over, read every time"
    )
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        """Connections are listed by client."""

        ordering = ("name",)

    def __str__(self) -> str:
        """Return client ← server."""
        return f"{self.name} ← {self.server}"


class SyncedEntity(models.Model):
    """One entity of a connection: whether it takes part, and how.

    A row exists for every entity of the server; `problem` says why one cannot be enabled, `note`
    what is particular about carrying one. `label` and `is_intersect` are kept for the grid.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="entities")
    name = models.CharField(max_length=128)
    label = models.CharField(max_length=256, blank=True)
    is_intersect = models.BooleanField(default=False)
    enabled = models.BooleanField(default=False)
    sync_deletion = models.BooleanField(default=False)
    filter_xml = models.TextField(blank=True, help_text="FetchXML; empty: all records")
    problem = models.CharField(max_length=500, blank=True)
    note = models.CharField(max_length=500, blank=True, help_text="how a difficult one is carried")

    class Meta:
        """An entity stands once in a connection."""

        ordering = ("label", "name")
        constraints = [
            models.UniqueConstraint(fields=("connection", "name"), name="synced_entity_once")
        ]

    def __str__(self) -> str:
        """Return the logical name."""
        return self.name
