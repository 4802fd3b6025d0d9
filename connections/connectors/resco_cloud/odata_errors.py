"""Errors of the OData service: what its JSON says, and what that means (resco.md §3.3).

Live servers answer 500 with a generic message and sometimes broken JSON, so what cannot be read
is shown as it is.
"""

from __future__ import annotations

import orjson

from connections.addresses import target_of
from connections.connectors.resco_cloud.faults import Fault
from connections.egress import Reply
from connections.errors import ConnectorError, LoginFailed, Refused

_SHOWN = 300


def fault_of(reply: Reply) -> Fault:
    """Return code and words of an answer that is no success."""
    code, said = str(reply.status), ""
    try:
        error = orjson.loads(reply.body)["error"]
        code, said = str(error.get("code") or code), str(error.get("message") or "")
        said = " ".join([said, *_details(error)])
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
        said = reply.body[:_SHOWN].decode("utf-8", "replace")
    return Fault(code, said.strip()[:_SHOWN] or "The server gave no reason.")


def error_of(reply: Reply) -> ConnectorError:
    """Return what an answer that is no success means for the work as a whole."""
    where, fault = target_of(reply.url), fault_of(reply)
    if reply.status == 401:
        return LoginFailed(f"{where} did not accept the user name and password.", code=fault.code)
    return Refused(
        f"The OData service of {where} does not do what is asked (status {reply.status}): "
        f"{fault.reason}",
        code=fault.code,
    )


def is_transient(reply: Reply) -> bool:
    """Return whether an answer tells of a trouble that passes.

    All errors of the service are listed under 500 with an `error` (§3.3), so a 500 without one is
    not the service's own (assumed).
    """
    if reply.status < 500:
        return False
    return b'"error"' not in reply.body or fault_of(reply).passes


def _details(error: dict[str, object]) -> list[str]:
    details = error.get("details")
    listed = details if isinstance(details, list) else []
    return [str(item.get("message", "")) for item in listed if isinstance(item, dict)]
