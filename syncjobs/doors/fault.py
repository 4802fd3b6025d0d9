"""The answer of a door that refuses: code, reason, and the element of the request it is about.

In XML `<Fault><Code/><Reason/><Detail/></Fault>`, in JSON `{"code", "reason", "detail"}`; `Detail`
names the element and is empty where no single one is to blame. The names are ours (assumed): the
published pages of the original show no fault.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from lxml import etree

from syncjobs.doors.answers import answer, element
from syncjobs.errors import SyncError


class Fault(SyncError):
    """A request that is refused with an HTTP status; the reason is meant for the caller."""

    def __init__(
        self,
        reason: str,
        *,
        status: int = 400,
        code: str = "InvalidRequest",
        detail: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`detail` names the faulty element; `headers` go with the answer."""
        self.status, self.code, self.detail = status, code, detail
        self.headers = dict(headers or {})
        super().__init__(reason)


def answer_fault(request: HttpRequest, fault: Fault) -> HttpResponse:
    """Return the fault in the form the caller reads."""
    response = answer(
        request,
        xml=lambda: _fault_xml(fault),
        json=lambda: {"code": fault.code, "reason": str(fault), "detail": fault.detail},
        status=fault.status,
    )
    for name, value in fault.headers.items():
        response[name] = value
    return response


def _fault_xml(fault: Fault) -> etree._Element:
    root = etree.Element("Fault")
    element(root, "Code", fault.code)
    element(root, "Reason", str(fault))
    element(root, "Detail", fault.detail)
    return root
