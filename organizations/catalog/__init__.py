"""The metadata of hosted organizations: reading, changing, and the lock between the two."""

from organizations.catalog.defining import define, drop, enable, hide
from organizations.catalog.hosting import create_organization, delete_organization
from organizations.catalog.locks import exclusive_schema_lock, shared_schema_lock
from organizations.catalog.reading import Catalog

__all__ = [
    "Catalog",
    "create_organization",
    "define",
    "delete_organization",
    "drop",
    "enable",
    "exclusive_schema_lock",
    "hide",
    "shared_schema_lock",
]
