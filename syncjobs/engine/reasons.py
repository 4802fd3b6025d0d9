"""Why a record is not the same on both sides, in words, as far as the link tells."""

from __future__ import annotations

from dataclasses import dataclass

from organizations.records import Row
from syncjobs.engine.values import LinkRow, LinkState

Side = tuple[Row, int, str]
"""A record as it is on one side: values in the layout's order, version, digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """A record on both sides, where it is there, and what was agreed on last."""

    server: Side | None
    client: Side | None
    link: LinkRow | None


def reason(sides: Sides, *, is_left: bool) -> str:
    """Return one sentence; `is_left`: an earlier run could not carry the record."""
    if sides.client is None:
        return _missing(sides.link, is_left=is_left)
    if sides.server is None:
        return _extra(sides.link)
    return _differs(sides, is_left=is_left)


def _missing(link: LinkRow | None, *, is_left: bool) -> str:
    if is_left:
        return "A run could not carry it. The run's errors say why."
    if link is not None:
        return "It was deleted on the client."
    return "It was not carried yet. Sync All carries it."


def _extra(link: LinkRow | None) -> str:
    if link is None:
        return "It was made on the client and is not on the server."
    if link.state == LinkState.SERVER_DELETED:
        return "The server deleted it; it was kept, because Sync Deletion is off."
    if link.state == LinkState.LEFT_FILTER:
        return "It left the sync filter; it was kept, because Sync Deletion is off."
    return "It is no longer on the server, or not inside the sync filter. Sync All will notice."


def _differs(sides: Sides, *, is_left: bool) -> str:
    if sides.link is None:
        return "Both sides have it, but it was never carried. Sync All takes the server's values."
    on_server = sides.server is not None and sides.server[2] != sides.link.digest
    on_client = sides.client is not None and sides.client[2] != sides.link.digest
    if on_server and on_client:
        return (
            "It was changed on both sides since it was last carried. The client's was left alone."
        )
    if on_client:
        return "It was changed on the client since it was last carried."
    if is_left:
        return "A run could not carry the server's change. The run's errors say why."
    return "It was changed on the server since it was last carried. Sync All carries it."
