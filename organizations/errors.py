"""Errors of organizations, by what the caller can do about them.

OrganizationError
├── NotFound            no such organization, entity, attribute or record
├── InvalidRequest      what was asked cannot be meant (a query, a value, a name)
│   └── NotOffered      what was asked is known to the standard and not done here
├── VersionMismatch     the record is not at the version the write was based on
├── AlreadyExists       a record with that id (or key) is there already
└── SchemaConflict      metadata cannot be changed that way; says what stands in the way
"""

from __future__ import annotations


class OrganizationError(Exception):
    """Base of all errors of this package; the text is meant for people."""


class NotFound(OrganizationError):
    """What was named does not exist. `kind` is organization, entity, attribute or record."""

    def __init__(self, kind: str, name: str, entity: str = "") -> None:
        """Name what is missing; `entity` is where an attribute or record was looked for."""
        self.kind, self.name, self.entity = kind, name, entity
        where = f" in entity '{entity}'" if entity else ""
        super().__init__(f"There is no {kind} '{name}'{where}.")


class InvalidRequest(OrganizationError):
    """The request cannot be carried out as it stands; `element` names the faulty part of it."""

    def __init__(self, message: str, element: str = "") -> None:
        """Keep the sentence and the part of the request it is about."""
        self.element = element
        super().__init__(message)


class NotOffered(InvalidRequest):
    """The request uses something that its language has and that is not done here."""


class VersionMismatch(OrganizationError):
    """Somebody else wrote the record since the version the write was based on."""

    def __init__(self, entity: str, record_id: str, expected: int, actual: int) -> None:
        """Keep both versions."""
        self.entity, self.id, self.expected, self.actual = entity, record_id, expected, actual
        super().__init__(
            f"{entity} {record_id} is at version {actual}, not {expected}: "
            "it was changed meanwhile."
        )


class AlreadyExists(OrganizationError):
    """A record with that id or key exists already."""

    def __init__(self, entity: str, record_id: str) -> None:
        """Name the record that is in the way."""
        self.entity, self.id = entity, record_id
        super().__init__(f"{entity} {record_id} exists already.")


class SchemaConflict(OrganizationError):
    """The metadata cannot be changed that way."""
