"""Why one write of many was not carried out, in words for an administrator."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from django.db import DataError

_ROW_FAULTS = frozenset({"22", "23", "54"})
"""SQLSTATE classes that one row causes: data exception, integrity, program limit."""
_COLUMN = re.compile(r'column "?([^":,]+)"?:')
_BROKEN_TEXT = "22021"
_SENTENCES = {
    "22003": "The number in {column} is too large to be stored. Correct it on its side.",
    "22007": "{column} holds no valid date. Correct it on its side.",
    "22008": "{column} holds a date beyond what can be stored. Correct it on its side.",
    _BROKEN_TEXT: "{column} holds a character that cannot be stored (NUL, broken text).",
    "22P02": "{column} holds a value of another type than its attribute's.",
    "54000": "The record is too large to be stored: shorten texts or leave attributes out.",
}


class FaultKind(StrEnum):
    """Whether somebody else's write is in the way, or the record itself cannot be taken."""

    CONFLICT = "conflict"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One write that was not carried out; a conflict names the version there is now (0: gone)."""

    kind: FaultKind
    code: str
    message: str
    version: int = 0


def conflict(entity: str, record_id: str, version: int | None) -> Fault:
    """Return the fault of a record that is not at the version the write was based on."""
    state = f"is at version {version} now" if version else "is no longer there"
    return Fault(
        kind=FaultKind.CONFLICT,
        code="version",
        message=f"{entity} {record_id} {state}: it was changed meanwhile.",
        version=version or 0,
    )


def is_of_row(error: Exception) -> bool:
    """Return whether a row, and not the database or the statement, caused the error."""
    return _state(error)[:2] in _ROW_FAULTS


def rejected(error: Exception) -> Fault:
    """Return the fault of a row that the database cannot hold."""
    state = _state(error)
    cause = error.__cause__ or error
    primary = getattr(getattr(cause, "diag", None), "message_primary", None) or str(error)
    sentence = _SENTENCES.get(state, "The record cannot be stored: {primary}.")
    message = sentence.format(column=_column(cause), primary=primary)
    return Fault(kind=FaultKind.REJECTED, code=state, message=message)


def _column(cause: BaseException) -> str:
    context = getattr(getattr(cause, "diag", None), "context", None) or ""
    found = _COLUMN.search(context)
    return f"attribute '{found.group(1)}'" if found else "One of its attributes"


def _state(error: Exception) -> str:
    state = getattr(error.__cause__, "sqlstate", None) or ""
    # psycopg itself refuses NUL and lone surrogates, before PostgreSQL could.
    is_text = isinstance(error, UnicodeEncodeError | DataError)
    return _BROKEN_TEXT if is_text and not state else state
