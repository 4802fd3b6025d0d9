"""Where undecoded pages come from: links followed to their end, or a FetchXML query.

These run in the read-ahead thread: they download and find the next page, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connections import egress
from connections.connectors.dynamics import queries
from connections.connectors.dynamics.client import DynamicsClient
from connections.connectors.dynamics.links import surroundings
from connections.connectors.dynamics.queries import FetchPage
from connections.connectors.dynamics.tokens import Resume
from connections.connectors.paging import read_ahead
from organizations.query.nodes import Query
from organizations.schema import Entity


@dataclass(frozen=True, slots=True)
class LinkedPage:
    """The body of a page, and the links after it (empty: none)."""

    body: bytes
    next_link: str = ""
    delta_link: str = ""


def linked(client: DynamicsClient, url: str, prefer: str) -> Iterator[LinkedPage]:
    """Yield the page at `url` and those its nextLinks lead to, one ahead of the consumer.

    The same Prefer goes with every page (dataverse.md §3.1). Raises Refused when a link leaves
    the origin.
    """
    yield from read_ahead(_followed(client, url, prefer))


def fetched(
    client: DynamicsClient, entity: Entity, query: Query, position: Resume | None = None
) -> Iterator[FetchPage]:
    """Yield the pages of a query from a position on, one ahead of the consumer."""
    page, cookie = (position.page, position.cookie) if position else (1, "")
    yield from read_ahead(queries.pages(client, entity, query, page=page, cookie=cookie))


def _followed(client: DynamicsClient, url: str, prefer: str) -> Iterator[LinkedPage]:
    here = url
    while here:
        body = client.get(here, prefer=prefer)
        found = surroundings(body)
        here = egress.followed(client.root, found.next_link, "nextLink") if found.next_link else ""
        yield LinkedPage(body, here, found.delta_link)
