"""What is silent and should not be: opened and closed by the tick."""

from __future__ import annotations

from django.db import models

from connections.models import Connection


class Alert(models.Model):
    """One thing that does not happen as it should, from when it was noticed until it was over.

    `subject` is the entity, the job's id or the run's kind it is about; empty: the connection.
    `mailed` and `posted` are when e-mail and webhook were sent, `attempts` how often that failed.
    """

    class Kind(models.TextChoices):
        """What is silent."""

        JOB_MISSED = "job_missed", "A job did not run"
        ENTITY_STUCK = "entity_stuck", "An entity stopped moving"
        QUEUE_GROWS = "queue_grows", "The queue only grows"
        QUEUE_OLD = "queue_old", "A change waits too long"
        HELD = "held", "Deletions wait for a decision"
        FAILING = "failing", "Runs fail again and again"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=16, choices=Kind)
    subject = models.CharField(max_length=128, blank=True)
    message = models.TextField()
    opened = models.DateTimeField()
    closed = models.DateTimeField(null=True)
    mailed = models.DateTimeField(null=True)
    posted = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        """Newest first; the same thing is told of once."""

        ordering = ("-opened", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=("connection", "kind", "subject"),
                condition=models.Q(closed=None),
                name="one_open_alert",
            )
        ]

    def __str__(self) -> str:
        """Return what it is about."""
        return f"{self.connection.name}: {self.get_kind_display()}"


class QueueLength(models.Model):
    """How many changes waited in a connection's queue at a time, to see whether it only grows."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="queue_lengths")
    at = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        """Oldest first."""

        ordering = ("at",)
