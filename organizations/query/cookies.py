"""Paging cookies: where a page of a sorted answer ended.

The form is Dataverse's, `<cookie page="1"><accountid last="…" first="…" /></cookie>`, with one
element per sort key (`lastnull="1"` for null) and an attribute `alias` for a linked record's key.
Callers pass it back unread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml import etree

from organizations.errors import InvalidRequest
from organizations.query.markup import parse
from organizations.schema import Attribute


@dataclass(frozen=True, slots=True)
class Key:
    """One sort key: an attribute of the record known by `alias` ('' = the query's own entity)."""

    attribute: Attribute
    alias: str = ""


def write(keys: Sequence[Key], first: Sequence[Any], last: Sequence[Any], page: int) -> str:
    """Return the cookie of a page that began with the key values `first` and ended with `last`."""
    root = etree.Element("cookie", {"page": str(page)})
    for key, begin, end in zip(keys, first, last, strict=True):
        element = etree.SubElement(root, key.attribute.name)
        if key.alias:
            element.set("alias", key.alias)
        _put(element, "last", end)
        _put(element, "first", begin)
    return etree.tostring(root, encoding="unicode")


def _put(element: etree._Element, name: str, value: Any) -> None:
    if value is None:
        element.set(f"{name}null", "1")
    else:
        element.set(name, value.isoformat() if isinstance(value, date) else str(value))


def read(cookie: str, keys: Sequence[Key]) -> tuple[str | None, ...]:
    """Return the text of the last values of a cookie that `write` made for the same keys.

    Raises InvalidRequest when it belongs to another query.
    """
    elements = list(parse(cookie, "paging-cookie"))
    names = [(element.tag, element.get("alias", "")) for element in elements]
    if names != [(key.attribute.name, key.alias) for key in keys]:
        raise InvalidRequest(
            "The paging-cookie belongs to a query with another order. Start again without it.",
            "paging-cookie",
        )
    return tuple(element.get("last") for element in elements)
