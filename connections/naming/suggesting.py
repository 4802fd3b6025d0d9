"""Which attributes of a server's entity are which of the client's, as far as metadata tell."""

from __future__ import annotations

from connections.naming.names import Pairs
from connections.naming.native import DYNAMICS, KEY
from organizations.schema import Entity


def suggested(server: Entity, client: Entity) -> Pairs:
    """Return server attribute → client attribute, where they are the same under other names.

    1. The key is the key: a record has one id.
    2. What the table of native entities knows, whichever side is the native one.
    3. The name by which records are shown is that name, where neither side has the other's too.
    """
    found: dict[str, str] = {}
    if server.primary_id != client.primary_id:
        found[server.primary_id] = client.primary_id
    known = DYNAMICS.get(server.name, {})
    for dynamics, native in known.items():
        for here, there in ((dynamics, native), (native, dynamics)):
            if _are_one(server, client, here, there):
                found[here] = there
    here, there = server.primary_name or "", client.primary_name or ""
    is_open = here not in found and there not in found.values()
    if is_open and _are_one(server, client, here, there):
        found[here] = there
    return found


def is_native(entity: Entity) -> bool:
    """Return whether an entity has the key that native Resco entities have."""
    return entity.primary_id == KEY


def _are_one(server: Entity, client: Entity, here: str, there: str) -> bool:
    """Return whether each side has its own name, and neither has the other's."""
    return (
        here != there
        and _has(server, here)
        and _has(client, there)
        and not _has(server, there)
        and not _has(client, here)
    )


def _has(entity: Entity, name: str) -> bool:
    found = entity.attribute(name)
    return found is not None and found.is_stored and not found.is_hidden
