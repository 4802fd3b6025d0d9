"""`$select`: the properties of an answer."""

from __future__ import annotations

import re

from organizations.odata.errors import not_served
from organizations.odata.names import Shape
from organizations.schema import Attribute

_ELSEWHERE = re.compile(r"[/.(@]")
"""What only paths, types, options and annotations hold, none of which is served."""


def attributes(shape: Shape, text: str | None) -> list[Attribute]:
    """Return the attributes of `$select`; the key is always one of them.

    A navigation may be named too: all that stands for it is its lookup, which is left out.
    Raises ODataError 400, 501.
    """
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    for name in names:
        if _ELSEWHERE.search(name):
            raise not_served(f"$select of '{name[:60]}'")
    if not names or "*" in names:
        return list(shape.properties.values())
    chosen = [shape.property(name) for name in names if name not in shape.navigations]
    key = shape.properties[shape.entity.primary_id]
    return list({item.name: item for item in (key, *chosen)}.values())
