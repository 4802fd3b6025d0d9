"""Which parts of a large entity are read at once: ranges of `createdon`.

Links to a next page follow one another, so one stream waits for each page; where that takes long,
several streams read a range each. The first range begins with the beginning of time and the last
never ends, so that together they hold every record, whenever it is created; one without a time of
creation has a range of its own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from connections.connectors.dynamics import preflight
from connections.connectors.dynamics.client import DynamicsClient, with_query
from connections.connectors.dynamics.columns import Shape
from connections.connectors.dynamics.tokens import Slice
from organizations.query.nodes import Condition, Group, Logic, Operator, Order, Query, Selection
from organizations.schema import AttributeType, Entity
from organizations.values import instant

CREATED = "createdon"
MANY = 50_000
"""Records from which on several streams can pay."""
SHORT = 0.05
"""Seconds of a page up to which one stream can use all of the documented allowance, 20 requests a
second."""
SHORT_TRACKED = 0.2
"""The same where a walk over the ids must come first, which costs as many requests again."""
MOST_STREAMS = 8
_LEAST = timedelta(seconds=2)
_CREATED = re.compile(rb'"createdon"\s*:\s*"([^"]+)"')
_TAIL = 65_536


def plan(
    client: DynamicsClient,
    shape: Shape,
    prefer: str,
    *,
    is_tracked: bool,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Slice, ...]:
    """Return the ranges to begin with; none where one stream is as good.

    Costs one request for an entity that has a time of creation, and up to three more, one of them
    a page, for a large one. `prefer` is that of a page.
    """
    entity = shape.entity
    attribute = entity.attribute(CREATED)
    if attribute is None or attribute.type is not AttributeType.DATETIME:
        return ()
    if preflight.counts(client, [entity.name]).get(entity.name, 0) < MANY:
        return ()
    begun = clock()
    client.get(with_query(entity.set_name, select=shape.select), prefer=prefer)
    if clock() - begun < (SHORT_TRACKED if is_tracked else SHORT):
        return ()
    first, last = _extreme(client, entity, "asc"), _extreme(client, entity, "desc")
    if first is None or last is None:
        return ()
    return _slices(first, last, streams(client))


def streams(client: DynamicsClient) -> int:
    """Return how many streams the limits make worthwhile."""
    return max(2, min(MOST_STREAMS, client.at_once))


def path_of(shape: Shape, part: Slice) -> str:
    """Return the address of the first page of a range, the oldest records first."""
    select = shape.select
    if CREATED not in select.split(","):
        select = f"{select},{CREATED}"
    return with_query(
        shape.entity.set_name, select=select, filter=_condition(part), orderby=f"{CREATED} asc"
    )


def narrowed(query: Query, entity: Entity, part: Slice) -> Query:
    """Return the FetchXML query of a range, the oldest records first."""
    if part.is_undated:
        conditions = [Condition(CREATED, Operator.NULL)]
    else:
        bounds = ((Operator.GE, part.low), (Operator.LT, part.high))
        conditions = [Condition(CREATED, operator, (at,)) for operator, at in bounds if at]
    select = query.select
    if CREATED not in {selection.attribute for selection in select}:
        select = (*select, Selection(CREATED))
    return replace(
        query,
        filter=Group(Logic.AND, (query.filter, *conditions)),
        select=select,
        order=(Order(CREATED), Order(entity.primary_id)),
    )


def split(left: Slice, body: bytes) -> tuple[Slice, Slice] | None:
    """Return two halves of what is left of a range after a page; None where that is no use.

    The halves begin with the moment of the page's last record, whose page is partly given again.
    """
    found = list(_CREATED.finditer(body[-_TAIL:]))
    oldest = _CREATED.search(body)
    if left.is_undated or not found or oldest is None or oldest[1] == found[-1][1]:
        return None
    reached = _moment(found[-1][1].decode())
    end = _moment(left.high) if left.high else _moment(left.ends)
    if end - reached < _LEAST:
        return None
    middle = instant(_whole(reached + (end - reached) / 2))
    first = Slice(low=instant(reached), high=middle, ends=middle)
    return first, Slice(low=middle, high=left.high, ends=left.ends)


def _slices(first: datetime, last: datetime, count: int) -> tuple[Slice, ...]:
    step = (last - first) / count
    inner = sorted({instant(_whole(first + step * at)) for at in range(1, count)})
    bounds = ["", *inner, ""]
    ends = instant(last)
    dated = [
        Slice(low=low, high=high, ends=high or ends)
        for low, high in zip(bounds, bounds[1:], strict=False)
    ]
    return (*dated, Slice(is_undated=True))


def _condition(part: Slice) -> str:
    if part.is_undated:
        return f"{CREATED} eq null"
    bounds = (("ge", part.low), ("lt", part.high))
    return " and ".join(f"{CREATED} {operator} {at}" for operator, at in bounds if at)


def _extreme(client: DynamicsClient, entity: Entity, direction: str) -> datetime | None:
    path = with_query(
        entity.set_name,
        select=CREATED,
        filter=f"{CREATED} ne null",
        orderby=f"{CREATED} {direction}",
        top="1",
    )
    found = client.get_json(path).get("value") or [{}]
    value = found[0].get(CREATED)
    return _moment(value) if value else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(instant(text)).astimezone(UTC)


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def at(part: Slice, **changes: object) -> Slice:
    """Return the range at another page."""
    return msgspec.structs.replace(part, **changes)
