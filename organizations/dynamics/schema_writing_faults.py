"""Errors of metadata writes, with the codes of the service's published error table.

Where the table has no code for a case, `0x80040203` InvalidArgument is used (assumed).
"""

from __future__ import annotations

from organizations.dynamics.errors import MALFORMED, WebApiError, bad_request

INVALID_ARGUMENT = "0x80040203"
DUPLICATE_ENTITY = "0x8004700b"
DUPLICATE_ATTRIBUTE = "0x80047013"
DUPLICATE_NAME = "0x80047010"
NO_ATTRIBUTES = "0x80047014"
WRONG_PRIMARY = "0x8004700e"
NOT_CUSTOM_ENTITY = "0x80047008"
NOT_CUSTOM_ATTRIBUTE = "0x80047009"
NOT_CUSTOM_RELATIONSHIP = "0x8004700a"
PRIMARY_ATTRIBUTE = "0x80047002"
CHILD_ATTRIBUTE = "0x80047016"
IN_USE = "0x8004f01f"
UNKNOWN_ENTITY = "0x80041102"


def invalid(message: str) -> WebApiError:
    """Say that an argument cannot be meant."""
    return bad_request(message, INVALID_ARGUMENT)


def unknown_member(name: str, kind: str) -> WebApiError:
    """Say that a body names a property its type does not have."""
    return bad_request(
        f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{kind}'. Make sure "
        "to only use property names that are defined by the type.",
        MALFORMED,
    )


def bad_prefix(kind: str, name: str) -> WebApiError:
    """Say that a name lacks a publisher's prefix."""
    return invalid(
        f"Invalid name for {kind} '{name}'. Custom {kind} names must start with a valid "
        "customization prefix of 2 to 8 letters and digits and an underscore, such as new_."
    )


def duplicate(name: str) -> WebApiError:
    """Say that a name is taken."""
    return bad_request(f"An object with the specified name {name} already exists", DUPLICATE_NAME)


def unknown_entity(name: str) -> WebApiError:
    """Say that a body names an entity that is not there."""
    return bad_request(
        f"The entity with a name = '{name}' was not found in the MetadataCache.", UNKNOWN_ENTITY
    )


def in_use(kind: str, name: str, count: int) -> WebApiError:
    """Say that something else depends on what should be deleted."""
    return bad_request(
        f"The {kind}({name}) component cannot be deleted because it is referenced by {count} "
        "other components. For a list of referenced components, use the "
        "RetrieveDependenciesForDeleteRequest.",
        IN_USE,
    )


def unsupported_method(kind: str) -> WebApiError:
    """Say that definitions are replaced by PUT, never patched (dataverse.md 2.6)."""
    return WebApiError(405, "0x80060888", f"Operation not supported on {kind}")
