"""Errors as the Web API tells them: an HTTP status, a code and a message (dataverse.md 5)."""

from __future__ import annotations

from organizations.errors import (
    AlreadyExists,
    InvalidRequest,
    NotFound,
    OrganizationError,
    SchemaConflict,
    VersionMismatch,
)

UNKNOWN_RECORD = "0x80040217"
UNKNOWN_DEFINITION = "0x80060888"
UNKNOWN_SEGMENT = "0x8006088a"
MALFORMED = "0x80048d19"
VERSION_MISMATCH = "0x80060882"
NO_CONCURRENCY = "0x8006088d"
DUPLICATE = "0x80040237"
NOT_TRACKED = "0x80072491"
EXPIRED = "0x80044352"
TOO_LONG = "0x80044331"
BAD_OPTION = "0x8004431a"
BAD_STATE = "0x80048408"
NOT_SUPPORTED = "0x80040315"


class WebApiError(Exception):
    """An answer that is an error: HTTP status, code and message of Dataverse."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep the three parts."""
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


def unknown_segment(segment: str) -> WebApiError:
    """Say that no entity set, function or navigation of that name exists."""
    return WebApiError(404, UNKNOWN_SEGMENT, f"Resource not found for the segment '{segment}'.")


def unknown_record(entity: str, record_id: str) -> WebApiError:
    """Say that the record is not there."""
    message = f"Entity '{entity}' With Id = {record_id} Does Not Exist"
    return WebApiError(404, UNKNOWN_RECORD, message)


def unknown_definition() -> WebApiError:
    """Say that no such metadata element exists."""
    message = "Could not find an entity with specified entity key."
    return WebApiError(404, UNKNOWN_DEFINITION, message)


def unknown_property(name: str, entity: str) -> WebApiError:
    """Say that the entity has no property of that name."""
    return WebApiError(
        400,
        UNKNOWN_DEFINITION,
        f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{entity}'.",
    )


def bad_request(message: str, code: str = "0x0") -> WebApiError:
    """Say that the request cannot be meant."""
    return WebApiError(400, code, message)


def not_implemented(what: str) -> WebApiError:
    """Say that a documented feature is not served by this twin."""
    return WebApiError(501, NOT_SUPPORTED, f"{what} is not supported by this organization.")


def from_organization(error: OrganizationError) -> WebApiError:
    """Translate an error of the store or of the query language."""
    if isinstance(error, VersionMismatch):
        return WebApiError(
            412,
            VERSION_MISMATCH,
            "The version of the existing record doesn't match the RowVersion property provided.",
        )
    if isinstance(error, AlreadyExists):
        return WebApiError(412, DUPLICATE, "A record with matching key values already exists.")
    if isinstance(error, NotFound):
        return _not_found(error)
    if isinstance(error, SchemaConflict):
        return WebApiError(503, "0x80071151", str(error))
    code = MALFORMED if isinstance(error, InvalidRequest) else "0x80040216"
    return bad_request(str(error), code)


def _not_found(error: NotFound) -> WebApiError:
    if error.kind == "record":
        return unknown_record(error.entity, error.name)
    if error.kind == "attribute":
        return unknown_property(error.name, error.entity)
    return unknown_segment(error.name)
