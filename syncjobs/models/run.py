"""One execution and its history.

Legal transitions of a run: queued → running → succeeded | partly | failed | cancelled;
running → cancelling → cancelled; queued → cancelled. A running run whose lease has ended is
claimed again by the next worker with a higher fence; it goes on where the last page ended.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from connections.models import Connection
from syncjobs.models.job import SyncJob


class Run(models.Model):
    """One execution: what was asked, who works on it, how it ended."""

    class Kind(models.TextChoices):
        """What the run does."""

        CONNECT = "Connect", "Connect"
        UPDATE_SERVER = "UpdateServer", "Update Server"
        SYNC = "Sync", "Sync All"
        VERIFY = "Verify", "Verify"
        READINESS = "Readiness", "Check Readiness"
        FILTER = "Filter", "Preview Filter"
        UNDO = "Undo", "Undo"
        DELIVER = "Deliver", "Deliver Now"

    class State(models.TextChoices):
        """Where the run is in its life."""

        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        CANCELLING = "cancelling", "Cancelling"
        SUCCEEDED = "succeeded", "Succeeded"
        PARTLY = "partly", "Partly"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    ACTIVE = (State.QUEUED, State.RUNNING, State.CANCELLING)
    WITH_ENTITIES = (Kind.SYNC, Kind.VERIFY, Kind.UNDO, Kind.DELIVER)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    reason = models.CharField(max_length=60, help_text="what started it: button, job, web service")
    actor = models.CharField(max_length=254, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    job = models.ForeignKey(
        SyncJob, models.SET_NULL, null=True, blank=True, related_name="runs", editable=False
    )
    options = models.JSONField(default=dict, help_text="entities, dry_run, full")
    message = models.TextField(blank=True)
    result = models.JSONField(
        default=dict, help_text="the plan of metadata, or what one of records costs"
    )
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    fence = models.IntegerField(default=0, help_text="grows with every claim")
    worker = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    woken = models.DateTimeField(
        null=True, editable=False, help_text="when a worker was last called to it"
    )

    class Meta:
        """Newest first; one running run per connection."""

        ordering = ("-created",)
        constraints = [
            models.UniqueConstraint(
                fields=("connection",),
                condition=models.Q(state__in=("running", "cancelling")),
                name="one_running_run",
            )
        ]
        indexes = [models.Index(fields=("state", "lease_until"), name="run_due")]

    @property
    def has_entities(self) -> bool:
        """Return whether it goes through records, entity by entity."""
        return self.kind in self.WITH_ENTITIES

    def __str__(self) -> str:
        """Return kind and connection."""
        return f"{self.get_kind_display()} {self.connection.name}"

    @property
    def is_active(self) -> bool:
        """Return whether it may still do something."""
        return self.state in self.ACTIVE


class RunEntity(models.Model):
    """Counts of one entity in one run; they grow while the run goes on."""

    class State(models.TextChoices):
        """How far the entity has come."""

        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    COUNTS = (
        "created",
        "updated",
        "deleted",
        "left",
        "pushed",
        "conflicts",
        "rejected",
        "held",
        "kept",
        "unchanged",
    )
    """What came of the records that were read, in the order in which it is shown."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="entities")
    name = models.CharField(max_length=128)
    position = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    full = models.BooleanField(default=False, help_text="a full reading, not an incremental one")
    expected = models.BigIntegerField(null=True, help_text="records to read, where known")
    read = models.BigIntegerField(default=0)
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    deleted = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    conflicts = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0, help_text="deleted on the server, kept")
    left = models.BigIntegerField(default=0, help_text="deleted because it left the filter")
    held = models.BigIntegerField(default=0, help_text="deletions that wait for a person")
    pushed = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)
    message = models.TextField(blank=True)

    class Meta:
        """In the order in which they are carried."""

        ordering = ("position",)
        constraints = [models.UniqueConstraint(fields=("run", "name"), name="run_entity_once")]


class RunError(models.Model):
    """One record, or one entity, that could not be carried, and why."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="errors")
    entity = models.CharField(max_length=128, blank=True)
    record = models.CharField(max_length=100, blank=True)
    code = models.CharField(max_length=60, blank=True)
    message = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """In the order in which they happened."""

        ordering = ("id",)
