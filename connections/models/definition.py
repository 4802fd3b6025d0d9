"""What the server of a remote client defines, as of the last Update Server."""

from __future__ import annotations

from django.db import models

from connections.models.connection import Connection


class ServerDefinition(models.Model):
    """One entity of the server, kept for a client that is not hosted here.

    A hosted client has the definitions itself; another one has them in its own words, which say
    less. `document` is `organizations.definitions.dump`.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="definitions")
    name = models.CharField(max_length=128)
    document = models.JSONField()

    class Meta:
        """An entity stands once in a connection."""

        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=("connection", "name"), name="definition_once")
        ]

    def __str__(self) -> str:
        """Return the logical name."""
        return self.name
