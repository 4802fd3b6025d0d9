"""Single questions by FetchXML: these records, which of these are inside a filter, all ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from connections.connectors.dynamics import queries, sources
from connections.connectors.dynamics.client import DynamicsClient, with_query
from connections.connectors.dynamics.columns import Shape
from connections.connectors.dynamics.values import Decoded, PageDecoder
from organizations.query.nodes import Query
from organizations.schema import Entity


def fetch(client: DynamicsClient, decoder: PageDecoder, ids: Sequence[str]) -> Decoded:
    """Return those of the records that exist, in any order, without party lists."""
    shape = decoder.shape
    query = queries.selecting(shape.entity, shape.fetched, None)
    asked = queries.chunked(query, shape.entity.primary_id, ids)
    pages = queries.all_pages(client, shape.entity, asked)
    found = [decoder.decode(page.body) for page in pages]
    return Decoded(
        rows=list(chain.from_iterable(part.rows for part in found)),
        versions=list(chain.from_iterable(part.versions for part in found)),
        rejected=list(chain.from_iterable(part.rejected for part in found)),
    )


def matching(client: DynamicsClient, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
    """Return those of the ids whose records are inside the filter now."""
    decoder = PageDecoder(Shape.of(entity, ()).only_id())
    asked = queries.selecting(entity, [entity.primary_id], query)
    inside: set[str] = set()
    for page in queries.all_pages(client, entity, queries.chunked(asked, entity.primary_id, ids)):
        inside.update(str(row[0]) for row in decoder.decode(page.body).rows)
    return inside


def ids(client: DynamicsClient, entity: Entity, query: Query | None) -> Iterator[Sequence[str]]:
    """Yield all ids inside the filter, a page at a time."""
    decoder = PageDecoder(Shape.of(entity, ()).only_id())
    for records in _id_pages(client, entity, query):
        yield [str(row[0]) for row in decoder.decode(records).rows]


def _id_pages(client: DynamicsClient, entity: Entity, query: Query | None) -> Iterator[bytes]:
    if query is None:
        url = with_query(entity.set_name, select=entity.primary_id)
        for raw in sources.linked(client, url, f"odata.maxpagesize={queries.PAGE_SIZE}"):
            yield raw.body
        return
    asked = queries.selecting(entity, [entity.primary_id], query)
    for page in sources.fetched(client, entity, asked):
        yield page.body
