"""Reading by FetchXML: filtered pages, ids, membership (dataverse.md §3.3).

Pages are ordered by primary id and continued with the paging cookie the server gives. A filter
with links asks for distinct records, since a join repeats its parent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

from lxml import etree

from connections.connectors.dynamics.batch import LONGEST_URL as LONGEST_IN_BATCH
from connections.connectors.dynamics.batch import BatchUnknown, Part, exchange
from connections.connectors.dynamics.client import LONGEST_URL, DynamicsClient, with_query
from connections.connectors.dynamics.columns import LOGICAL_NAME
from connections.connectors.dynamics.faults import fault
from connections.connectors.dynamics.links import COOKIE, MORE, Surroundings, surroundings
from connections.egress import Reply
from connections.errors import Refused, Retryable
from organizations.query import fetchxml_writer
from organizations.query.analysis import restricted
from organizations.query.nodes import (
    Group,
    Link,
    Order,
    Query,
    Selection,
)
from organizations.schema import Entity

PAGE_SIZE = 5000
MOST_WITHOUT_COOKIE = 50_000
"""Records that can be paged through by number (dataverse.md §3.3)."""
_TOGETHER = 10
"""Queries in one batch: one request for the counter, but each costs execution time."""
_CHUNK = 300
"""Ids asked for at once: an id costs about 65 bytes of address."""
PREFER = f'odata.include-annotations="{LOGICAL_NAME},{COOKIE[1:]},{MORE[1:]}"'


@dataclass(frozen=True, slots=True)
class FetchPage:
    """The body of one answer; `page` and `cookie` continue after it, `page` is 0 on the last."""

    body: bytes
    page: int
    cookie: str


def selecting(
    entity: Entity, names: Sequence[str], query: Query | None, *, page_size: int = PAGE_SIZE
) -> Query:
    """Return the query that reads these attributes of the records inside a filter."""
    links = tuple(_bare(link) for link in query.links) if query else ()
    return Query(
        entity=entity.name,
        filter=query.filter if query else Group(),
        links=links,
        select=tuple(Selection(name) for name in names),
        order=(Order(entity.primary_id),),
        distinct=bool(links),
        count=min(page_size, PAGE_SIZE),
    )


def pages(
    client: DynamicsClient, entity: Entity, query: Query, *, page: int = 1, cookie: str = ""
) -> Iterator[FetchPage]:
    """Yield all pages of a query from that page on."""
    while page:
        _check_reach(entity, query, page, cookie)
        body = _get(client, _path(entity, replace(query, page=page, cookie=cookie)))
        page, cookie = _continuation(surroundings(body), page)
        yield FetchPage(body, page, cookie)


def all_pages(
    client: DynamicsClient, entity: Entity, questions: Sequence[Query]
) -> Iterator[FetchPage]:
    """Yield the pages of several queries, asked together as far as the server can."""
    for start in range(0, len(questions), _TOGETHER):
        portion = questions[start : start + _TOGETHER]
        for query, reply in zip(portion, _together(client, entity, portion), strict=True):
            if reply is None or reply.status == 429 or reply.status >= 500:
                yield from pages(client, entity, query)
                continue
            if reply.status != 200:
                raise fault(reply)
            page, cookie = _continuation(surroundings(reply.body), 1)
            yield FetchPage(reply.body, page, cookie)
            if page:
                yield from pages(client, entity, query, page=page, cookie=cookie)


def _together(
    client: DynamicsClient, entity: Entity, questions: Sequence[Query]
) -> Sequence[Reply | None]:
    """Return the first answers to queries; None where a query is to be asked by itself."""
    alone: Sequence[Reply | None] = [None] * len(questions)
    if len(questions) == 1:
        return alone
    parts = [Part("GET", _path(entity, query), {"Prefer": PREFER}) for query in questions]
    try:
        return exchange(client, parts)
    except BatchUnknown:
        return alone


def _path(entity: Entity, query: Query) -> str:
    path = with_query(entity.set_name, fetchXml=fetchxml_writer.write(query))
    if len(path) > LONGEST_IN_BATCH:
        raise Refused(
            f"The filter of '{entity.name}' is too long for Dynamics ({len(path)} characters of "
            f"at most {LONGEST_IN_BATCH}). Shorten it."
        )
    return path


def _get(client: DynamicsClient, path: str) -> bytes:
    """Return the answer; an address too long for a request of its own goes inside a batch."""
    if len(path) <= LONGEST_URL:
        return client.get(path, prefer=PREFER)
    (reply,) = exchange(client, [Part("GET", path, {"Prefer": PREFER})])
    if reply.status == 429 or reply.status >= 500:
        raise Retryable(f"The server is not able to answer just now ({reply.status} in a batch).")
    if reply.status != 200:
        raise fault(reply)
    return reply.body


def _check_reach(entity: Entity, query: Query, page: int, cookie: str) -> None:
    size = query.count or PAGE_SIZE
    if page > 1 and not cookie and page * size > MOST_WITHOUT_COOKIE:
        raise Refused(
            f"The server gives no paging cookie for the filter of '{entity.name}', and without "
            f"one no more than {MOST_WITHOUT_COOKIE:,} records. Narrow the filter."
        )


def chunked(query: Query, attribute: str, ids: Sequence[str]) -> list[Query]:
    """Return the query narrowed to records whose attribute is among `ids`, in portions."""
    return [restricted(query, attribute, chunk) for chunk in chunks(ids)]


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield distinct ids in portions that fit into one address."""
    distinct = list(dict.fromkeys(ids))
    for start in range(0, len(distinct), _CHUNK):
        yield distinct[start : start + _CHUNK]


def _continuation(found: Surroundings, page: int) -> tuple[int, str]:
    """The cookie comes in an XML element, encoded twice for use in an address."""
    if not found.more:
        return 0, ""
    if not found.cookie:
        return page + 1, ""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        element = etree.fromstring(found.cookie.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise Retryable("The server gave a paging cookie that is not XML.") from error
    return page + 1, unquote(unquote(element.get("pagingcookie", "")))


def _bare(link: Link) -> Link:
    inner = tuple(_bare(child) for child in link.links)
    return replace(link, links=inner, select=(), select_all=False, order=())
