"""Formatted values: what a value looks like to the user (annotation FormattedValue).

The settings are those of an English (US) user in UTC: organizations keep none of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from organizations.records import Value
from organizations.schema import Attribute, AttributeType

T = AttributeType
Formatter = Callable[[Any], str | None]


def formatter(attribute: Attribute, language: int) -> Formatter | None:
    """Return the function that formats a value; None for types without a formatted value."""
    if attribute.option_set is not None and attribute.type is not T.MULTISELECT:
        texts = _texts(attribute, language)
        return lambda value: texts.get(int(value))
    if attribute.type is T.MULTISELECT:
        return _choices(_texts(attribute, language))
    if attribute.type is T.DATETIME:
        return _day if attribute.format == "DateOnly" else _moment
    if attribute.type in (T.DECIMAL, T.DOUBLE, T.MONEY):
        places = 2 if attribute.precision is None else attribute.precision
        return lambda value: f"{value:,.{places}f}"
    if attribute.type in (T.INTEGER, T.BIGINT):
        return lambda value: f"{value:,}"
    return None


def _texts(attribute: Attribute, language: int) -> Mapping[int, str]:
    options = attribute.option_set.options if attribute.option_set else ()
    return {item.value: item.label.text(language) for item in options}


def _choices(texts: Mapping[int, str]) -> Formatter:
    def formatted(value: str) -> str:
        return "; ".join(texts.get(int(part), part) for part in value.split(","))

    return formatted


def _day(value: str) -> str:
    moment = datetime.fromisoformat(value)
    return f"{moment.month}/{moment.day}/{moment.year}"


def _moment(value: str) -> str:
    moment = datetime.fromisoformat(value)
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{_day(value)} {hour}:{moment.minute:02} {half}" if len(value) > 10 else _day(value)


def money(value: Value, symbol: str) -> str:
    """Return an amount with its currency's symbol and two decimals."""
    amount = value if isinstance(value, Decimal) else Decimal(str(value))
    sign = "-" if amount < 0 else ""
    return f"{sign}{symbol}{abs(amount):,.2f}"
