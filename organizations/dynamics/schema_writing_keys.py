"""New and removed alternate keys; their index is Active at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from organizations.dynamics.codec import key_to_json
from organizations.dynamics.codec.relationships import key_from_json
from organizations.dynamics.schema_writing_bodies import (
    born,
    check_names,
    clean,
    schema_name,
)
from organizations.dynamics.schema_writing_draft import Draft
from organizations.dynamics.schema_writing_faults import duplicate, invalid
from organizations.schema import AttributeType, Entity, Key

T = AttributeType
MOST_ATTRIBUTES = 16
_ALLOWED = frozenset({T.DECIMAL, T.INTEGER, T.STRING, T.DATETIME, T.LOOKUP, T.PICKLIST})
_KIND = "EntityKeyMetadata"


def create(draft: Draft, entity: Entity, raw: Mapping[str, Any]) -> Key:
    """Add a key to an entity. Raises WebApiError 400."""
    name = schema_name(raw, "entity key")
    body = {key: value for key, value in clean(draft.call, raw).items() if value is not None}
    known = key_to_json(Key(name="k", attributes=("a",)), entity.name)
    check_names(body, known, _KIND)
    _check(entity, name.lower(), body.get("KeyAttributes"))
    own = {"MetadataId": born()["MetadataId"], "LogicalName": name.lower(), "SchemaName": name}
    made = key_from_json(body | own, entity.name)
    draft.put(replace(entity, keys=(*entity.keys, made)))
    return made


def _check(entity: Entity, name: str, attributes: object) -> None:
    if any(key.name == name for key in entity.keys):
        raise duplicate(name)
    if not isinstance(attributes, list) or not 1 <= len(attributes) <= MOST_ATTRIBUTES:
        raise invalid(f"KeyAttributes must name 1 to {MOST_ATTRIBUTES} attributes.")
    for item in attributes:
        attribute = entity.attribute(item)
        if attribute is None or attribute.is_hidden:
            raise invalid(f"Entity '{entity.name}' has no attribute '{item}' for a key.")
        if attribute.type not in _ALLOWED:
            raise invalid(f"Attribute '{item}' of type {attribute.type} cannot be part of a key.")


def delete(draft: Draft, entity: Entity, key: Key) -> None:
    """Remove a key."""
    draft.put(replace(entity, keys=tuple(item for item in entity.keys if item != key)))
