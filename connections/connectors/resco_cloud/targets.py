"""What is written: records by their id, or pairs of an N:N relationship by their two ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connections.connectors.resco_cloud import looking
from connections.connectors.resco_cloud.asking import Asking
from connections.connectors.resco_cloud.bodies import Bodies, Values
from connections.connectors.resco_cloud.looking import Ends, Found
from connections.connectors.resco_cloud.operations import Operation
from organizations.records import Action
from organizations.schema import Entity, ManyToMany


class Write(Protocol):
    """What a target asks of one write (`writing.Wanted`)."""

    @property
    def at(self) -> int:
        """Its place in the batch."""

    @property
    def id(self) -> str:
        """The record's id."""

    @property
    def values(self) -> Values:
        """All values that are known."""

    @property
    def written(self) -> Values:
        """Those to write."""

    @property
    def expected(self) -> int:
        """The version it is based on."""


class Target(ABC):
    """Knows how to find, write and recognise what it is about."""

    @abstractmethod
    def look(self, rows: Sequence[Write]) -> Mapping[int, Found]:
        """Return what there is now, by place in the batch."""

    @abstractmethod
    def operation(self, action: Action, row: Write) -> Operation:
        """Return what is sent. Raises InvalidValue."""

    @abstractmethod
    def is_ours(self, action: Action, row: Write, found: Found) -> bool:
        """Return whether what is there is what was sent."""

    @abstractmethod
    def is_settled(self, action: Action, row: Write, found: Found, *, is_doubtful: bool) -> bool:
        """Return whether nothing needs to be sent; `is_doubtful`: it may have been sent."""


@dataclass(slots=True)
class Records(Target):
    """Records of an ordinary entity."""

    asking: Asking
    entity: Entity
    bodies: Bodies

    def look(self, rows: Sequence[Write]) -> Mapping[int, Found]:
        """Read them by id, with the attributes that are written."""
        names = dict.fromkeys(name for row in rows for name in row.values)
        found = looking.records(self.asking, self.entity, [row.id for row in rows], names)
        return {row.at: found[row.id] for row in rows if row.id in found}

    def operation(self, action: Action, row: Write) -> Operation:
        """Name the record by its id."""
        return self.bodies.record(action, row.id, row.written)

    def is_ours(self, action: Action, row: Write, found: Found) -> bool:
        """Compare what can be written."""
        if action is Action.DELETE:
            return not found.version
        names = self.bodies.names(row.values, creating=action is Action.CREATE)
        return bool(found.version) and looking.holds(found, row.values, names)

    def is_settled(self, action: Action, row: Write, found: Found, *, is_doubtful: bool) -> bool:
        """Recognise a lost request by its effect; before it, nothing is settled."""
        return is_doubtful and found.version != row.expected and self.is_ours(action, row, found)


@dataclass(slots=True)
class Pairs(Target):
    """Pairs of two records; their own ids are the organization's business."""

    asking: Asking
    entity: Entity
    bodies: Bodies
    pair: ManyToMany
    _ends: dict[str, Ends] = field(default_factory=dict)

    def look(self, rows: Sequence[Write]) -> Mapping[int, Found]:
        """Read those that name their ends by these, the others by their id."""
        named = {row.at: ends for row in rows if (ends := self._named(row)) is not None}
        by_ends = looking.pairs(self.asking, self.entity, self.pair, list(named.values()))
        found = {at: by_ends[ends] for at, ends in named.items() if ends in by_ends}
        others = [row for row in rows if row.at not in named]
        names = (self.pair.attribute1, self.pair.attribute2)
        ids = [row.id for row in others]
        known = looking.records(self.asking, self.entity, ids, names) if ids else {}
        for key, one in known.items():
            self._ends[key] = (str(one.values[names[0]]), str(one.values[names[1]]))
        return found | {row.at: known[row.id] for row in others if row.id in known}

    def operation(self, action: Action, row: Write) -> Operation:
        """Name the pair by its lookups."""
        ends = self._named(row) or self._ends[row.id]
        return self.bodies.pair(action, self.pair, ends)

    def is_ours(self, action: Action, row: Write, found: Found) -> bool:
        """A pair is nothing but its ends."""
        return bool(found.version) is not (action is Action.DELETE)

    def is_settled(self, action: Action, row: Write, found: Found, *, is_doubtful: bool) -> bool:
        """A pair that is there need not be made; one that is gone after a lost answer is."""
        if action is Action.CREATE:
            return bool(found.version)
        return is_doubtful and self.is_ours(action, row, found)

    def _named(self, row: Write) -> Ends | None:
        first, second = (row.values.get(self.pair.attribute1), row.values.get(self.pair.attribute2))
        return (str(first), str(second)) if first and second else None
