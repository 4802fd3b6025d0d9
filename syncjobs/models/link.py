"""What both sides agreed on, per record and per entity."""

from __future__ import annotations

from django.db import models

from connections.models import SyncedEntity


class Link(models.Model):
    """One record on both sides: ids, versions, and a digest of the canonical form agreed on.

    State CURRENT: both sides hold it. SERVER_DELETED and LEFT_FILTER: kept on the client
    although the server deleted it, or it left the filter (design 5.1.7).
    """

    class State(models.IntegerChoices):
        """Why the client record is there."""

        CURRENT = 0, "current"
        SERVER_DELETED = 1, "deleted on the server, kept"
        LEFT_FILTER = 2, "left the filter, kept"

    pk = models.CompositePrimaryKey("entity_id", "server_id")
    # Without a database constraint: checking it costs as much as writing the link, and only the
    # engine writes links, for entities it was given.
    entity = models.ForeignKey(
        SyncedEntity, models.CASCADE, db_index=False, db_constraint=False, related_name="links"
    )
    server_id = models.UUIDField()
    client_id = models.UUIDField()
    server_version = models.BigIntegerField(default=0)
    client_version = models.BigIntegerField(default=0)
    digest = models.UUIDField(help_text="128 bits of BLAKE2b over the canonical form")
    state = models.SmallIntegerField(choices=State, default=State.CURRENT)

    class Meta:
        """Client changes are found by the client's id.

        The index leaves the entity out: with it, PostgreSQL without statistics reads all links of
        the entity for every page.
        """

        indexes = [
            models.Index(fields=("client_id",), name="link_by_client"),
            models.Index(
                fields=("entity", "server_id"),
                condition=~models.Q(state=0),
                name="link_marked",
            ),
        ]


class Checkpoint(models.Model):
    """How far the server's changes of one entity have been read.

    `token` reads what changed since; `resume` continues a reading that was interrupted, with
    `full` telling whether it is a full one. All are valid only for `scope`: a digest of server
    organization id, attributes, filter and mapping (design 5.1.9).
    """

    entity = models.OneToOneField(SyncedEntity, models.CASCADE, related_name="checkpoint")
    scope = models.CharField(max_length=64, blank=True)
    token = models.TextField(blank=True)
    resume = models.TextField(blank=True)
    full = models.BooleanField(default=False)
    fresh = models.BooleanField(default=False, help_text="began without links, on an empty client")
    low_water = models.BigIntegerField(default=0)
    high_water = models.BigIntegerField(default=0)
    completed = models.DateTimeField(null=True, help_text="end of the last complete reading")
    tracked = models.TextField(blank=True, help_text="what the server was seen to track")
    compared = models.BooleanField(
        default=False, help_text="its ids were compared since the last full reading began"
    )


class LeftBehind(models.Model):
    """A server record that a run could not carry: read again by id in the next run.

    Without it the record would be lost as soon as the checkpoint moves past it. Why it was left
    stands among the errors of the run.
    """

    pk = models.CompositePrimaryKey("entity_id", "server_id")
    entity = models.ForeignKey(
        SyncedEntity, models.CASCADE, db_index=False, related_name="left_behind"
    )
    server_id = models.UUIDField()
