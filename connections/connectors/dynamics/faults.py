"""Dataverse's error answers as errors of connectors (dataverse.md §0 and §5).

The body is ``{"error": {"code": "0x…", "message": "…"}}``; gateways answer with other JSON or
with HTML, so status and code decide (`errors`) and the message is only shown.
"""

from __future__ import annotations

from typing import Any

import orjson

from connections.addresses import target_of
from connections.connectors.dynamics import errors
from connections.connectors.dynamics.errors import Meaning, Recovery
from connections.connectors.login_faults import membership_fault
from connections.egress import Reply
from connections.errors import (
    CheckpointExpired,
    ConnectorError,
    MetadataChanged,
    Refused,
    Rejected,
    Retryable,
)

_METADATA = frozenset({"0x80060888", "0x8006088a", "0x80041102", "0x80041103", errors.NOT_TRACKED})
_NO_PROPERTY = "Could not find a property named"
_SHOWN = 300


def error_of(reply: Reply) -> tuple[str, str]:
    """Return the error's code (`errors.normal`) and its message; empty where there is none."""
    document = _document(reply)
    error = document.get("error")
    if isinstance(error, dict):
        return errors.normal(error.get("code")), str(error.get("message") or "")[:_SHOWN]
    return "", str(document.get("Message") or error or "")[:_SHOWN]


def meaning_of(reply: Reply) -> Meaning:
    """Return what an error answer means for one request."""
    code, _ = error_of(reply)
    return errors.meaning(reply.status, code, reply.body.decode("utf-8", "replace"))


def is_transient(reply: Reply) -> bool:
    """Return whether the answer is one of Dataverse's passing faults, by its code or its text.

    JSON that breaks off is one too. An unknown 500 is none: whoever asked knows whether to try
    again.
    """
    if reply.status < 400:
        is_json = reply.headers.get("Content-Type", "").startswith("application/json")
        return is_json and not reply.body.rstrip().endswith((b"}", b"]"))
    return errors.passes(error_of(reply)[0], reply.body.decode("utf-8", "replace"))


def rejected(reply: Reply, record_id: str = "") -> Rejected:
    """Return the error that leaves out one record: the organization's words, and what to do."""
    code, message = error_of(reply)
    said = message or f"The server answered {reply.status}."
    text = f"{said} {meaning_of(reply).advice}"
    return Rejected(text, code=code or str(reply.status), record_id=record_id)


def fault(reply: Reply) -> ConnectorError:
    """Return what an error answer means for the reading or writing as a whole."""
    code, message = error_of(reply)
    origin = target_of(reply.url)
    said = f": {message}" if message else ""
    if reply.status == 403:
        return membership_fault(code) or Refused(f"{origin} denies it{said}", code=code)
    if code == errors.EXPIRED:
        return CheckpointExpired(
            "The server no longer knows what changed since the checkpoint; everything is read "
            "again.",
            code=code,
        )
    if code in _METADATA or (reply.status in {400, 404} and _NO_PROPERTY in message):
        return MetadataChanged(
            f"The entity is no longer what Update Server saw{said}. Run Update Server.", code=code
        )
    if meaning_of(reply).recovery is Recovery.RETRY:
        return Retryable(f"{origin} failed with status {reply.status}{said}", code=code)
    shown = f"status {reply.status}" + (f", {code}" if code else "")
    return Refused(f"{origin} does not do what is asked ({shown}){said}", code=code)


def _document(reply: Reply) -> dict[str, Any]:
    try:
        document: Any = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
