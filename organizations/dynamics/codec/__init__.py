"""Dataverse metadata JSON to and from `organizations.schema`, without loss.

The vocabulary owns what it has a word for. Everything else a document says (ids, managed
properties, texts' ids, menu settings) is kept in `extras` and served again; an `extras` value is
only kept where it differs from what would be served anyway, so an element that was never JSON
is served with full property lists too (dataverse.md 2.1 to 2.3).
"""

from organizations.dynamics.codec.attributes import attribute_from_json, attribute_to_json
from organizations.dynamics.codec.entities import entity_from_json, entity_to_json
from organizations.dynamics.codec.options import option_set_from_json, option_set_to_json
from organizations.dynamics.codec.relationships import (
    key_to_json,
    relationship_from_json,
    relationship_to_json,
)

__all__ = [
    "attribute_from_json",
    "attribute_to_json",
    "entity_from_json",
    "entity_to_json",
    "key_to_json",
    "option_set_from_json",
    "option_set_to_json",
    "relationship_from_json",
    "relationship_to_json",
]
