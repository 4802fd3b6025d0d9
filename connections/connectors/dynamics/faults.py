"""Dataverse's error answers as errors of connectors (dataverse.md §0 and §5).

The body is ``{"error": {"code": "0x…", "message": "…"}}``; gateways answer with other JSON or
with HTML, so status and code decide and the message is only shown.
"""

from __future__ import annotations

from typing import Any

import orjson

from connections.addresses import target_of
from connections.connectors.login_faults import membership_fault
from connections.egress import Reply
from connections.errors import (
    CheckpointExpired,
    ConnectorError,
    MetadataChanged,
    Refused,
    Retryable,
)

EXPIRED = "0x80044352"
NOT_FOUND = "0x80040217"
NOT_TRACKED = "0x80072491"
VERSION_MISMATCH = "0x80060882"
NO_VERSIONS = "0x8006088d"
DUPLICATE = "0x80040237"

_TRANSIENT = frozenset(
    {
        "0x80044150",
        "0x80044151",
        "0x80044339",
        "0x80072324",
        "0x80071154",
        "0x80071151",
        "0x80040216",
        "0x80072321",
        "0x80072322",
        "0x80072326",
    }
)
_METADATA = frozenset({"0x80060888", "0x8006088a", "0x80041102", "0x80041103", NOT_TRACKED})
_NO_PROPERTY = "Could not find a property named"
_SHOWN = 300


def error_of(reply: Reply) -> tuple[str, str]:
    """Return the error's code in lower case and its message; empty where there is none."""
    try:
        document: Any = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return "", ""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code", "")).lower(), str(error.get("message", ""))[:_SHOWN]


def is_transient(reply: Reply) -> bool:
    """Return whether the fault is one of Dataverse's passing ones, whatever its status."""
    return reply.status >= 400 and error_of(reply)[0] in _TRANSIENT


def fault(reply: Reply) -> ConnectorError:
    """Return what an error answer means for the reading or writing as a whole."""
    code, message = error_of(reply)
    origin = target_of(reply.url)
    said = f": {message}" if message else ""
    if reply.status == 403:
        return membership_fault(code) or Refused(f"{origin} denies it{said}", code=code)
    if code == EXPIRED:
        return CheckpointExpired(
            "The server no longer knows what changed since the checkpoint; everything is read "
            "again.",
            code=code,
        )
    if code in _METADATA or (reply.status in {400, 404} and _NO_PROPERTY in message):
        return MetadataChanged(
            f"The entity is no longer what Update Server saw{said}. Run Update Server.", code=code
        )
    if reply.status >= 500:
        return Retryable(f"{origin} failed with status {reply.status}{said}", code=code)
    shown = f"status {reply.status}" + (f", {code}" if code else "")
    return Refused(f"{origin} does not do what is asked ({shown}){said}", code=code)
