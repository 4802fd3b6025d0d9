"""Where undecoded pages come from: links followed to their end, or a FetchXML query.

These run in the read-ahead thread: they download and find the next page, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connections import egress
from connections.connectors.dynamics import queries
from connections.connectors.dynamics.client import DynamicsClient
from connections.connectors.dynamics.queries import FetchPage
from connections.connectors.dynamics.tokens import Resume
from connections.connectors.dynamics.values import envelope, next_link
from connections.connectors.paging import read_ahead
from organizations.query.nodes import Query
from organizations.schema import Entity


@dataclass(frozen=True, slots=True)
class RawPage:
    """The records of a page as a JSON array, and the links after it (empty: none)."""

    records: bytes
    next_link: str = ""
    delta_link: str = ""


def linked(client: DynamicsClient, url: str, prefer: str) -> Iterator[RawPage]:
    """Yield the page at `url` and those its nextLinks lead to, one ahead of the consumer.

    The same Prefer goes with every page (dataverse.md §3.1). Raises Refused when a link leaves
    the origin.
    """
    for body in read_ahead(_bodies(client, url, prefer)):
        found = envelope(body, client.root)
        yield RawPage(bytes(found.value), found.next_link, found.delta_link)


def _bodies(client: DynamicsClient, url: str, prefer: str) -> Iterator[bytes]:
    here = url
    while here:
        body = client.get(here, prefer=prefer)
        link = next_link(body)
        if link is None:
            link = envelope(body, client.root).next_link
        here = egress.followed(client.root, link, "nextLink") if link else ""
        yield body


def fetched(
    client: DynamicsClient, entity: Entity, query: Query, position: Resume | None = None
) -> Iterator[FetchPage]:
    """Yield the pages of a query from a position on, one ahead of the consumer."""
    page, cookie = (position.page, position.cookie) if position else (1, "")
    yield from read_ahead(queries.pages(client, entity, query, page=page, cookie=cookie))
