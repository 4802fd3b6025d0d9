"""Where undecoded pages come from: links followed to their end, or a FetchXML query.

These run in the read-ahead thread: they download and find the next page, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connections import egress
from connections.connectors.dynamics import queries, ranges
from connections.connectors.dynamics.client import DynamicsClient
from connections.connectors.dynamics.columns import Shape
from connections.connectors.dynamics.links import surroundings
from connections.connectors.dynamics.queries import FetchPage
from connections.connectors.dynamics.streams import Ask
from connections.connectors.dynamics.tokens import Resume, Slice
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


def ranged(client: DynamicsClient, shape: Shape, prefer: str) -> Ask:
    """Return how one page of a range is asked for, without a filter."""

    def ask(part: Slice) -> tuple[bytes, Slice | None]:
        page = _page(client, part.link or ranges.path_of(shape, part), prefer)
        return page.body, ranges.at(part, link=page.next_link) if page.next_link else None

    return ask


def ranged_fetch(client: DynamicsClient, entity: Entity, query: Query) -> Ask:
    """Return how one page of a range is asked for, through a filter."""

    def ask(part: Slice) -> tuple[bytes, Slice | None]:
        asked = ranges.narrowed(query, entity, part)
        page = next(queries.pages(client, entity, asked, page=part.page, cookie=part.cookie))
        left = ranges.at(part, page=page.page, cookie=page.cookie) if page.page else None
        return page.body, left

    return ask


def _followed(client: DynamicsClient, url: str, prefer: str) -> Iterator[LinkedPage]:
    here = url
    while here:
        page = _page(client, here, prefer)
        here = page.next_link
        yield page


def _page(client: DynamicsClient, url: str, prefer: str) -> LinkedPage:
    body = client.get(url, prefer=prefer)
    found = surroundings(body)
    link = egress.followed(client.root, found.next_link, "nextLink") if found.next_link else ""
    return LinkedPage(body, link, found.delta_link)
