"""Records in the order of `$orderby`; what is empty comes first, and last where it descends.

By a questionnaire's own attributes the database orders them. By answers they are read and ordered
here, which is done with so many only.
"""

from __future__ import annotations

from collections.abc import Sequence

from organizations.odata.errors import ODataError
from organizations.query.nodes import Order
from organizations.questionnaire.answers import MOST_LOOKED_AT, PORTION, Answer, Reading
from organizations.records import Value

DEEPEST = 50_000
"""Records that an order reaches: a page reads all before it."""


def first(reading: Reading, order: Sequence[Order], start: int, end: int) -> list[Answer]:
    """Return the records from `start` to `end`. Raises ODataError 400, 501."""
    if end > DEEPEST:
        raise ODataError(
            f"$skip and $orderby reach {DEEPEST:,} records deep. Narrow the filter, or read "
            "without them.",
            target="$skip",
        )
    if reading.can_order(order):
        return reading.ordered(order, start, end)
    found = _all(reading)
    for key in reversed(order):
        found.sort(key=lambda item: _place(item.values.get(key.attribute)), reverse=key.descending)
    return found[start:end]


def _all(reading: Reading) -> list[Answer]:
    found: list[Answer] = []
    for number, portion in enumerate(reading.portions(None), 1):
        found += portion
        if number * PORTION >= MOST_LOOKED_AT:
            raise ODataError(
                f"Records are ordered by answers among {MOST_LOOKED_AT:,} at most. Order by the "
                "questionnaire's own properties.",
                status=501,
                code="NotServed",
                target="$orderby",
            )
    return found


def _place(value: Value) -> tuple[bool, Value]:
    """Return what a value is ordered by: letters are not told apart."""
    return value is not None, value.casefold() if isinstance(value, str) else value
