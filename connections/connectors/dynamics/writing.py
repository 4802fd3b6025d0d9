"""Writes, one request per record (dataverse.md §4.1, §4.2).

Every write carries the version it was based on: ``If-Match`` where the entity supports it, else
the version is read right before. A mismatch is a conflict and names the version there is now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connections.connectors.base import Batch, BatchResult, Failure, FailureKind
from connections.connectors.dynamics import faults
from connections.connectors.dynamics.bodies import Bodies, SetNames, Values
from connections.connectors.dynamics.client import DynamicsClient, with_query
from connections.connectors.dynamics.faults import error_of, fault
from connections.connectors.dynamics.pairs import Pairs
from connections.connectors.dynamics.party_writing import PartyWriter
from connections.connectors.dynamics.values import version_of
from connections.connectors.login_faults import membership_fault
from connections.egress import Reply
from connections.errors import Conflict, Rejected
from organizations.records import Action, Row
from organizations.schema import Entity

_RECORD_STATUSES = frozenset({400, 403, 404, 405, 409, 412, 413, 422})
_REPRESENTATION = {"Prefer": "return=representation"}


@dataclass(slots=True)
class Writer:
    """Writes records of one entity."""

    client: DynamicsClient
    entity: Entity
    sets: SetNames
    bodies: Bodies = field(init=False)
    parties: PartyWriter = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the helpers."""
        self.bodies = Bodies(self.entity, self.sets)
        self.parties = PartyWriter(self.client, self.entity, self.bodies)

    def write(self, batch: Batch) -> BatchResult:
        """Carry out a batch. Raises Retryable or Refused when the rest cannot be written."""
        ids: list[str] = []
        versions: list[int] = []
        failed: dict[int, Failure] = {}
        for at, (row, expected) in enumerate(zip(batch.rows, batch.expected, strict=True)):
            record_id, version = str(row[0]), 0
            try:
                record_id, version = self._one(batch.action, batch.columns, row, expected)
            except Conflict as error:
                version = error.actual or 0
                failed[at] = _failure(FailureKind.CONFLICT, "conflict", str(error), version)
            except Rejected as error:
                failed[at] = _failure(FailureKind.REJECTED, error.code, str(error), 0)
            ids.append(record_id)
            versions.append(version)
        return BatchResult(ids=ids, versions=versions, failed=failed)

    def _one(
        self, action: Action, names: Sequence[str], row: Row, expected: int
    ) -> tuple[str, int]:
        values = dict(zip(names, row, strict=True))
        record_id = str(row[0])
        if self.entity.intersect is not None:
            pairs = Pairs(self.client, self.entity, self.entity.intersect, self.bodies)
            return pairs.write(action, values, record_id, expected)
        match action:
            case Action.CREATE:
                return record_id, self._create(record_id, values)
            case Action.UPDATE:
                return record_id, self._update(record_id, values, expected)
            case Action.DELETE:
                return record_id, self._delete(record_id, expected)

    def _create(self, record_id: str, values: Values) -> int:
        body = self.bodies.body(values, creating=True)
        body = {self.entity.primary_id: record_id, **body, **self.parties.for_create(values)}
        path = with_query(self.entity.set_name, select=self.entity.primary_id)
        reply = self.client.send("POST", path, headers=_REPRESENTATION, document=body)
        if error_of(reply)[0] == faults.DUPLICATE and (actual := self.version(record_id)):
            raise Conflict(record_id, expected=0, actual=actual)
        version = self._version_after(reply, record_id, 0)
        states = self.bodies.states(values)
        if any(states.values()):
            version = self._patch(record_id, states, version)
        return version

    def _update(self, record_id: str, values: Values, expected: int) -> int:
        body = self.bodies.body(values, creating=False)
        states = self.bodies.states(values)
        version = expected
        if body or not states:
            version = self._patch(record_id, body, version)
        if self.parties.replace(record_id, values):
            version = self.version(record_id)
        return self._patch(record_id, states, version) if states else version

    def _delete(self, record_id: str, expected: int) -> int:
        self._check_before(record_id, expected)
        headers = self._match(expected)
        reply = self.client.send("DELETE", self._path(record_id), headers=headers)
        if reply.status not in {200, 204}:
            raise self._fault(reply, record_id, expected)
        return 0

    def _patch(self, record_id: str, body: dict[str, object], expected: int) -> int:
        self._check_before(record_id, expected)
        path = with_query(self._path(record_id), select=self.entity.primary_id)
        headers = {**_REPRESENTATION, **self._match(expected)}
        reply = self.client.send("PATCH", path, headers=headers, document=body)
        return self._version_after(reply, record_id, expected)

    def version(self, record_id: str) -> int:
        """Return the version a record has now; 0 if there is none."""
        path = with_query(self._path(record_id), select=self.entity.primary_id)
        reply = self.client.send("GET", path)
        if reply.status == 404:
            return 0
        if reply.status != 200:
            raise fault(reply)
        return version_of(str(self.client.json_of(reply).get("@odata.etag", "")))

    def _check_before(self, record_id: str, expected: int) -> None:
        """Where the entity knows no If-Match, the best there is (design decision 7)."""
        if self.entity.checks_versions:
            return
        actual = self.version(record_id)
        if actual != expected:
            raise Conflict(record_id, expected=expected, actual=actual)

    def _match(self, expected: int) -> dict[str, str]:
        etag = f'W/"{expected}"' if self.entity.checks_versions else "*"
        return {"If-Match": etag}

    def _version_after(self, reply: Reply, record_id: str, expected: int) -> int:
        if reply.status in {200, 201}:
            return version_of(str(self.client.json_of(reply).get("@odata.etag", "")))
        if reply.status == 204:
            return self.version(record_id)
        raise self._fault(reply, record_id, expected)

    def _fault(self, reply: Reply, record_id: str, expected: int) -> Exception:
        code, message = error_of(reply)
        if code == faults.VERSION_MISMATCH or (reply.status == 412 and code != faults.DUPLICATE):
            return Conflict(record_id, expected=expected, actual=self.version(record_id))
        if reply.status == 404 and code == faults.NOT_FOUND and not self.version(record_id):
            return Conflict(record_id, expected=expected, actual=0)
        if reply.status in _RECORD_STATUSES and membership_fault(code) is None:
            said = message or f"The server answered {reply.status}."
            return Rejected(said, code=code or str(reply.status), record_id=record_id)
        return fault(reply)

    def _path(self, record_id: str) -> str:
        return f"{self.entity.set_name}({record_id})"


def _failure(kind: FailureKind, code: str, message: str, version: int) -> Failure:
    return Failure(kind=kind, code=code, message=message, version=version)
