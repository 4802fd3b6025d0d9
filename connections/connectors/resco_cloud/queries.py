"""What is asked of an organization's records, one page at a time.

Pages are not counted: each begins behind the last row version of the one before, so that a
reading goes on after any page and nothing moves between pages meanwhile. No two records of an
organization have the same row version (assumed, as in SQL Server).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

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


def _bare(link: Link) -> Link:
    inner = tuple(_bare(item) for item in link.links)
    return replace(link, links=inner, select=(), select_all=False, order=())
