"""What the OData service calls the values of a record (resco.md §3.2)."""

from __future__ import annotations

from organizations.schema import Attribute

TARGET = "@RescoCloud.LookupLogicalName"
"""Which entity a lookup points to, as organizations hosted here tell it (assumed)."""


def property_of(attribute: Attribute) -> str:
    """Return the property of an attribute: of a lookup it is its id."""
    return f"__{attribute.name}_id" if attribute.is_lookup else attribute.name
