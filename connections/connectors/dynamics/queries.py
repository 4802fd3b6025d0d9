"""Reading by FetchXML: filtered pages, ids, membership (dataverse.md §3.3).

Pages are ordered by primary id and continued with the paging cookie the server gives. A filter
with links asks for distinct records, since a join repeats its parent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

from lxml import etree

from connections.connectors.dynamics.client import LONGEST_URL, DynamicsClient, with_query
from connections.connectors.dynamics.columns import LOGICAL_NAME
from connections.connectors.dynamics.links import COOKIE, MORE, Surroundings, surroundings
from connections.errors import Refused, Retryable
from organizations.query import fetchxml_writer
from organizations.query.nodes import (
    Condition,
    Group,
    Link,
    Logic,
    Operator,
    Order,
    Query,
    Selection,
)
from organizations.schema import Entity

PAGE_SIZE = 5000
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


def with_ids(query: Query, attribute: str, ids: Sequence[str]) -> Query:
    """Return the query narrowed to records whose attribute is one of `ids`."""
    among = Condition(attribute, Operator.IN, tuple(ids))
    return replace(query, filter=Group(Logic.AND, (query.filter, among)))


def pages(
    client: DynamicsClient, entity: Entity, query: Query, *, page: int = 1, cookie: str = ""
) -> Iterator[FetchPage]:
    """Yield all pages of a query from that page on."""
    while page:
        asked = replace(query, page=page, cookie=cookie)
        url = with_query(entity.set_name, fetchXml=fetchxml_writer.write(asked))
        if len(url) > LONGEST_URL:
            raise Refused(
                f"The filter of '{entity.name}' is too long for Dynamics ({len(url)} characters "
                f"of at most {LONGEST_URL}). Shorten it."
            )
        body = client.get(url, prefer=PREFER)
        page, cookie = _continuation(surroundings(body), page)
        yield FetchPage(body, page, cookie)


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
