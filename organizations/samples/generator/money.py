"""The currencies of the sample organization."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Currency(NamedTuple):
    """Name, ISO code, symbol, decimal places, and how many of it buy one of the base currency."""

    name: str
    code: str
    symbol: str
    precision: int
    rate: Decimal


CURRENCIES = (
    Currency("Euro", "EUR", "€", 2, Decimal("1.0000000000")),
    Currency("US Dollar", "USD", "$", 2, Decimal("1.0835000000")),
    Currency("Pound Sterling", "GBP", "£", 2, Decimal("0.8581000000")),
    Currency("Schweizer Franken", "CHF", "CHF", 2, Decimal("0.9412000000")),
    Currency("日本円", "JPY", "¥", 0, Decimal("163.2700000000")),
)
"""The first is the base currency."""
