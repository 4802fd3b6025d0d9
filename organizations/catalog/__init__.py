"""The metadata of hosted organizations: reading, changing, and the lock between the two."""

from organizations.catalog.defining import (
    define,
    define_option_set,
    drop,
    drop_option_set,
    enable,
    hide,
    remove_attributes,
)
from organizations.catalog.hosting import create_organization, delete_organization
from organizations.catalog.locks import exclusive_schema_lock, shared_schema_lock
from organizations.catalog.reading import Catalog
from organizations.catalog.views import define_view

__all__ = [
    "Catalog",
    "create_organization",
    "define",
    "define_option_set",
    "define_view",
    "delete_organization",
    "drop",
    "drop_option_set",
    "enable",
    "exclusive_schema_lock",
    "hide",
    "remove_attributes",
    "shared_schema_lock",
]
