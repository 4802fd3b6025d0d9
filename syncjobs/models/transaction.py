"""Client changes on their way to the server, and how far the client's log has been read."""

from __future__ import annotations

from django.db import models

from connections.models import Connection, SyncedEntity
from syncjobs.models.run import Run


class OfflineTransaction(models.Model):
    """One client change waiting for, or delivered to, the server.

    `changes` is {column: [old, new]} in the client's terms; null: it is not known which columns.
    `conflict` is {base, server, client: {column: value}, server_version}, `choices` is
    {column: side}. `cause` groups identical errors.
    """

    class Action(models.TextChoices):
        """What the client did."""

        CREATE = "create", "Create"
        UPDATE = "update", "Update"
        DELETE = "delete", "Delete"
        ASSOCIATE = "associate", "Associate"
        DISASSOCIATE = "disassociate", "Disassociate"

    class Status(models.TextChoices):
        """Where it is in its life."""

        PENDING = "pending", "Pending"
        PROCESSED = "processed", "Processed"
        ERROR = "error", "Error"
        ARCHIVED = "archived", "Archived"

    class Side(models.TextChoices):
        """Whose values it holds: the server's, where they lost to the client's."""

        CLIENT = "client", "Client"
        SERVER = "server", "Server"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="transactions")
    entity = models.ForeignKey(SyncedEntity, models.CASCADE, related_name="transactions")
    client_id = models.UUIDField()
    action = models.CharField(max_length=12, choices=Action)
    changes = models.JSONField(null=True)
    version = models.BigIntegerField(help_text="the client's, of the newest change folded in")
    first_version = models.BigIntegerField(help_text="the client's, of the oldest")
    based_on = models.BigIntegerField(default=0, help_text="the server's version agreed on last")
    actor = models.CharField(max_length=254, blank=True)
    at = models.DateTimeField(null=True, help_text="of the newest change")
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt = models.DateTimeField(null=True, blank=True)
    code = models.CharField(max_length=60, blank=True)
    message = models.TextField(blank=True)
    cause = models.CharField(max_length=32, blank=True, help_text="the same for identical errors")
    conflict = models.JSONField(null=True)
    choices = models.JSONField(default=dict)
    side = models.CharField(
        max_length=6, choices=Side, default=Side.CLIENT, help_text="whose values it holds"
    )
    created = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True, help_text="when it was delivered or set aside")

    class Meta:
        """Oldest first, as they are delivered."""

        ordering = ("first_version", "id")
        indexes = [
            models.Index(
                fields=("connection", "first_version"),
                condition=models.Q(status="pending"),
                name="transaction_due",
            ),
            models.Index(fields=("entity", "client_id"), name="transaction_of_record"),
            models.Index(fields=("connection", "status", "cause"), name="transaction_by_cause"),
        ]

    def __str__(self) -> str:
        """Return action and record."""
        return f"{self.get_action_display()} {self.entity.name} {self.client_id}"


class TransactionEvent(models.Model):
    """One line of a transaction's history: what became of it, why, by whom or in which run."""

    transaction = models.ForeignKey(OfflineTransaction, models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=9, choices=OfflineTransaction.Status)
    why = models.TextField(blank=True)
    actor = models.CharField(max_length=254, blank=True)
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """In the order in which it happened."""

        ordering = ("id",)


class ClientCheckpoint(models.Model):
    """Up to which version of the client the changes of an entity were collected."""

    entity = models.OneToOneField(SyncedEntity, models.CASCADE, related_name="client_checkpoint")
    version = models.BigIntegerField()
