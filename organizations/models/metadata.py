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
    defined = models.BigIntegerField(
        default=0, help_text="schema version from which it has been known"
    )
    changed = models.BigIntegerField(
        default=0, help_text="schema version at which it, or anything in it, last changed"
    )
    changes = models.JSONField(
        default=dict, help_text="schema version per piece that changed since `defined`"
    )
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        """An entity is defined once in an organization."""

        ordering = ("name",)
        constraints = [models.UniqueConstraint(fields=("organization", "name"), name="entity_once")]

    def __str__(self) -> str:
        """Return the logical name."""
        return self.name


class DeletedElement(models.Model):
    """A piece of metadata that is gone, so that clients which knew it can be told.

    `entity` and `name` say what it was; `source_id` is the id it had where it came from, if it
    came from elsewhere. `version` is the schema version at which it went.
    """

    class Kind(models.TextChoices):
        """What was deleted; the values are those of Dataverse (dataverse.md 2.4)."""

        ENTITY = "Entity"
        ATTRIBUTE = "Attribute"
        RELATIONSHIP = "Relationship"
        OPTION_SET = "OptionSet"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="deleted_elements")
    kind = models.CharField(max_length=12, choices=Kind)
    entity = models.CharField(max_length=128, blank=True)
    name = models.CharField(max_length=160)
    source_id = models.CharField(max_length=36, blank=True)
    version = models.BigIntegerField()
    deleted = models.DateTimeField(auto_now_add=True)

    class Meta:
        """They are read by version."""

        indexes = [models.Index(fields=("organization", "version"), name="deleted_since")]

    def __str__(self) -> str:
        """Return kind and name."""
        return f"{self.kind} {self.entity} {self.name}"


class OptionSetDefinition(models.Model):
    """A global option set that may exist without an attribute (`definitions.dump_option_set`).

    Where attributes use a set of that name, their copy is what counts.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="option_sets")
    name = models.CharField(max_length=160)
    document = models.JSONField()

    class Meta:
        """A global option set is defined once in an organization."""

        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=("organization", "name"), name="option_set_once")
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name
