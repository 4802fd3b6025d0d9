"""Every error code of Dataverse that we know, what becomes of it, and what a person can do.

The codes are those of dataverse.md §1 to §6. A code that is not listed is judged by its status:
the organization's own words are shown either way.

retry   the fault passes: the request is sent again, later
reject  this record is not written, the others are
refuse  nothing can go on until a person changes something
conflict  the record is not at the version the write was based on
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Recovery(StrEnum):
    """What becomes of a request that failed (design decision 10)."""

    RETRY = "retry"
    REJECT = "reject"
    REFUSE = "refuse"
    CONFLICT = "conflict"


class Meaning(NamedTuple):
    """What becomes of a failed request, and one sentence about what to do."""

    recovery: Recovery
    advice: str


_RETRY, _REJECT, _REFUSE, _CONFLICT = Recovery

EXPIRED = "0x80044352"
NOT_FOUND = "0x80040217"
NOT_TRACKED = "0x80072491"
VERSION_MISMATCH = "0x80060882"
NO_VERSIONS = "0x8006088d"
DUPLICATE = "0x80040237"
INACTIVE = "0x80040230"

_WAIT = "Nothing to do: it is sent again when the organization asks for it."
_BUSY = "Nothing to do: the organization is busy, and it is sent again a little later."
_ROLES = "Give the user a security role with this privilege."
_UPDATE = "Run Update Server."
_DOUBLE = "Change one of the two records, or leave this one out by the sync filter."

LIMITS: Mapping[str, Meaning] = {
    "0x80072321": Meaning(_RETRY, _WAIT),
    "0x80072322": Meaning(_RETRY, _WAIT),
    "0x80072326": Meaning(_RETRY, _WAIT),
    "0x80072324": Meaning(_RETRY, _BUSY),
    "0x80044150": Meaning(_RETRY, _BUSY),
    "0x80044151": Meaning(_RETRY, _BUSY),
    "0x80044339": Meaning(_RETRY, _BUSY),
    "0x80071154": Meaning(_RETRY, _BUSY),
    "0x80071151": Meaning(_RETRY, "Wait until the import of a solution has ended."),
    "0x80040216": Meaning(_RETRY, "If it stays, look into the organization's plug-in trace log."),
}
"""Faults that pass (§5). Whatever met one of them was not carried out."""

USERS: Mapping[str, Meaning] = {
    "0x80072560": Meaning(_REFUSE, "Add the user to the organization."),
    "0x80040225": Meaning(_REFUSE, "Enable the user in the organization."),
    "0x80042f09": Meaning(_REFUSE, "Assign a security role to the user."),
    "0x8004d24b": Meaning(_REFUSE, "Assign a licence, or use an application user."),
}
"""A valid token whose user may do nothing (§1.1)."""

DEFINITIONS: Mapping[str, Meaning] = {
    "0x80060888": Meaning(_REFUSE, _UPDATE),
    "0x8006088a": Meaning(_REFUSE, _UPDATE),
    "0x80041102": Meaning(_REFUSE, _UPDATE),
    "0x80041103": Meaning(_REFUSE, _UPDATE),
    NOT_TRACKED: Meaning(_REFUSE, f"Switch change tracking on for the table, or: {_UPDATE}"),
    "0x80072492": Meaning(_REFUSE, "Switch change tracking on for both tables of the pair."),
    EXPIRED: Meaning(_REFUSE, "Nothing to do: everything is read again."),
    "0x8004430a": Meaning(_REFUSE, "Order the view by columns of its own table."),
    "0x8004e023": Meaning(_REFUSE, "Narrow the filter: too many records to sum up."),
}
"""What is asked for is not as Update Server saw it, or cannot be asked for (§2, §3)."""

RECORDS: Mapping[str, Meaning] = {
    VERSION_MISMATCH: Meaning(_CONFLICT, "The rule for conflicts decides."),
    NOT_FOUND: Meaning(_REJECT, "Bring the record it refers to first, or clear the lookup."),
    NO_VERSIONS: Meaning(_REJECT, f"The table no longer checks versions. {_UPDATE}"),
    DUPLICATE: Meaning(_REJECT, _DOUBLE),
    "0x80060892": Meaning(_REJECT, f"The table has an alternate key. {_DOUBLE}"),
    "0x80040333": Meaning(_REJECT, f"A duplicate detection rule found another. {_DOUBLE}"),
    "0x80060891": Meaning(_REJECT, "Bring the record with that key first."),
    "0x8006089d": Meaning(_REJECT, "Make the key's values unique in the organization."),
    "0x80040227": Meaning(_REJECT, "Remove or reassign the records that refer to it first."),
    "0x80040230": Meaning(_REJECT, "Activate the record, then try again."),
    "0x8004023b": Meaning(_REJECT, "The organization forbids this for this record."),
    "0x80040315": Meaning(_REJECT, "The table does not take this kind of write."),
    "0x80040220": Meaning(_REJECT, _ROLES),
    "0x80040299": Meaning(_REJECT, _ROLES),
    "0x80048306": Meaning(_REJECT, "Share the record with the user, or widen the user's role."),
    "0x80044331": Meaning(_REJECT, f"Shorten the text; if the column was made longer: {_UPDATE}"),
    "0x8004431a": Meaning(_REJECT, f"Add the choice in the organization, then: {_UPDATE}"),
    "0x80048408": Meaning(_REJECT, "Choose a status that belongs to the record's state."),
    "0x80040203": Meaning(_REJECT, "Correct the value that the message names."),
    "0x80048d19": Meaning(_REJECT, f"The body is not what the table takes. {_UPDATE}"),
    "0x80040265": Meaning(_REJECT, "A plug-in or workflow said no; its message says why."),
    "0x8004418a": Meaning(_REJECT, "Make the record smaller: it is too large for one request."),
    "0x80043506": Meaning(_REJECT, "Remove the party of a kind this activity does not allow."),
    "0x80041409": Meaning(_REJECT, "Choose a role of the user's own business unit."),
    "0x0": Meaning(_REJECT, f"The organization did not understand the record. {_UPDATE}"),
}
"""One record, or a condition on it (§4, §5, §6)."""

CODES: Mapping[str, Meaning] = {**LIMITS, **USERS, **DEFINITIONS, **RECORDS}
"""Code in lower case → meaning."""

STATUSES: Mapping[int, Meaning] = {
    401: Meaning(_REFUSE, "Enter the login anew."),
    408: Meaning(_RETRY, _BUSY),
    412: Meaning(_CONFLICT, "The rule for conflicts decides."),
    429: Meaning(_RETRY, _WAIT),
    501: Meaning(_REJECT, "The table does not take this kind of write."),
}
"""For answers without a code we know; other 4xx reject, 5xx are tried again."""

_UNKNOWN = Meaning(_REJECT, "Look up the organization's message.")
_FAILING = Meaning(_RETRY, "If it stays, look into the organization's plug-in trace log.")
_SQL = re.compile(r"Sql Number: (?:1205|-2)\b")
"""A deadlock, an expired time-out: passing, whatever code stands with it (§5)."""


def normal(code: object) -> str:
    """Return a code as ``0x…`` in lower case; also one that came as a (negative) number."""
    text = str(code if code is not None else "").strip().lower()
    digits = text.removeprefix("-")
    if not digits.isdecimal():
        return text
    return f"0x{int(text) & 0xFFFFFFFF:x}"


def passes(code: str, text: str) -> bool:
    """Return whether a fault is one of Dataverse's own passing ones, whatever its status."""
    return normal(code) in LIMITS or _SQL.search(text) is not None


def meaning(status: int, code: str, text: str = "") -> Meaning:
    """Return what a failed request means; `text` is the message and whatever is told with it."""
    if _SQL.search(text):
        return Meaning(_RETRY, _BUSY)
    known = CODES.get(normal(code)) or STATUSES.get(status)
    if known is not None:
        return known
    return _FAILING if status >= 500 else _UNKNOWN
