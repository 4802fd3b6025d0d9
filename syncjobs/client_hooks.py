"""Web hooks in clients that are hosted elsewhere, so that their changes are delivered at once.

A hook is wanted for each action on each entity that is carried. It calls an address of ours that
nobody can guess (`doors.client_hook`), which wakes the delivery. Calls may come late, twice or
never (resco.md §3.4): the tick asks by itself from time to time (`deliver`). Without
`RESCO_SYNC_PUBLIC_URL` nobody could call us, and there are no hooks.
"""

from __future__ import annotations

import hmac
import logging
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

from connections import registry
from connections.connectors.base import Connector
from connections.connectors.watching import Watcher
from connections.errors import ConnectorError
from connections.models import Connection, RemoteHook
from syncjobs.engine.order import CARRIED_BY_OWNER

SECONDS = 20.0
"""How long the removing of all hooks may take: somebody waits."""

logger = logging.getLogger(__name__)

Wanted = tuple[str, str]
"""Entity and action."""


def address(connection_id: UUID) -> str:
    """Return the address that hooks of a connection call; '' where none can be reached."""
    base = settings.RESCO_SYNC_PUBLIC_URL.rstrip("/")
    return f"{base}/hooks/{connection_id}/{token(connection_id)}" if base else ""


def token(connection_id: UUID) -> str:
    """Return the secret part of the address."""
    return salted_hmac("syncjobs.client_hooks", str(connection_id)).hexdigest()


def is_token(connection_id: UUID, text: str) -> bool:
    """Return whether that is the secret part of the connection's address."""
    return hmac.compare_digest(token(connection_id).encode(), text.encode())


def ensure(connection: Connection, client: Connector) -> str:
    """Make the hooks that are missing and remove those that are not wanted any more.

    Nothing is asked where all is as it should be. Returns '' or a sentence that says why some are
    missing: then changes are found by asking.
    """
    if connection.client.organization_id is not None:
        return ""
    target = address(connection.pk)
    made = {(row.entity, row.action): row for row in connection.hooks.all()}
    wanted = _wanted(connection) if target else set()
    stale = [row for key, row in made.items() if key not in wanted or row.address != target]
    missing = sorted(wanted - (made.keys() - {(row.entity, row.action) for row in stale}))
    watcher = client.watcher() if stale or missing else None
    if watcher is None:
        return ""
    try:
        for row in stale:
            _remove(watcher, row)
        for entity, action in missing:
            _make(watcher, connection, (entity, action), target)
    except ConnectorError as error:
        logger.warning("Web hooks of '%s' are not complete: %s", connection.name, error)
        return f"Web hooks could not be made, so changes are asked for: {error}"
    return ""


def remove(connection: Connection) -> str:
    """Remove all hooks of a connection that ends; '' or the sentence that says what is left."""
    rows = list(connection.hooks.all())
    if not rows:
        return ""
    try:
        with registry.connector(connection.client) as client:
            client.hurry(SECONDS)
            watcher = client.watcher()
            if watcher is not None:
                for row in rows:
                    _remove(watcher, row)
    except ConnectorError as error:
        return f"Web hooks were left in the client organization: {error}"
    return ""


def _wanted(connection: Connection) -> set[Wanted]:
    rows = connection.entities.filter(enabled=True, problem="")
    names = set(rows.values_list("name", flat=True)) - CARRIED_BY_OWNER
    return {(name, action) for name in names for action in RemoteHook.Action.values}


def _make(watcher: Watcher, connection: Connection, wanted: Wanted, target: str) -> None:
    entity, action = wanted
    location = watcher.make(entity, action, target)
    RemoteHook.objects.create(
        connection=connection, entity=entity, action=action, address=target, location=location
    )


def _remove(watcher: Watcher, row: RemoteHook) -> None:
    watcher.remove(row.location)
    row.delete()
