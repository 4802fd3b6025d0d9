"""Writing a batch in portions of 100 records, each record for itself (resco.md §1.9, §7).

Each portion is read right before it is written, and what has another version than expected is a
conflict. REST checks no more than that (`VersionCheck.READ_BEFORE`, §1.7); with `is_atomic`
changes and deletions go by OData, where the organization itself refuses what is not based on the
newest version (`odata_sending`). Afterwards it is read again, for the versions. After a lost
answer it is read too: what holds what was sent is done, what is as it was is sent again, anything
else is a conflict. So nothing is written twice, and one bad record costs only itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connections.connectors.base import Batch, BatchResult, Failure, FailureKind
from connections.connectors.resco_cloud.asking import Asking
from connections.connectors.resco_cloud.bodies import Bodies, Values
from connections.connectors.resco_cloud.faults import Fault
from connections.connectors.resco_cloud.looking import NOTHING, Found
from connections.connectors.resco_cloud.odata_sending import ODataSender
from connections.connectors.resco_cloud.sending import Answer, ExecuteSender, Sender
from connections.connectors.resco_cloud.targets import Pairs, Records, Target
from connections.errors import Retryable
from organizations.records import Action
from organizations.schema import Entity
from organizations.values import InvalidValue

PORTION = 100
"""Operations of one call, as mobile uploads send them (§1.9)."""
_CONFLICT = "conflict"
_INVALID = "invalid-value"


@dataclass(slots=True)
class Wanted:
    """One write, and how it ended: `failure` or, once `is_done`, id and version.

    `is_doubtful`: it was sent, and nobody said what became of it.
    """

    at: int
    id: str
    values: Values
    expected: int
    changed: frozenset[str] | None = None
    is_doubtful: bool = False
    is_done: bool = False
    version: int = 0
    failure: Failure | None = None

    @property
    def written(self) -> Values:
        """The values to write; the others only tell who was there after a lost answer."""
        if self.changed is None:
            return self.values
        both = {name.removesuffix("__type") for name in self.changed}
        return {n: v for n, v in self.values.items() if n.removesuffix("__type") in both}

    @property
    def is_open(self) -> bool:
        """Return whether nobody knows yet how it ends."""
        return not self.is_done and self.failure is None

    def done(self, record_id: str, version: int) -> None:
        """It was carried out."""
        self.is_done, self.id, self.version = True, record_id, version

    def conflict(self, actual: int) -> None:
        """The record is not at the version the write was based on."""
        what = f"is at version {actual}" if actual else "is not there"
        base = f"not at {self.expected}" if self.expected else "where none was expected"
        self.version = actual
        self.failure = Failure(
            kind=FailureKind.CONFLICT,
            code=_CONFLICT,
            message=f"Record {self.id} {what}, {base}.",
            version=actual,
        )

    def reject(self, code: str, message: str) -> None:
        """The organization, or XML, does not take it."""
        self.failure = Failure(kind=FailureKind.REJECTED, code=code, message=message)


@dataclass(slots=True)
class Writer:
    """Writes batches to one entity."""

    asking: Asking
    entity: Entity
    is_atomic: bool = False
    bodies: Bodies = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the bodies."""
        self.bodies = Bodies(self.entity)

    def write(self, batch: Batch) -> BatchResult:
        """Carry out a batch. Raises Retryable or Refused when the rest cannot be written."""
        rows = list(_wanted(batch))
        for start in range(0, len(rows), PORTION):
            portion = rows[start : start + PORTION]
            target = self._target()
            sender = self._sender(batch.action, target)
            _Portion(self.asking, target, sender, batch.action, portion).write()
        return BatchResult(
            ids=[row.id for row in rows],
            versions=[row.version for row in rows],
            failed={row.at: row.failure for row in rows if row.failure is not None},
        )

    def _sender(self, action: Action, target: Target) -> Sender[Any]:
        by_rest = action is Action.CREATE or self.entity.is_intersect
        if by_rest or not self.is_atomic:
            return ExecuteSender(self.asking.client, target)
        return ODataSender(self.asking.client, self.entity, self.bodies)

    def _target(self) -> Target:
        pair = self.entity.intersect
        if pair is not None:
            return Pairs(self.asking, self.entity, self.bodies, pair)
        return Records(self.asking, self.entity, self.bodies)


