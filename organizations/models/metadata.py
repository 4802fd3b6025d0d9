"""What an organization knows of its entities."""

from __future__ import annotations

from django.db import models

from organizations.models.organization import Organization


class EntityDefinition(models.Model):
    """The metadata of one entity, as `schema.Entity` in JSON (see `definitions`).

    All definitions are kept; a physical table exists only for those that are enabled
    (`has_table`). The columns beside `document` repeat what lists are filtered by.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="entities")
    name = models.CharField(max_length=128)
    set_name = models.CharField(max_length=160, blank=True)
    display_name = models.CharField(max_length=256, blank=True)
    is_intersect = models.BooleanField(default=False)
    is_hidden = models.BooleanField(default=False)
    has_table = models.BooleanField(default=False)
    tracks_since = models.BigIntegerField(
        null=True, help_text="row version from which deletions are known; null: not tracked"
    )
    document = models.JSONField()
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        """An entity is defined once in an organization."""

        ordering = ("name",)
        constraints = [models.UniqueConstraint(fields=("organization", "name"), name="entity_once")]

    def __str__(self) -> str:
        """Return the logical name."""
        return self.name
