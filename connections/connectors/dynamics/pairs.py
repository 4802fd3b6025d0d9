"""Pairs of an N:N relationship: written as references, read from the intersect's collection.

The intersect's rows are made by the server, so a created pair is looked up afterwards; a pair
that was there already is as good as one just made (dataverse.md §4.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connections.connectors.dynamics import faults
from connections.connectors.dynamics.bodies import Bodies, Values
from connections.connectors.dynamics.client import DynamicsClient, with_query
from connections.connectors.dynamics.faults import error_of, fault
from connections.connectors.dynamics.values import version_of
from connections.egress import Reply
from connections.errors import Conflict, Rejected
from organizations.records import Action
from organizations.schema import Entity, ManyToMany


@dataclass(frozen=True, slots=True)
class Pairs:
    """Writes pairs of one relationship."""

    client: DynamicsClient
    entity: Entity
    relationship: ManyToMany
    bodies: Bodies

    def write(self, action: Action, values: Values, row_id: str, expected: int) -> tuple[str, int]:
        """Associate or disassociate; returns the row's id and version."""
        if action is Action.UPDATE:
            raise Rejected("A pair cannot be changed, only made or removed.", code="pair")
        if action is Action.CREATE:
            return self._associate(values)
        self._disassociate(row_id, expected)
        return row_id, 0

    def _associate(self, values: Values) -> tuple[str, int]:
        pair = self.relationship
        first, second = values.get(pair.attribute1), values.get(pair.attribute2)
        target = self.client.root + self.bodies.reference(pair.entity2, second)
        reply = self.client.send(
            "POST", f"{self._base(first)}/$ref", document={"@odata.id": target}
        )
        if reply.status not in {200, 204} and error_of(reply)[0] != faults.DUPLICATE:
            raise _refusal(reply)
        condition = f"{pair.attribute1} eq {first} and {pair.attribute2} eq {second}"
        row = self._row(condition)
        if row is None:
            raise Rejected("The server took the pair but does not show it.", code="pair")
        return str(row[self.entity.primary_id]).lower(), version_of(row.get("@odata.etag"))

    def _disassociate(self, row_id: str, expected: int) -> None:
        pair = self.relationship
        row = self._row(f"{self.entity.primary_id} eq {row_id}")
        if row is None:
            raise Conflict(row_id, expected=expected, actual=0)
        path = f"{self._base(row[pair.attribute1])}({row[pair.attribute2]})/$ref"
        reply = self.client.send("DELETE", path)
        if reply.status not in {200, 204, 404}:
            raise _refusal(reply)

    def _base(self, first: object) -> str:
        pair = self.relationship
        path = self.bodies.reference(pair.entity1, str(first))
        return f"{path}/{pair.navigation1 or pair.name}"

    def _row(self, condition: str) -> dict[str, Any] | None:
        pair = self.relationship
        select = f"{self.entity.primary_id},{pair.attribute1},{pair.attribute2}"
        path = with_query(self.entity.set_name, select=select, filter=condition)
        found: list[dict[str, Any]] = self.client.get_json(path).get("value", [])
        return found[0] if found else None


def _refusal(reply: Reply) -> Exception:
    code, message = error_of(reply)
    if reply.status in {400, 403, 404, 405, 412}:
        return Rejected(message or f"The server answered {reply.status}.", code=code)
    return fault(reply)
