"""Values made comparable: the text of a condition, and the canonical value of a record.

===========  =======================================================================
kind         comparable Python value
===========  =======================================================================
text         ``str`` without letter case
number       ``int`` (whole-number types and options), ``Decimal``, ``float`` (Double)
yes or no    ``bool``
id           ``str``, lower-case GUID
choices      ``str``: sorted distinct values joined by commas
date         aware ``datetime`` in UTC; ``date`` (date only); naive ``datetime``
             (time-zone independent)
===========  =======================================================================

Numbers of a condition are not rounded to the attribute's precision: `eq 1.005` does not find 1.01.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import cast

from organizations.errors import InvalidRequest
from organizations.query.context import Context
from organizations.query.like import fold
from organizations.query.nodes import Scalar
from organizations.query.operators import Kind, kind_of
from organizations.query.windows import day, local
from organizations.records import RecordValue, Reference
from organizations.schema import Attribute, AttributeType, DateBehavior
from organizations.values import ILLEGAL_TEXT, InvalidValue, guid, parse

Comparable = str | int | float | bool | Decimal | datetime | date

TODAY = re.compile(r"@@TODAY\s*(?:([+-])\s*(\d{1,6}))?\Z", re.IGNORECASE)
LANGUAGE = "@@currentlanguage@@"
_WHOLE = frozenset(
    {
        AttributeType.INTEGER,
        AttributeType.BIGINT,
        AttributeType.PICKLIST,
        AttributeType.STATE,
        AttributeType.STATUS,
    }
)


def literal(attribute: Attribute, value: Scalar, context: Context) -> Comparable:
    """Return the value of a condition on `attribute`, its macros replaced.

    Raises InvalidRequest that names the attribute and the value.
    """
    text = value if isinstance(value, str) else str(value)
    if text.strip().lower() == LANGUAGE:
        text = str(context.language)
    try:
        return _LITERALS[kind_of(attribute)](attribute, text, context)
    except (ValueError, ArithmeticError) as error:
        raise InvalidRequest(
            f"'{text[:80]}' is not a value of type {attribute.type} for attribute "
            f"'{attribute.name}'.",
            "condition",
        ) from error


def comparable(attribute: Attribute, value: RecordValue) -> Comparable | None:
    """Return a record's canonical value in comparable form; None stays None."""
    if value is None:
        return None
    if isinstance(value, Reference):
        return value.id.lower()
    kind = kind_of(attribute)
    if kind is Kind.DATE:
        return _canonical_date(attribute, str(value))
    if kind is Kind.TEXT:
        return fold(str(value))
    return value


def _canonical_date(attribute: Attribute, text: str) -> Comparable:
    if attribute.date_behavior is DateBehavior.DATE_ONLY:
        return date.fromisoformat(text)
    return datetime.fromisoformat(text)


def _text(attribute: Attribute, text: str, context: Context) -> Comparable:
    if ILLEGAL_TEXT.search(text):
        raise ValueError(text)
    return fold(text)


def _number(attribute: Attribute, text: str, context: Context) -> Comparable:
    number = Decimal(text.strip())
    if not number.is_finite() or (number and abs(number.adjusted()) > 38):
        raise ValueError(text)
    if attribute.type in _WHOLE:
        return _whole(number)
    return _float(text) if attribute.type is AttributeType.DOUBLE else number


def _whole(number: Decimal) -> int:
    if number != number.to_integral_value() or not -(2**63) <= number < 2**63:
        raise ValueError(str(number))
    return int(number)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _boolean(attribute: Attribute, text: str, context: Context) -> Comparable:
    known = {"true": True, "1": True, "false": False, "0": False}
    found = known.get(text.strip().lower())
    if found is None:
        raise ValueError(text)
    return found


def _id(attribute: Attribute, text: str, context: Context) -> Comparable:
    return guid(text.strip())


def _choices(attribute: Attribute, text: str, context: Context) -> Comparable:
    try:
        found = parse(attribute, text.strip())
    except InvalidValue as error:
        raise ValueError(text) from error
    return cast(str, found or "")


def _date(attribute: Attribute, text: str, context: Context) -> Comparable:
    moment = _moment(text.strip(), context)
    if attribute.date_behavior is DateBehavior.USER_LOCAL:
        aware = moment if moment.tzinfo else moment.replace(tzinfo=context.zone)
        return aware.astimezone(UTC)
    clock = moment.replace(tzinfo=None)
    return clock.date() if attribute.date_behavior is DateBehavior.DATE_ONLY else clock


def _moment(text: str, context: Context) -> datetime:
    if found := TODAY.match(text):
        days = int((found[1] or "+") + (found[2] or "0"))
        return day(local(context.now, context)) + timedelta(days=days)
    return datetime.fromisoformat(text)


_Literal = Callable[[Attribute, str, Context], Comparable]
_LITERALS: dict[Kind, _Literal] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.ID: _id,
    Kind.CHOICES: _choices,
    Kind.OPAQUE: _text,
}
