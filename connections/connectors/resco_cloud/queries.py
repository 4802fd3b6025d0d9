"""Fetch requests (resco.md §1.5): what is asked, one page at a time.

Pages are not counted: each begins behind the last row version of the one before, so that a
reading goes on after any page and nothing moves between pages meanwhile. No two records of an
organization have the same row version (assumed, as in SQL Server).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lxml import etree

from connections.connectors.resco_cloud.client import RescoClient
from connections.connectors.resco_cloud.markup import child, children, is_true, text_of
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
from organizations.schema import VERSION, Entity

PAGE = 500
"""Records of a page, as the known clients ask for (§1.5); also ids in one question."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The records of one page; `min_active` is 0 where it was not told."""

    records: Sequence[etree._Element]
    more: bool
    min_active: int = 0


def ask(client: RescoClient, query: Query, *, min_active: bool = False) -> Answer:
    """Return one page of a query. Raises InvalidRequest, and errors of connectors."""
    root = client.post("", _document(query, min_active=min_active))
    listed = child(root, "Entities")
    records = [] if listed is None else list(children(listed))
    told = text_of(root, "MinActiveRowVersion")
    return Answer(records, _has_more(root, query, len(records)), int(told) if told.isdigit() else 0)


def _document(query: Query, *, min_active: bool) -> bytes:
    """Return the `<fetch>` document with the attributes that clients add (§1.5)."""
    element = etree.fromstring(fetchxml_writer.write(query))
    element.set("page", str(query.page))
    if query.distinct:
        element.set("distinct", "1")
    if min_active:
        element.set("min-active-row-version", "1")
    return etree.tostring(element, encoding="utf-8")


def selecting(
    entity: Entity, names: Sequence[str], query: Query | None, *, size: int = PAGE
) -> Query:
    """Return the query that reads these attributes, and the version, of what a filter has."""
    links = tuple(_bare(link) for link in query.links) if query else ()
    return Query(
        entity=entity.name,
        filter=query.filter if query else Group(),
        links=links,
        select=tuple(Selection(name) for name in dict.fromkeys((*names, VERSION))),
        order=(Order(VERSION),),
        distinct=bool(links),
        count=max(1, min(size, PAGE)),
    )


def narrowed(query: Query, *conditions: Condition | Group) -> Query:
    """Return the query with more conditions, all of which hold."""
    own = () if query.filter == Group() else (query.filter,)
    return replace(query, filter=Group(Logic.AND, (*own, *conditions)))


def above(query: Query, version: int) -> Query:
    """Return the query for records beyond a row version."""
    return narrowed(query, Condition(VERSION, Operator.GT, (version,)))


def portions(ids: Sequence[str], size: int = PAGE) -> Iterator[Sequence[str]]:
    """Yield distinct ids in portions for one question each."""
    distinct = list(dict.fromkeys(ids))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def counting(entity: Entity, query: Query | None) -> Query:
    """Return the aggregate that counts records, each once however links repeat it."""
    wanted = selecting(entity, (), query)
    number = Selection(
        entity.primary_id,
        alias="number",
        aggregate="countcolumn" if wanted.links else "count",
        distinct=bool(wanted.links),
    )
    return replace(wanted, select=(number,), order=(), distinct=False, aggregate=True, count=None)


def _has_more(root: etree._Element, query: Query, count: int) -> bool:
    """Where the answer does not tell, a full page has another behind it (assumed)."""
    told = text_of(root, "MoreRecords")
    return is_true(told) if told else count >= (query.count or PAGE)


def _bare(link: Link) -> Link:
    inner = tuple(_bare(item) for item in link.links)
    return replace(link, links=inner, select=(), select_all=False, order=())
