"""Compares two JSON documents value by value; lists of named elements are matched by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Yield the path of everything that is not the same, types included."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            if name not in one or name not in other:
                yield f"{path}.{name}"
            else:
                yield from differences(one[name], other[name], f"{path}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for left, right in zip(_sorted(one), _sorted(other), strict=True):
            yield from differences(left, right, f"{path}[{_name(left)}]")
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield path


def _name(item: Any) -> str:
    return str(item.get("SchemaName") or item.get("Value", "")) if isinstance(item, dict) else ""


def _sorted(items: list[Any]) -> list[Any]:
    return sorted(items, key=_name)
