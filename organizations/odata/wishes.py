"""System query options as what a request asks for (OData part 1, 11.2).

What the standard knows and this service does not offer is answered with 501, never ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from organizations.batches.parts import LONGEST_ADDRESS
from organizations.odata import expanding, selecting
from organizations.odata.call import Call
from organizations.odata.errors import ODataError, not_served
from organizations.odata.names import Shape
from organizations.query.limits import MOST_CONDITIONS, check_size
from organizations.query.nodes import Query
from organizations.query.odata_reader import read_filter, read_order
from organizations.schema import Attribute

OF_A_RECORD = frozenset({"$select", "$expand", "$format"})
OF_A_COUNT = frozenset({"$filter", "$format"})
OF_A_SET = OF_A_RECORD | {"$filter", "$orderby", "$top", "$skip", "$skiptoken", "$count"}
_COMPUTED = re.compile(r"[/()@]|\S\s+(?!asc\Z|desc\Z)\S+\s+\S")
"""Paths, functions, annotations and expressions, by which the standard can sort too."""
_JOINTS = re.compile(r"'(?:[^']|'')*'|\b(?:and|or)\b")
_AFTER = re.compile(r"after-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-(\d{1,9}))?\Z")
_AT = re.compile(r"at-(\d{1,9})(?:-(\d{1,9}))?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a request asks for. `left` is how many records $top still leaves."""

    query: Query
    attributes: list[Attribute]
    expanded: expanding.Items = ()
    left: int | None = None
    offset: int = 0
    after: str | None = None
    is_counted: bool = False


def of_a_set(call: Call, shape: Shape) -> Wish:
    """Return what is asked of a collection. Raises ODataError 400, 501."""
    check_options(call, OF_A_SET, "a set")
    left, offset, after = position(call)
    return Wish(
        query=ordered(call, shape, query(call, shape)),
        attributes=selecting.attributes(shape, call.options.get("$select")),
        expanded=expanding.read(call, shape),
        left=left,
        offset=offset,
        after=after,
        is_counted=flag(call, "$count"),
    )


def of_a_record(call: Call, shape: Shape) -> Wish:
    """Return what is asked of one record. Raises ODataError 400, 501."""
    check_options(call, OF_A_RECORD, "a record")
    return Wish(
        query=Query(entity=shape.entity.name),
        attributes=selecting.attributes(shape, call.options.get("$select")),
        expanded=expanding.read(call, shape),
    )


def query(call: Call, shape: Shape) -> Query:
    """Return the query of `$filter`. Raises ODataError 400, 501."""
    made = Query(entity=shape.entity.name)
    text = call.options.get("$filter")
    if text is None:
        return made
    if len(text) > LONGEST_ADDRESS:
        raise ODataError(
            f"The filter is longer than {LONGEST_ADDRESS:,} characters.", target="$filter"
        )
    _check_length(text)
    found = read_filter(text, shape.entity, call.names, call.aliases, is_standard=True)
    made = replace(made, filter=found.group, links=found.links)
    check_size(made, "$filter")
    return made


def _check_length(text: str) -> None:
    """Raise ODataError for more `and` and `or` than a query has conditions, before it is read."""
    joints = (found for found in _JOINTS.findall(text) if found[0] != "'")
    if sum(1 for _ in joints) >= MOST_CONDITIONS:
        raise ODataError(
            f"A filter has at most {MOST_CONDITIONS} conditions. Ask for less, or use in with a "
            "list.",
            target="$filter",
        )


def check_options(call: Call, known: frozenset[str], kind: str) -> None:
    """Raise ODataError for a system option that is unknown, or that does not fit `kind`.

    OData 4.01 lets clients leave the `$` out. Here that would go unheard, so it is refused.
    """
    for option in call.options:
        if f"${option}" in OF_A_SET:
            raise not_served(f"The query option {option} without its $")
        if option.startswith("$") and option not in known:
            if option in OF_A_SET:
                raise ODataError(f"{option} does not fit {kind}.", target=option)
            raise not_served(f"The query option {option[:40]}")


def ordered(call: Call, shape: Shape, made: Query) -> Query:
    """Return the query with the sort keys of `$orderby`. Raises ODataError 400, 501."""
    text = call.options.get("$orderby")
    if text is None:
        return made
    for part in text.split(","):
        if _COMPUTED.search(part.strip()):
            raise not_served(f"$orderby of '{part.strip()[:60]}'")
    made = replace(made, order=read_order(text, shape.entity, call.names))
    check_size(made, "$orderby")
    return made


def position(call: Call) -> tuple[int | None, int, str | None]:
    """Return how many records are left, how many are skipped, and after which id to go on."""
    top, skip = _number(call, "$top"), _number(call, "$skip")
    token = call.options.get("$skiptoken")
    if token is None:
        return top, skip or 0, None
    if found := _AFTER.match(token):
        return _left(found[2]), 0, found[1]
    if found := _AT.match(token):
        return _left(found[2]), int(found[1]), None
    raise ODataError("The $skiptoken is not one of this service.", target="$skiptoken")


def _left(text: str | None) -> int | None:
    return None if text is None else int(text)


def _number(call: Call, option: str) -> int | None:
    text = call.options.get(option)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ODataError(
            f"{option} is a whole number that is not negative, not '{text[:40]}'.", target=option
        )
    return int(text)


def flag(call: Call, option: str) -> bool:
    """Return an option that is true or false; false where it is not there."""
    text = call.options.get(option, "false").lower()
    if text not in ("true", "false"):
        raise ODataError(f"{option} is true or false, not '{text[:40]}'.", target=option)
    return text == "true"
