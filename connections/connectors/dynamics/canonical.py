"""Whole columns of a page brought into canonical form at once.

`organizations.values.parse` says what is canonical, one value at a time. Here a column is proved
to be canonical by a few operations in C on all of its values, or changed by one; whatever cannot
be proved raises `Doubtful`, and the page goes through `parse`. Tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from organizations.records import Value
from organizations.schema import Attribute, AttributeType, Column, ColumnPart, DateBehavior
from organizations.values import DEFAULT_PRECISION, ILLEGAL_TEXT, InvalidValue, parse

Values = Sequence[Any]
Finish = Callable[[Values], Values]

Guid = Annotated[str, Meta(min_length=36, max_length=36)]
Instant = Annotated[str, Meta(min_length=20, max_length=20)]
Date = Annotated[str, Meta(min_length=10, max_length=10)]

_HEX = b"0123456789abcdef"


class Doubtful(Exception):
    """A column could not be proved canonical; its values must be parsed one by one."""


def wire_type(column: Column) -> Any:
    """Return the type msgspec decodes a column's value to; null is always allowed."""
    if column.part is ColumnPart.TARGET:
        return str
    attribute = column.attribute
    if attribute.type is AttributeType.DATETIME:
        return Date if attribute.date_behavior is DateBehavior.DATE_ONLY else Instant
    return _TYPES.get(attribute.type, str)


def finish(attribute: Attribute) -> Finish | None:
    """Return what proves or makes a decoded column canonical; None: it is so already.

    Text is not handled here: a look at the whole page proves it (`text_is_clean`).
    """
    match attribute.type:
        case AttributeType.DECIMAL | AttributeType.MONEY:
            return partial(_decimals, _quantum(attribute))
        case AttributeType.DOUBLE:
            return partial(_doubles, attribute.precision)
        case AttributeType.MULTISELECT:
            return partial(_parsed, attribute)
        case AttributeType.DATETIME:
            return _DATES[attribute.date_behavior]
    return _guids if wire_type(Column(attribute.name, attribute)) is Guid else None


def is_text(column: Column) -> bool:
    """Return whether a column holds free text."""
    kind = column.attribute.type
    return column.part is ColumnPart.VALUE and kind not in _TYPES and kind not in _OTHER


def clean_text(values: Values) -> Values:
    """Return texts with empty ones as None; Doubtful if one holds what XML cannot carry."""
    for value in values:
        if value and ILLEGAL_TEXT.search(value):
            raise Doubtful
    return [value or None for value in values]


def _quantum(attribute: Attribute) -> Decimal:
    precision = attribute.precision
    places = DEFAULT_PRECISION if precision is None or precision < 0 else precision
    return Decimal(1).scaleb(-places)


def _decimals(quantum: Decimal, values: Values) -> Values:
    # `or zero`: what rounds to nothing loses its sign, as in values.quantize.
    zero = Decimal(0).quantize(quantum)
    try:
        found = [
            None if value is None else value.quantize(quantum, ROUND_HALF_UP) or zero
            for value in values
        ]
        total = sum(filter(None, found), zero)
    except InvalidOperation as error:
        raise Doubtful from error
    if not total.is_finite():
        raise Doubtful
    return found


def _doubles(precision: int | None, values: Values) -> Values:
    if precision is None:
        return [None if value is None else value + 0.0 for value in values]
    return [None if value is None else round(value, precision) + 0.0 for value in values]


def _guids(values: Values) -> Values:
    text = "".join(filter(None, values))
    count = len(text) // 36
    rest = text.encode("utf-8", "replace").translate(None, _HEX)
    if rest != b"-" * (4 * count) or any(
        text[place::36] != "-" * count for place in (8, 13, 18, 23)
    ):
        raise Doubtful
    return values


def _instants(values: Values) -> Values:
    known = list(filter(None, values))
    text = "".join(known)
    if text[10::20] != "T" * len(known) or text[19::20] != "Z" * len(known):
        raise Doubtful
    _convert(known, list[datetime])
    return values


def _locals(values: Values) -> Values:
    return [None if value is None else value[:19] for value in _instants(values)]


def _dates(values: Values) -> Values:
    _convert(list(filter(None, values)), list[date])
    return values


def _convert(values: list[str], kind: Any) -> None:
    try:
        msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise Doubtful from error


def _parsed(attribute: Attribute, values: Values) -> Values:
    known: dict[str | None, Value] = {None: None}
    try:
        for value in set(values) - {None}:
            known[value] = parse(attribute, value)
    except InvalidValue as error:
        raise Doubtful from error
    return [known[value] for value in values]


_TYPES: dict[AttributeType, Any] = {
    AttributeType.UNIQUEIDENTIFIER: Guid,
    AttributeType.LOOKUP: Guid,
    AttributeType.CUSTOMER: Guid,
    AttributeType.OWNER: Guid,
    AttributeType.INTEGER: int,
    AttributeType.BIGINT: int,
    AttributeType.PICKLIST: int,
    AttributeType.STATE: int,
    AttributeType.STATUS: int,
    AttributeType.DECIMAL: Decimal,
    AttributeType.MONEY: Decimal,
    AttributeType.DOUBLE: float,
    AttributeType.BOOLEAN: bool,
}
_OTHER = frozenset({AttributeType.DATETIME, AttributeType.MULTISELECT, AttributeType.PARTYLIST})
_DATES: dict[DateBehavior, Finish] = {
    DateBehavior.USER_LOCAL: _instants,
    DateBehavior.DATE_ONLY: _dates,
    DateBehavior.TIME_ZONE_INDEPENDENT: _locals,
}
