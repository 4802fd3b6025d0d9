"""What goes wrong at a REST service, as a Fault with a numeric code (resco.md §1.8, §1.10).

The codes are ours (assumed): no list of the original's is published. Answers with a Fault have a
status of their kind, where the original is said to use 500 for all of them; clients treat
everything but 2xx alike.
"""

from __future__ import annotations

from collections.abc import Mapping

from organizations.errors import (
    AlreadyExists,
    InvalidRequest,
    NotFound,
    OrganizationError,
    SchemaConflict,
    VersionMismatch,
)
from organizations.rest.markup import element
from organizations.throttle import Throttled
from organizations.values import ILLEGAL_TEXT

INVALID, MISSING, EXISTS, CHANGED, SCHEMA, LOGIN, FORBIDDEN, TOO_MANY, NOT_SERVED, TOO_LARGE = (
    range(1, 11)
)
_LONGEST = 1000
"""Characters of a reason: whoever sends long names gets no long answer."""
_STATUS: Mapping[type[OrganizationError], tuple[int, int]] = {
    InvalidRequest: (400, INVALID),
    NotFound: (404, MISSING),
    AlreadyExists: (409, EXISTS),
    VersionMismatch: (412, CHANGED),
    SchemaConflict: (409, SCHEMA),
}


class RestFault(OrganizationError):
    """A request that is refused; `detail` names the part of it that is to blame."""

    def __init__(
        self,
        reason: str,
        *,
        status: int = 400,
        code: int = INVALID,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep everything that the answer says."""
        self.status, self.code, self.detail = status, code, detail
        self.headers = dict(headers or {})
        super().__init__(reason)


def fault_of(error: OrganizationError) -> RestFault:
    """Return an error of the organization as a fault."""
    if isinstance(error, RestFault):
        return error
    if isinstance(error, Throttled):
        return RestFault(
            str(error), status=429, code=TOO_MANY, headers={"Retry-After": str(error.after)}
        )
    status, code = _STATUS.get(type(error), (400, INVALID))
    return RestFault(str(error), status=status, code=code, detail=getattr(error, "element", ""))


def fault_xml(fault: RestFault) -> str:
    """Return the Fault element; what XML cannot carry of a request is not repeated."""
    return (
        f"<Fault>{element('Code', str(fault.code))}{element('Reason', _told(str(fault)))}"
        f"{element('Detail', _told(fault.detail))}</Fault>"
    )


def _told(text: str) -> str:
    return ILLEGAL_TEXT.sub("\ufffd", text[:_LONGEST])


def not_served(what: str) -> RestFault:
    """Return the fault for an operation of the original that is not offered here."""
    return RestFault(f"{what} is not served here.", status=501, code=NOT_SERVED, detail=what)
