"""What makes our writes recognisable, and what they may spare the organization (§4.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connections.connectors.dynamics.batch import Part
from connections.connectors.dynamics.client import with_query


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of all writes of one connector.

    `tag` reaches the organization's plug-ins (``SharedVariables["tag"]``), so that they can tell
    our writes. `bypass` names the logic left out, e.g. ``CustomSync,CustomAsync`` (the user needs
    the privilege prvBypassCustomBusinessLogic); `is_quiet`: no Power Automate flow is started.
    """

    tag: str = ""
    bypass: str = ""
    is_quiet: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every write."""
        found = {}
        if self.bypass:
            found["MSCRM.BypassBusinessLogicExecution"] = self.bypass
        if self.is_quiet:
            found["MSCRM.SuppressCallbackRegistrationExpanderJob"] = "true"
        return found

    def part(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        document: object = None,
        select: str = "",
    ) -> Part:
        """Return a write with these marks."""
        marked = with_query(path, select=select, tag=self.tag)
        return Part(method, marked, {**self.headers, **(headers or {})}, document)
