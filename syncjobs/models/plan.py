"""What a dry run would do: its pages, and samples of each kind of change."""

from __future__ import annotations

from django.db import models

from syncjobs.models.run import Run


class PlanPage(models.Model):
    """One call of the plan: records of one entity, written in one way to one side.

    `records` is {id: first digits of its digest}; empty for a large page, which is known by its
    first and last id. `came`: the run that carries the plan out has written it.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="plan_pages")
    position = models.PositiveIntegerField()
    entity = models.CharField(max_length=128)
    side = models.CharField(max_length=6)
    action = models.CharField(max_length=6)
    count = models.PositiveIntegerField()
    first = models.CharField(max_length=100)
    last = models.CharField(max_length=100)
    digest = models.CharField(max_length=32)
    records = models.JSONField(default=dict)
    came = models.BooleanField(default=False)

    class Meta:
        """In the order in which they are written."""

        ordering = ("position",)
        constraints = [models.UniqueConstraint(fields=("run", "position"), name="plan_page_once")]


class PlanChange(models.Model):
    """One record of a plan, shown as a sample. `fields` is [{name, old, new}], of updates."""

    class Kind(models.TextChoices):
        """What happens to the record."""

        CREATE = "create", "Created on the client"
        UPDATE = "update", "Updated on the client"
        DELETE = "delete", "Deleted on the client"
        LEFT = "left", "Deleted on the client, left the filter"
        PUSH = "push", "Delivered to the server"
        CONFLICT = "conflict", "Conflict"
        REJECTED = "rejected", "Rejected"

    run = models.ForeignKey(Run, models.CASCADE, related_name="plan_changes")
    entity = models.CharField(max_length=128)
    kind = models.CharField(max_length=8, choices=Kind)
    action = models.CharField(max_length=6, blank=True)
    record = models.CharField(max_length=100)
    name = models.TextField(blank=True)
    message = models.TextField(blank=True)
    fields = models.JSONField(default=list)

    class Meta:
        """In the order in which they were met."""

        ordering = ("id",)
        indexes = [models.Index(fields=("run", "entity"), name="plan_change_of")]
