"""Execute and ExecuteMultiple: what is sent, and what comes back (resco.md §1.7 to §1.9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from connections.connectors.resco_cloud.client import RescoClient
from connections.connectors.resco_cloud.faults import Fault, fault_in
from connections.connectors.resco_cloud.markup import children, name_of
from organizations.records import Action

EXECUTE = "http://schemas.resco.net/XRM/Execute"
ID = "id"
_ACTIONS = {Action.CREATE: "Create", Action.UPDATE: "Update", Action.DELETE: "Delete"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One record to write: its key names, and its elements, the key's among them."""

    entity: str
    action: Action
    keys: tuple[str, ...]
    elements: tuple[etree._Element, ...]

    def element(self) -> etree._Element:
        """Return the `Entity` element; PrimaryKey stands there only if the key is not `id`."""
        made = etree.Element("Entity", {"xmlns": EXECUTE, "EntityName": self.entity})
        made.set("Action", _ACTIONS[self.action])
        if self.keys != (ID,):
            made.set("PrimaryKey", ";".join(self.keys))
        made.extend(self.elements)
        return made


def send(client: RescoClient, operations: Sequence[Operation]) -> list[Fault | str]:
    """Return for each operation the text of its result, or its fault.

    Shorter than what was sent where the server stopped in between. Raises errors of connectors;
    after Retryable nobody knows what was carried out.
    """
    root = etree.Element("ExecuteMultiple", {"xmlns": EXECUTE, "ContinueOnError": "true"})
    root.extend(operation.element() for operation in operations)
    reply = client.post("ExecuteMultiple", etree.tostring(root, encoding="utf-8"), reads=False)
    return list(_outcomes(reply))[: len(operations)]


def _outcomes(root: etree._Element) -> Iterator[Fault | str]:
    """Yield results in order: with a `Response` around each, or without (§1.9)."""
    for item in children(root):
        if name_of(item) == "Response":
            yield from _outcomes(item)
        elif name_of(item) == "Fault":
            yield fault_in(item)
        elif name_of(item) == "Result":
            yield (item.text or "").strip()
