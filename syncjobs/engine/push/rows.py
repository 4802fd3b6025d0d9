"""Rows and changes, put together."""

from __future__ import annotations

from collections.abc import Mapping

from organizations.records import Row, Value
from syncjobs.engine.transactions import Changed

Changes = Mapping[str, Changed]
"""Column → what it was and is, in the client's terms."""


def news_of(changes: Changes) -> dict[str, Value]:
    """Return the new values."""
    return {name: changed.new for name, changed in changes.items()}


def over(row: Row, values: Mapping[str, Value], place: Mapping[str, int]) -> Row:
    """Return the row with these values in their places."""
    over = {place[name]: value for name, value in values.items()}
    return tuple(over.get(at, value) for at, value in enumerate(row))
