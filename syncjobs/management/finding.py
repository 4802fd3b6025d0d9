"""Which connection a command is about."""

from __future__ import annotations

from django.core.management.base import CommandError

from connections.models import Connection


def find(client: str) -> Connection:
    """Return the connection of that client."""
    connection = Connection.objects.filter(name=client).first()
    if connection is None:
        known = ", ".join(Connection.objects.values_list("name", flat=True)[:20])
        raise CommandError(
            f"No connection has the client '{client}'. Known: {known or 'none'}.", returncode=2
        )
    return connection
