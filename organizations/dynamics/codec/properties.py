"""What all metadata elements share: extras, managed properties, ids that never change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from organizations.errors import InvalidRequest

Json = dict[str, Any]

NEVER_CUSTOMISED = "1900-01-01T00:00:00"
"""What CreatedOn and ModifiedOn of an untouched system element say (seen in real metadata)."""

INTRODUCED = "1.0.0.0"
NO_LABEL: Json = {"LocalizedLabels": [], "UserLocalizedLabel": None}
_IDS = UUID("5d3c6e0e-6f1e-5c6b-9a57-0f6e1c0b4a11")


def metadata_id(*path: str) -> str:
    """Return the id of an element that has none of its own: always the same for the same path."""
    return str(uuid5(_IDS, "/".join(path)))


def managed(name: str, value: object, *, changeable: bool = True) -> Json:
    """Return a managed property: a value, and whether a customizer may change it."""
    return {"Value": value, "CanBeChanged": changeable, "ManagedPropertyLogicalName": name}


def plain(value: object) -> Any:
    """Return the value of a `{"Value": …}` property; None for an absent one."""
    return value.get("Value") if isinstance(value, Mapping) else None


def extras(raw: Mapping[str, Any], served: Mapping[str, Any], owned: frozenset[str]) -> Json:
    """Return what of a document would be lost: properties not owned, unlike those served."""
    return {
        name: value
        for name, value in raw.items()
        if name not in owned and not (name in served and same(served[name], value))
    }


def same(one: object, other: object) -> bool:
    """Return whether two JSON values are equal; true is not 1 here."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def text(raw: Mapping[str, Any], name: str, where: str) -> str:
    """Return a text that must be there. Raises InvalidRequest with the place."""
    value = raw.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"{where} has no '{name}'; its metadata cannot be read.", name)
    return value


def documents(raw: Mapping[str, Any], name: str, where: str) -> list[Json]:
    """Return a list of objects; an absent or null one is empty. Raises InvalidRequest."""
    value = raw.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidRequest(f"'{name}' of {where} must be a list of objects.", name)
    return value
