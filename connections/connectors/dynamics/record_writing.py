"""Writing one record, as the steps it takes (`batch_rounds`; dataverse.md §4.1, §6).

Every write carries the version it was based on: ``If-Match`` where the entity supports it, else
the version is read right before. A mismatch is a conflict and names the version there is now.
After a lost answer the record is read: it holds what was sent (done), it is as it was (sent
again), or it is something else (a conflict). So nothing is ever written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connections.connectors.dynamics import errors
from connections.connectors.dynamics.batch import Part
from connections.connectors.dynamics.batch_rounds import Done, Lost, Steps
from connections.connectors.dynamics.bodies import Bodies, Values
from connections.connectors.dynamics.client import parsed
from connections.connectors.dynamics.errors import Recovery
from connections.connectors.dynamics.faults import error_of, fault, meaning_of, rejected
from connections.connectors.dynamics.looking import Found, Look, holds
from connections.connectors.dynamics.marks import Marks
from connections.connectors.dynamics.party_writing import PartyWriter
from connections.connectors.dynamics.states import States
from connections.connectors.dynamics.values import version_of
from connections.egress import Reply
from connections.errors import Conflict, Rejected
from organizations.schema import Entity

_REPRESENTATION = {"Prefer": "return=representation"}
_OK = frozenset({200, 201, 204})


class Wanted(NamedTuple):
    """One write of a batch: the record, its values by column, the version it is based on.

    `changed`: the columns an update writes (None: all); the others only tell, after a lost
    answer, whether somebody else was there.
    """

    id: str
    values: Values
    expected: int = 0
    changed: frozenset[str] | None = None

    @property
    def written(self) -> Values:
        """The values to write."""
        if self.changed is None:
            return self.values
        both = {name.removesuffix("__type") for name in self.changed}
        return {n: v for n, v in self.values.items() if n.removesuffix("__type") in both}


class Now(NamedTuple):
    """A record after a write: its version, and its state as far as it was told."""

    version: int
    state: Mapping[str, Any]


@dataclass(slots=True)
class RecordWriter:
    """Makes the steps for records of one entity."""

    entity: Entity
    bodies: Bodies
    marks: Marks
    states: States = field(init=False)
    parties: PartyWriter = field(init=False)
    look: Look = field(init=False)
    checks_versions: bool = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the helpers."""
        self.states = States(self.entity)
        self.look = Look(self.entity)
        self.parties = PartyWriter(self.entity, self.bodies, self.marks)
        self.checks_versions = self.entity.checks_versions

    def create(self, wanted: Wanted, *, is_doubtful: bool = False) -> Steps[Done]:
        """Create a record with its id; `is_doubtful`: it may have been made already."""
        names = self.bodies.names(wanted.values, creating=True)

        def look() -> Steps[Found | None]:
            found = yield from self.look.at(wanted.id, (*names, *self.states.names))
            return found if found.version else None

        made = (yield from look()) if is_doubtful else None
        answer = made or (yield from _sent(self.creation(wanted), look))
        if isinstance(answer, Reply) and error_of(answer)[0] == errors.DUPLICATE:
            answer = (yield from look()) or answer
        if isinstance(answer, Found):
            now = _taken(wanted.id, 0, answer, {name: wanted.values[name] for name in names})
        else:
            now = yield from self._after(answer, wanted.id, 0)
        return wanted.id, (yield from self.finish(wanted, now))

    def creation(self, wanted: Wanted) -> Part:
        """Return the request that creates a record in its default state."""
        body = {
            self.entity.primary_id: wanted.id,
            **self.bodies.body(wanted.values, creating=True),
            **self.parties.for_create(wanted.values),
        }
        return self.marks.part(
            "POST",
            self.entity.set_name,
            headers=_REPRESENTATION,
            document=body,
            select=self._select(wanted.values),
        )

    def update(self, wanted: Wanted, *, is_doubtful: bool = False) -> Steps[Done]:
        """Change a record; `is_doubtful`: it may have been changed already.

        An inactive record is activated for it and closed again.
        """
        body = self.bodies.body(wanted.written, creating=False)
        now = Now(wanted.expected, {})
        if body:
            now = yield from self._change(wanted, body, is_doubtful=is_doubtful)
        elif self.parties.has(wanted.written):
            yield from self._check(wanted.id, wanted.expected)
        if (yield from self.parties.replace(wanted.id, wanted.written)):
            found = yield from self.look.at(wanted.id, ())
            now = Now(found.version, now.state)
        return wanted.id, (yield from self.finish(wanted, now))

    def delete(self, wanted: Wanted) -> Steps[Done]:
        """Remove a record."""
        if not self.checks_versions:
            yield from self._check(wanted.id, wanted.expected)
        match = self._match(wanted.expected) if self.checks_versions else {}
        part = self.marks.part("DELETE", self._path(wanted.id), headers=match)
        answer = yield from _sent(part, lambda: self._moved(wanted.id, wanted.expected, ()))
        if isinstance(answer, Reply):
            if error_of(answer)[0] == errors.NO_VERSIONS and self.checks_versions:
                self.checks_versions = False
                return (yield from self.delete(wanted))
            if answer.status not in _OK:
                raise (yield from self._fault(answer, wanted.id, wanted.expected))
        elif answer.version:
            raise Conflict(wanted.id, expected=wanted.expected, actual=answer.version)
        return wanted.id, 0

    def finish(self, wanted: Wanted, now: Now) -> Steps[int]:
        """Bring state and status to what is wanted; returns the record's version."""
        goal = self.states.wanted(wanted.written)
        return (yield from self._move(wanted.id, goal, now))

    def _change(self, wanted: Wanted, body: dict[str, Any], *, is_doubtful: bool) -> Steps[Now]:
        compared = {n: wanted.values[n] for n in self.bodies.names(wanted.values, creating=False)}
        if is_doubtful:
            found = yield from self._moved(wanted.id, wanted.expected, tuple(compared))
            if found is not None:
                return _taken(wanted.id, wanted.expected, found, compared)
        patch = self._patch(wanted.id, body, Now(wanted.expected, {}), compared)
        try:
            return (yield from patch)
        except Rejected as error:
            if error.code != errors.INACTIVE or not self.states.names:
                raise
        return (yield from self._reopened(wanted, body, compared))

    def _reopened(self, wanted: Wanted, body: dict[str, Any], compared: Values) -> Steps[Now]:
        """Activate, write, close again (dataverse.md §6), whatever becomes of the write."""
        before = yield from self.look.at(wanted.id, self.states.names)
        closed = {name: before.values.get(name) for name in self.states.names}
        now = yield from self._patch(
            wanted.id, self.states.active(), Now(wanted.expected, {}), self.states.active()
        )
        goal = self.states.wanted(wanted.written) or self.states.wanted(closed)
        try:
            now = yield from self._patch(wanted.id, body, now, compared)
        except Rejected:
            yield from self._move(wanted.id, self.states.wanted(closed), Now(now.version, {}))
            raise
        return Now((yield from self._move(wanted.id, goal, Now(now.version, {}))), goal)

    def _move(self, record_id: str, goal: Mapping[str, int], now: Now) -> Steps[int]:
        if not goal or all(now.state.get(name) == value for name, value in goal.items()):
            return now.version
        if self.states.enforced and not now.state:
            found = yield from self.look.at(record_id, self.states.names)
            now = Now(now.version, found.values)
        for move in self.states.moves(now.state, goal):
            now = yield from self._step(record_id, move, now)
        return now.version

    def _step(self, record_id: str, move: Mapping[str, int], now: Now) -> Steps[Now]:
        action, body = self.states.closing(record_id, move)
        if not action:
            return (yield from self._patch(record_id, dict(move), now, move))
        yield from self._check(record_id, now.version)
        names = tuple(move)
        part = self.marks.part("POST", action, document=body)
        answer = yield from _sent(part, lambda: self._moved(record_id, now.version, names))
        if isinstance(answer, Found):
            return _taken(record_id, now.version, answer, move)
        if answer.status not in _OK:
            raise (yield from self._fault(answer, record_id, now.version))
        return Now((yield from self.look.at(record_id, ())).version, move)

    def _patch(
        self, record_id: str, body: dict[str, Any], base: Now, compared: Values
    ) -> Steps[Now]:
        if not self.checks_versions:
            yield from self._check(record_id, base.version)
        part = self.marks.part(
            "PATCH",
            self._path(record_id),
            headers={**_REPRESENTATION, **self._match(base.version)},
            document=body,
            select=self._select(self.states.names),
        )
        names = tuple(compared)
        answer = yield from _sent(part, lambda: self._moved(record_id, base.version, names))
        if isinstance(answer, Found):
            return _taken(record_id, base.version, answer, compared)
        if error_of(answer)[0] == errors.NO_VERSIONS and self.checks_versions:
            self.checks_versions = False
            return (yield from self._patch(record_id, body, base, compared))
        return (yield from self._after(answer, record_id, base.version))

    def _moved(self, record_id: str, expected: int, names: tuple[str, ...]) -> Steps[Found | None]:
        """Return the record if it is no longer as it was: nothing else needs to be sent."""
        found = yield from self.look.at(record_id, (*names, *self.states.names))
        return None if found.version == expected else found

    def _check(self, record_id: str, expected: int) -> Steps[None]:
        """Where If-Match does not help, the best there is (design decision 7)."""
        found = yield from self.look.at(record_id, ())
        if found.version != expected:
            raise Conflict(record_id, expected=expected, actual=found.version)

    def _match(self, expected: int) -> dict[str, str]:
        # Even without versions: a change must never make the record anew.
        return {"If-Match": f'W/"{expected}"' if self.checks_versions else "*"}

    def _after(self, reply: Reply, record_id: str, expected: int) -> Steps[Now]:
        if reply.status in {200, 201}:
            document = parsed(reply.body, reply.url)
            return Now(version_of(str(document.get("@odata.etag", ""))), document)
        if reply.status == 204:
            found = yield from self.look.at(record_id, self.states.names)
            return Now(found.version, found.values)
        raise (yield from self._fault(reply, record_id, expected))

    def _fault(self, reply: Reply, record_id: str, expected: int) -> Steps[Exception]:
        recovery = meaning_of(reply).recovery
        if recovery is Recovery.REFUSE:
            return fault(reply)
        gone = expected and reply.status == 404
        if recovery is Recovery.CONFLICT or gone:
            found = yield from self.look.at(record_id, ())
            if not (gone and found.version):
                return Conflict(record_id, expected=expected, actual=found.version)
        return rejected(reply, record_id)

    def _select(self, values: Any) -> str:
        states = (name for name in self.states.names if name in values)
        return ",".join((self.entity.primary_id, *states))

    def _path(self, record_id: str) -> str:
        return f"{self.entity.set_name}({record_id})"


def _sent(part: Part, look: Callable[[], Steps[Found | None]]) -> Steps[Reply | Found]:
    """Send until there is an answer, or until `look` finds that it was carried out."""
    while True:
        try:
            return (yield part)
        except Lost:
            found = yield from look()
            if found is not None:
                return found


def _taken(record_id: str, expected: int, found: Found, values: Values) -> Now:
    """Return the record if it holds what was sent. Raises Conflict."""
    if not found.version or not holds(found, values):
        raise Conflict(record_id, expected=expected, actual=found.version)
    return Now(found.version, found.values)
