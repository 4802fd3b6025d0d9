"""The text of `$apply`: `filter(…)/groupby((a,b/c),aggregate(d with sum as e,$count as n))`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from organizations.dynamics.errors import WebApiError, bad_request
from organizations.dynamics.expand_syntax import names, split

METHODS = {
    "sum": "sum",
    "min": "min",
    "max": "max",
    "average": "avg",
    "countdistinct": "countcolumn",
}
"""Aggregation methods of OData, and what the query language calls them."""

_CALL = re.compile(r"(filter|groupby|aggregate)\((.*)\)\Z", re.DOTALL)
_COUNT = re.compile(r"\$count\s+as\s+(\w+)\Z")
_AGGREGATE = re.compile(r"([\w/]+)\s+with\s+(\w+)\s+as\s+(\w+)\Z")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One result: `path` is '' where records are counted, `method` one of METHODS or count."""

    path: str
    method: str
    alias: str


@dataclass(frozen=True, slots=True)
class Apply:
    """What `$apply` does: filters first, then groups by paths, then aggregates each group."""

    filters: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()


def parse(text: str) -> Apply:
    """Return the meaning of `$apply`. Raises WebApiError 400."""
    *filters, last = [_call(part.strip()) for part in split(text.strip(), "/")]
    wrong = [name for name, _ in filters if name != "filter"]
    if wrong:
        raise _refused(f"{wrong[0]}(…) can only come last")
    found = tuple(inside for _, inside in filters)
    name, inside = last
    if name == "filter":
        raise _refused("filter(…) must be followed by groupby(…) or aggregate(…)")
    if name == "aggregate":
        return Apply(found, (), _aggregates(inside))
    return _grouped(found, inside)


def _call(part: str) -> tuple[str, str]:
    found = _CALL.match(part)
    if found is None:
        raise _refused(f"'{part[:100]}' is none of filter(…), groupby(…) and aggregate(…)")
    return found[1], found[2].strip()


def _grouped(filters: tuple[str, ...], inside: str) -> Apply:
    listed, *more = [part.strip() for part in split(inside, ",")]
    if not (listed.startswith("(") and listed.endswith(")")) or len(more) > 1:
        raise _refused("groupby takes ((property,…)) and, after a comma, aggregate(…)")
    groups = tuple(names(listed[1:-1]))
    if not groups:
        raise _refused("groupby needs a property")
    aggregates: tuple[Aggregate, ...] = ()
    if more:
        name, own = _call(more[0])
        if name != "aggregate":
            raise _refused(f"groupby takes aggregate(…) after its properties, not {name}(…)")
        aggregates = _aggregates(own)
    return Apply(filters, groups, aggregates)


def _aggregates(text: str) -> tuple[Aggregate, ...]:
    return tuple(_aggregate(part.strip()) for part in split(text, ","))


def _aggregate(part: str) -> Aggregate:
    if found := _COUNT.match(part):
        return Aggregate("", "count", found[1])
    found = _AGGREGATE.match(part)
    if found is None:
        raise _refused(f"'{part[:100]}' is not of the form 'property with method as name'")
    if found[2] not in METHODS:
        raise _refused(f"'{found[2]}' is none of the methods {', '.join(METHODS)}")
    return Aggregate(found[1], METHODS[found[2]], found[3])


def _refused(reason: str) -> WebApiError:
    return bad_request(f"Syntax error in $apply: {reason}.", "0x80060888")
