"""Which party list of an activity a participation mask means (dataverse.md §6)."""

from __future__ import annotations

from collections.abc import Mapping

LISTS: Mapping[int, str] = {
    1: "from",
    2: "to",
    3: "cc",
    4: "bcc",
    5: "requiredattendees",
    6: "optionalattendees",
    7: "organizer",
    10: "resources",
    11: "customers",
}
MASKS: Mapping[str, int] = {name: mask for mask, name in LISTS.items()}
AUTOMATIC = frozenset({8, 9})
"""Regarding and owner: they appear by themselves."""
