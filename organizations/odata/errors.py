"""Errors of the OData service: `{"error": {"code", "message", "target"}}` (resco.md §3.3)."""

from __future__ import annotations

from collections.abc import Mapping

from organizations.errors import (
    AlreadyExists,
    InvalidRequest,
    NotFound,
    NotOffered,
    OrganizationError,
    SchemaConflict,
    VersionMismatch,
)
from organizations.throttle import Throttled

_KINDS: Mapping[type[OrganizationError], tuple[int, str]] = {
    InvalidRequest: (400, "InvalidRequest"),
    NotOffered: (501, "NotServed"),
    NotFound: (404, "NotFound"),
    AlreadyExists: (409, "AlreadyExists"),
    VersionMismatch: (412, "PreconditionFailed"),
    SchemaConflict: (409, "SchemaConflict"),
}


class ODataError(OrganizationError):
    """A request that is refused; `target` names the part of it that is to blame."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str = "InvalidRequest",
        target: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep everything that the answer says."""
        self.status, self.code, self.target = status, code, target
        self.headers = dict(headers or {})
        super().__init__(message)


def error_of(error: OrganizationError) -> ODataError:
    """Return an error of the organization as one of the service."""
    if isinstance(error, ODataError):
        return error
    if isinstance(error, Throttled):
        headers = {"Retry-After": str(error.after)}
        return ODataError(str(error), status=429, code="TooManyRequests", headers=headers)
    status, code = _KINDS.get(type(error), (400, "InvalidRequest"))
    return ODataError(str(error), status=status, code=code, target=getattr(error, "element", ""))


def not_served(what: str) -> ODataError:
    """Return the error for what OData knows and this service does not offer."""
    return ODataError(f"{what} is not served here.", status=501, code="NotServed", target=what)


def unknown(kind: str, name: str) -> ODataError:
    """Return the error for a name that means nothing here."""
    return ODataError(
        f"There is no {kind} '{name[:100]}'.", status=404, code="NotFound", target=name[:100]
    )
