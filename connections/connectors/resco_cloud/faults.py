"""Faults and statuses as errors of connectors, by recovery (resco.md §1.8, §1.10).

The codes of faults are not published (§8): what a fault means is told by the status, by the few
texts that name a passing trouble, and by looking at the record or at the metadata afterwards.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lxml import etree

from connections.addresses import target_of
from connections.connectors.resco_cloud.markup import NotXml, name_of, parse, text_of
from connections.egress import Reply
from connections.errors import ConnectorError, LoginFailed, Refused, Retryable, Unreachable

_SHOWN = 300
_PASSING = re.compile(
    r"deadlock|time-?out|timed out|sql number: (?:1205|-2)\b|try again|temporarily", re.IGNORECASE
)


class Fault(NamedTuple):
    """What a service says of something it did not do."""

    code: str
    reason: str

    @property
    def passes(self) -> bool:
        """Return whether the same may work later: deadlocks of the database surface as text."""
        return _PASSING.search(self.reason) is not None


def fault_in(element: etree._Element) -> Fault:
    """Return the fault that an element holds."""
    reason, detail = text_of(element, "Reason"), text_of(element, "Detail")
    said = reason if not detail or detail in reason else f"{reason} ({detail})"
    return Fault(text_of(element, "Code"), said[:_SHOWN] or "The server gave no reason.")


def fault_of(reply: Reply) -> Fault | None:
    """Return the fault of an answer: its root, or a child of it. None where there is none."""
    if b"Fault" not in reply.body:
        return None
    try:
        root = parse(reply.body)
    except NotXml:
        return None
    found = [root, *root.iterchildren(etree.Element)]
    return next((fault_in(item) for item in found if name_of(item) == "Fault"), None)


def is_transient(reply: Reply) -> bool:
    """Return whether an answer tells of a trouble that passes.

    The services say every fault of theirs with status 500 and a `Fault` (assumed, §8), so a 500
    without one is not theirs: something between us and them failed.
    """
    if reply.status < 500:
        return False
    fault = fault_of(reply)
    return fault is None or fault.passes


def error_of(reply: Reply) -> ConnectorError:
    """Return what an answer that is no success means for the work as a whole."""
    where, fault = target_of(reply.url), fault_of(reply)
    said = f": {fault.reason}" if fault else "."
    code = fault.code if fault else str(reply.status)
    if reply.status == 401:
        return LoginFailed(
            f"{where} did not accept the user name and password, or has no such organization.",
            code=code,
        )
    if reply.status == 404 and fault is None:
        return Unreachable(
            f"There is no Resco Cloud organization at this address of {where}. Enter it as "
            "https://host/organization or https://organization.host.",
            code=code,
        )
    if reply.status == 403:
        return Refused(f"{where} denies it{said}", code=code)
    return Refused(f"{where} does not do what is asked (status {reply.status}){said}", code=code)


def not_understood(where: str, why: str) -> Retryable:
    """Return the error for an answer that is not what it should be: it may have been cut."""
    return Retryable(f"{where} answered with something that cannot be read: {why}", code="xml")