@dataclass(slots=True)
class _Portion:
    """Up to a hundred writes that go together."""

    asking: Asking
    target: Target
    sender: Sender[Any]
    action: Action
    rows: Sequence[Wanted]

    def write(self) -> None:
        """Look, send what is as expected, and look again, until nothing is open."""
        self._judge()
        patience, attempt = self.asking.client.patience, 0
        while ready := self._ready():
            try:
                trouble = self._send(ready)
            except Retryable as error:
                trouble = error
            for row in self._open():
                row.is_doubtful = True
            self._judge()
            left = len(self._open())
            if not left:
                return
            attempt = 1 if left < len(ready) else attempt + 1
            if trouble is None or attempt >= patience.attempts:
                raise trouble or _unanswered()
            patience.sleep(trouble.after or patience.wait(attempt))

    def _open(self) -> list[Wanted]:
        return [row for row in self.rows if row.is_open]

    def _look(self, rows: Sequence[Wanted]) -> Mapping[int, Found]:
        return self.target.look(rows) if rows else {}

    def _judge(self) -> None:
        """Look, and settle what needs no sending: conflicts, and what a lost request has done."""
        rows = self._open()
        if rows:
            self.sender.prepare(rows)
        seen = self._look(rows)
        for row in rows:
            self._settle(row, seen.get(row.at, NOTHING))

    def _settle(self, row: Wanted, found: Found) -> bool:
        if self.target.is_settled(self.action, row, found, is_doubtful=row.is_doubtful):
            row.done(found.id or row.id, found.version)
        elif found.version != row.expected:
            row.conflict(found.version)
        return not row.is_open

    def _ready(self) -> list[tuple[Wanted, Any]]:
        made = []
        for row in self._open():
            try:
                made.append((row, self.sender.make(self.action, row)))
            except InvalidValue as error:
                row.reject(_INVALID, str(error))
        return made

    def _send(self, ready: Sequence[tuple[Wanted, Any]]) -> Retryable | None:
        """Send, and settle what was answered; returns why something is still open."""
        replies = self.sender.send([made for _, made in ready])
        given = list(zip((row for row, _ in ready), replies, strict=False))
        unknown = [reply for _, reply in given if isinstance(reply, Retryable)]
        answered = [pair for pair in given if not isinstance(pair[1], Retryable)]
        trouble = None if len(answered) == len(ready) else next(iter(unknown), _unanswered())
        self._finish([row for row, reply in answered if not isinstance(reply, Fault)])
        for row, fault in self._faults(answered):
            if fault.passes:
                trouble = Retryable(f"The server said: {fault.reason}", code=fault.code)
            else:
                row.reject(fault.code or "fault", fault.reason)
        return trouble

    def _finish(self, rows: Sequence[Wanted]) -> None:
        """Read the versions. One that somebody else changed since gets the version before."""
        seen = {} if self.action is Action.DELETE else self._look(rows)
        for row in rows:
            found = seen.get(row.at, NOTHING)
            ours = self.target.is_ours(self.action, row, found)
            row.done(found.id or row.id, found.version if ours else row.expected)

    def _faults(self, answered: Sequence[tuple[Wanted, Answer]]) -> Iterator[tuple[Wanted, Fault]]:
        """Yield the faults of records that are as they were; the others are settled."""
        faulty = {row.at: fault for row, fault in answered if isinstance(fault, Fault)}
        rows = [row for row, _ in answered if row.at in faulty]
        seen = self._look(rows)
        for row in rows:
            if not self._settle(row, seen.get(row.at, NOTHING)):
                yield row, faulty[row.at]


def _wanted(batch: Batch) -> Iterator[Wanted]:
    changed = batch.changed or (None,) * len(batch.rows)
    each = zip(batch.rows, batch.expected, changed, strict=True)
    for at, (row, expected, columns) in enumerate(each):
        values = dict(zip(batch.columns, row, strict=True))
        yield Wanted(at, str(row[0]), values, expected, columns)


def _unanswered() -> Retryable:
    return Retryable("The server did not answer for all records of a call.", code="unanswered")
