"""Pairs of an N:N relationship: written as references, read from the intersect's collection.

The intersect's rows are made by the server, so a created pair is looked up afterwards; a pair
that was there already is as good as one just made (dataverse.md §4.2).
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from connections.connectors.dynamics import errors
from connections.connectors.dynamics.batch import Part
from connections.connectors.dynamics.batch_rounds import Done, Lost, Steps
from connections.connectors.dynamics.bodies import Bodies, Values
from connections.connectors.dynamics.client import parsed, with_query
from connections.connectors.dynamics.errors import Recovery
from connections.connectors.dynamics.faults import error_of, fault, meaning_of, rejected
from connections.connectors.dynamics.marks import Marks
from connections.connectors.dynamics.values import version_of
from connections.egress import Reply
from connections.errors import Conflict, Rejected
from organizations.records import Action
from organizations.schema import Entity, ManyToMany


@dataclass(frozen=True, slots=True)
class Pairs:
    """Makes the steps that write pairs of one relationship; `root`: the API's address."""

    root: str
    entity: Entity
    relationship: ManyToMany
    bodies: Bodies
    marks: Marks

    def write(self, action: Action, values: Values, row_id: str, expected: int) -> Steps[Done]:
        """Associate or disassociate; tells the row's id and version."""
        if action is Action.UPDATE:
            raise Rejected("A pair cannot be changed, only made or removed.", code="pair")
        if action is Action.CREATE:
            return (yield from self._associate(values))
        yield from self._disassociate(row_id, expected)
        return row_id, 0

    def _associate(self, values: Values) -> Steps[Done]:
        pair = self.relationship
        first, second = values.get(pair.attribute1), values.get(pair.attribute2)
        condition = f"{pair.attribute1} eq {first} and {pair.attribute2} eq {second}"
        target = self.root + self.bodies.reference(pair.entity2, second)
        part = self.marks.part("POST", f"{self._base(first)}/$ref", document={"@odata.id": target})
        yield from self._sent(part, {errors.DUPLICATE}, frozenset())
        row = yield from self._row(condition)
        if row is None:
            raise Rejected("The server took the pair but does not show it.", code="pair")
        return str(row[self.entity.primary_id]).lower(), version_of(row.get("@odata.etag"))

    def _disassociate(self, row_id: str, expected: int) -> Steps[None]:
        pair = self.relationship
        row = yield from self._row(f"{self.entity.primary_id} eq {row_id}")
        if row is None:
            raise Conflict(row_id, expected=expected, actual=0)
        path = f"{self._base(row[pair.attribute1])}({row[pair.attribute2]})/$ref"
        yield from self._sent(self.marks.part("DELETE", path), set(), frozenset({404}))

    def _sent(self, part: Part, codes: AbstractSet[str], statuses: AbstractSet[int]) -> Steps[None]:
        """Send a reference; after a lost answer again, since a second time changes nothing."""
        while True:
            try:
                reply = yield part
            except Lost:
                continue
            if reply.status in {200, 204, *statuses} or error_of(reply)[0] in codes:
                return
            raise _refusal(reply)

    def _base(self, first: object) -> str:
        pair = self.relationship
        path = self.bodies.reference(pair.entity1, str(first))
        return f"{path}/{pair.navigation1 or pair.name}"

    def _row(self, condition: str) -> Steps[dict[str, Any] | None]:
        pair = self.relationship
        select = f"{self.entity.primary_id},{pair.attribute1},{pair.attribute2}"
        reply = yield Part("GET", with_query(self.entity.set_name, select=select, filter=condition))
        if reply.status != 200:
            raise fault(reply)
        found: list[dict[str, Any]] = parsed(reply.body, reply.url).get("value", [])
        return found[0] if found else None


def _refusal(reply: Reply) -> Exception:
    return fault(reply) if meaning_of(reply).recovery is Recovery.REFUSE else rejected(reply)
