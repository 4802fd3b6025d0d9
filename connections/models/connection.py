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

    class Reply(models.TextChoices):
        """With instant writing: whether a client's caller waits for the server's answer."""

        AFTER = "after", "Answer, then deliver"
        BEFORE = "before", "Deliver, then answer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=40, unique=True)
    server = models.ForeignKey(Endpoint, models.PROTECT, related_name="clients")
    client = models.OneToOneField(Endpoint, models.PROTECT, related_name="server_connection")
    write_mode = models.CharField(max_length=10, choices=WriteMode, default=WriteMode.OFFLINE)
    reply = models.CharField(max_length=6, choices=Reply, default=Reply.AFTER)
    reply_seconds = models.PositiveSmallIntegerField(
        default=5, help_text="how long a caller waits at most for the delivery"
    )
    delete_limit = models.PositiveIntegerField(
        default=500, help_text="more deletions of one entity in a day wait for a person"
    )
    delete_floor = models.PositiveIntegerField(
        default=20, help_text="up to so many, the percentage does not count"
    )
    delete_percent = models.PositiveSmallIntegerField(
        default=5, help_text="a larger part of an entity waits for a person"
    )
    recycle_days = models.PositiveSmallIntegerField(
        default=30, help_text="how long deleted client records can be restored"
    )
    verify_requests = models.PositiveIntegerField(
        null=True, blank=True, help_text="requests one verification may use; empty: no limit"
    )
    image_days = models.PositiveSmallIntegerField(
        default=30, help_text="how long a run can be taken back"
    )
    state = models.CharField(max_length=10, choices=State, default=State.SETTING_UP)
    problem = models.TextField(blank=True, help_text="why setting up failed")
    metadata_stamp = models.CharField(
        max_length=200, blank=True, editable=False, help_text="the server's, of what was taken over"
    )
    metadata_stamped = models.DateTimeField(null=True, editable=False)
    metadata_behind = models.JSONField(
        default=list, editable=False, help_text="entities not wholly taken over, read every time"
    )
    client_calls = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="calls of the client's web hooks"
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

    `write_mode` is empty where the connection's counts. `leaving` is empty where Sync Deletion
    decides: with it a record that leaves the filter is deleted, without it it is kept.
    A row exists for every entity of the server; `problem` says why one cannot be enabled, `note`
    what is particular about carrying one. `label` and `is_intersect` are kept for the grid.
    `names` are the attributes that have another name on the client (`connections.naming`).
    """

    class ConflictRule(models.TextChoices):
        """Who wins where both sides changed a record since it was last carried."""

        SERVER = "server", "Server wins"
        CLIENT = "client", "Client wins"
        NEWEST = "newest", "Newest wins"
        MERGE = "merge", "Merge by field"
        ASK = "ask", "Ask"

    class Leaving(models.TextChoices):
        """What happens to a client record that leaves the sync filter."""

        KEEP = "keep", "Keep"
        DELETE = "delete", "Delete"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="entities")
    name = models.CharField(max_length=128)
    label = models.CharField(max_length=256, blank=True)
    is_intersect = models.BooleanField(default=False)
    enabled = models.BooleanField(default=False)
    sync_deletion = models.BooleanField(default=False)
    write_mode = models.CharField(max_length=10, choices=Connection.WriteMode, blank=True)
    conflict_rule = models.CharField(
        max_length=6, choices=ConflictRule, default=ConflictRule.SERVER
    )
    leaving = models.CharField(max_length=6, choices=Leaving, blank=True)
    filter_xml = models.TextField(blank=True, help_text="FetchXML; empty: all records")
    problem = models.CharField(max_length=500, blank=True)
    note = models.CharField(max_length=500, blank=True, help_text="how a difficult one is carried")
    names = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="server attribute → client attribute, where they differ; empty: not decided yet",
    )

    class Meta:
        """An entity stands once in a connection."""

        ordering = ("label", "name")
        constraints = [
            models.UniqueConstraint(fields=("connection", "name"), name="synced_entity_once")
        ]

    def __str__(self) -> str:
        """Return the logical name."""
        return self.name
