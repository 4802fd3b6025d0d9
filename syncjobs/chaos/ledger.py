"""What happened in both organizations, write by write, in the order of the wall clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from organizations.records import Action, Value
from syncjobs.chaos.filters import NO_FILTER, SyncFilter
from syncjobs.engine.transactions import Action as Intent
from syncjobs.engine.values import ConflictRule, Leaving, Side

Values = Mapping[str, Value]


class By(StrEnum):
    """Who wrote: a user, the engine, or the organization by itself."""

    USER = "user"
    ENGINE = "engine"
    SYSTEM = "system"


class Write(NamedTuple):
    """One write of one record. `before` and `after` are None where it was, or is, not there."""

    side: Side
    by: By
    entity: str
    id: str
    version: int
    before: Values | None
    after: Values | None

    @property
    def action(self) -> Action:
        """What the write did."""
        if self.after is None:
            return Action.DELETE
        return Action.CREATE if self.before is None else Action.UPDATE

    @property
    def changed(self) -> dict[str, tuple[Value, Value]]:
        """Columns that differ, before and after."""
        before, after = self.before or {}, self.after or {}
        return {
            name: (before.get(name), after.get(name))
            for name in {**before, **after}
            if before.get(name) != after.get(name)
        }


class Settings(NamedTuple):
    """How an entity is carried from now on; `columns` are those that both sides have."""

    entity: str
    deletes: bool
    leaving: Leaving
    rule: ConflictRule
    inside: SyncFilter
    columns: frozenset[str] = frozenset()


NO_SETTINGS = Settings("", False, Leaving.DELETE, ConflictRule.SERVER, NO_FILTER)
"""How an entity is carried of which nobody said anything."""


class RunBegan(NamedTuple):
    """A run, or a delivery, began."""

    full: bool


class Insisted(NamedTuple):
    """A person set a client change to Pending, or chose a deletion; `action` is that change's."""

    entity: str
    id: str
    action: Intent


Event = Write | Settings | RunBegan | Insisted


@dataclass
class Ledger:
    """Everything in order. Writes of a page that rolled back never happened."""

    events: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Write down what happened."""
        self.events.append(event)

    def keep(self) -> Callable[[], None]:
        """Return what forgets the client's writes since now: their transaction rolled back."""
        count = len(self.events)

        def forget() -> None:
            since = self.events[count:]
            self.events[count:] = [event for event in since if not _is_of_client(event)]

        return forget

    def keep_all(self) -> Callable[[], None]:
        """Return what forgets everything since now."""
        count = len(self.events)

        def forget() -> None:
            del self.events[count:]

        return forget


def _is_of_client(event: Event) -> bool:
    return isinstance(event, Write) and event.side is Side.CLIENT
