"""What happened to records: the change log, which is the outbox, and the recycle bin."""

from __future__ import annotations

from django.db import models

from organizations.models.organization import Organization


class ChangeLog(models.Model):
    """One write of one record; commits with the write itself (design decision 4).

    `origin` is the id of the connection that wrote, as text; empty for everybody else.
    `actor` names the user. `values` holds {attribute: [old, new]} for writes that are not a
    connection's; it is null otherwise.
    """

    pk = models.CompositePrimaryKey("organization_id", "version")
    organization = models.ForeignKey(
        Organization, models.CASCADE, db_index=False, db_constraint=False
    )
    version = models.BigIntegerField()
    entity = models.CharField(max_length=128)
    record = models.UUIDField()
    action = models.CharField(max_length=6)
    origin = models.CharField(max_length=36, blank=True)
    actor = models.CharField(max_length=254, blank=True)
    values = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        """Deletions are looked up by entity; everything else is read by version."""

        indexes = [
            models.Index(
                "organization",
                "entity",
                "version",
                condition=models.Q(action="delete"),
                name="changelog_deletions",
            )
        ]


class DeletedRecord(models.Model):
    """The recycle bin: a deleted record, whole, until it is restored or its time is over."""

    organization = models.ForeignKey(
        Organization,
        models.CASCADE,
        related_name="recycle_bin",
        db_index=False,
        db_constraint=False,
    )
    entity = models.CharField(max_length=128)
    record = models.UUIDField()
    version = models.BigIntegerField(help_text="version of the deletion")
    origin = models.CharField(max_length=36, blank=True)
    actor = models.CharField(max_length=254, blank=True)
    document = models.JSONField(help_text="{column: value}")
    at = models.DateTimeField()

    class Meta:
        """A record can be deleted, restored and deleted again."""

        constraints = [
            models.UniqueConstraint(
                fields=("organization", "entity", "record", "version"), name="deleted_once"
            )
        ]
