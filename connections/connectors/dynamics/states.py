"""State and status: written last, together, and only by steps the metadata allow (§6).

A status belongs to a state; an entity may also say which status may follow which. Closing some
records is an action of its own instead of a change (dataverse.md §6, as documented).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from connections.errors import Rejected
from organizations.records import Value
from organizations.schema import Entity, Option

STATE, STATUS = STATES = ("statecode", "statuscode")
Moves = Sequence[Mapping[str, int]]


class Closing(NamedTuple):
    """An action that closes a record: its name, and the activity it leaves behind."""

    action: str
    member: str


CLOSINGS: Mapping[tuple[str, int], Closing] = {
    ("incident", 1): Closing("CloseIncident", "IncidentResolution"),
    ("opportunity", 1): Closing("WinOpportunity", "OpportunityClose"),
    ("opportunity", 2): Closing("LoseOpportunity", "OpportunityClose"),
}
"""(entity, state) → action (dataverse.md §6)."""


@dataclass(frozen=True, slots=True)
class States:
    """The states of one entity."""

    entity: Entity

    @property
    def names(self) -> tuple[str, ...]:
        """Those of state and status that the entity has."""
        return tuple(name for name in STATES if self.entity.attribute(name) is not None)

    @property
    def enforced(self) -> bool:
        """Return whether the metadata say which statuses may follow each other."""
        return any(option.next_statuses is not None for option in self._options(STATUS))

    def wanted(self, values: Mapping[str, Value]) -> dict[str, int]:
        """Return the state and status among these values; a status alone brings its state."""
        found = {name: int(str(values[name])) for name in STATES if values.get(name) is not None}
        if STATUS in found and STATE not in found:
            state = next((o.state for o in self._options(STATUS) if o.value == found[STATUS]), None)
            found = {STATE: state, **found} if state is not None else found
        return found

    def active(self) -> dict[str, int]:
        """Return the state in which records can be changed, with its default status."""
        first = min(self._options(STATE), key=lambda option: option.value, default=None)
        if first is None:
            return {STATE: 0}
        default = {STATUS: first.default_status} if first.default_status is not None else {}
        return {STATE: first.value, **default}

    def moves(self, current: Mapping[str, Any], wanted: Mapping[str, int]) -> Moves:
        """Return the changes that lead from one status to another.

        Raises Rejected when the metadata allow no way.
        """
        goal = wanted.get(STATUS) or self._default_of(wanted.get(STATE))
        start = current.get(STATUS)
        if not self.enforced or start is None or goal is None:
            return [dict(wanted)]
        steps = self._way(int(start), goal)
        if steps is None and not self.entity.extras.get("EnforceStateTransitions"):
            return [dict(wanted)]
        if steps is None:
            raise Rejected(
                f"The entity '{self.entity.name}' does not allow status {start} to become {goal}, "
                "not in several steps either. Change it by hand, or allow the transition.",
                code="transition",
            )
        return [self.wanted({STATUS: status}) for status in steps]

    def closing(self, record_id: str, wanted: Mapping[str, int]) -> tuple[str, dict[str, Any]]:
        """Return the action that closes a record and its body; no name where there is none."""
        found = CLOSINGS.get((self.entity.name, wanted.get(STATE, 0)))
        if found is None:
            return "", {}
        bind = {f"{self.entity.primary_id}@odata.bind": f"/{self.entity.set_name}({record_id})"}
        status = wanted.get(STATUS) or self._default_of(wanted[STATE]) or -1
        return found.action, {"Status": status, found.member: {"subject": found.action, **bind}}

    def _way(self, start: int, goal: int) -> list[int] | None:
        """Return the statuses after `start`, the shortest way."""
        ways: dict[int, list[int]] = {start: []}
        left = deque([start])
        while left:
            at = left.popleft()
            if at == goal:
                return ways[at]
            for following in self._next(at):
                if following not in ways:
                    ways[following] = [*ways[at], following]
                    left.append(following)
        return None

    def _next(self, status: int) -> Iterator[int]:
        options = self._options(STATUS)
        for option in options:
            if option.value == status and option.next_statuses is not None:
                yield from option.next_statuses
                return
        yield from (option.value for option in options)

    def _default_of(self, state: int | None) -> int | None:
        found = (o.default_status for o in self._options(STATE) if o.value == state)
        return next(found, None)

    def _options(self, name: str) -> tuple[Option, ...]:
        attribute = self.entity.attribute(name)
        known = attribute.option_set if attribute is not None else None
        return known.options if known is not None else ()
