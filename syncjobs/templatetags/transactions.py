"""Filters for the list of transactions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def of(values: Mapping[Any, Any], key: Any) -> Any:
    """Return a mapping's value of a key, empty text without one."""
    return values.get(key, "")


@register.filter
def first_names(values: Mapping[str, Any], count: int) -> list[str]:
    """Return the first names of a mapping, in alphabetical order."""
    return sorted(values)[:count]
