"""Names of sets and properties, made from the names of templates and questions (resco.md §3.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 100
"""Characters; OData allows 128, and a version or a number may be added."""
_SPECIAL = re.compile(r"\W")


def safe(name: str) -> str:
    """Return a name whose spaces and special characters are `_`."""
    text = _SPECIAL.sub("_", name.strip())[:LONGEST] or "_"
    return f"_{text}" if text[0].isdigit() else text


class Unique:
    """Gives each name once: what comes later with the same name gets `_2`, `_3` (assumed)."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        """`taken` are names that nothing else may have."""
        self._taken = set(taken)

    def name(self, wanted: str) -> str:
        """Return the name, or the first free one with a number."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name
