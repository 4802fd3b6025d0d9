"""The queue of client changes in memory, which rolls back with the pages of a memory state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from syncjobs.chaos.memory_state import MemoryState
from syncjobs.engine.plan import Waiting
from syncjobs.engine.protocols import Queue
from syncjobs.engine.transactions import Action, Status, Transaction

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class SavedQueue:
    """What survives a crash. `history` holds (id, status, why) of each change of status."""

    transactions: dict[int, Transaction] = field(default_factory=dict)
    collected: dict[int, int] = field(default_factory=dict)
    history: list[tuple[int, Status, str]] = field(default_factory=list)

    def keep(self) -> Callable[[], None]:
        """Return what puts everything back as it is now."""
        transactions, collected = dict(self.transactions), dict(self.collected)
        count = len(self.history)

        def restore() -> None:
            self.transactions, self.collected = transactions, collected
            del self.history[count:]

        return restore


class MemoryQueue(Queue):
    """The transactions of one connection.

    Every write is one of the state's (`MemoryState.write`), so it can be broken like those, and
    the state tells what is waiting as the real one does.
    """

    def __init__(
        self,
        state: MemoryState,
        *,
        saved: SavedQueue | None = None,
        connected: datetime = _LONG_AGO,
    ) -> None:
        """`saved`: what another worker of the same connection left."""
        self.saved = saved or SavedQueue()
        self._state, self._connected = state, connected
        state.parts.append(self.saved)
        state.queue = self

    @property
    def connected(self) -> datetime:
        """When the connection was made."""
        return self._connected

    @property
    def transactions(self) -> list[Transaction]:
        """All of them, oldest first."""
        return sorted(self.saved.transactions.values(), key=_order)

    def collected(self, entities: Sequence[int], *, hold: bool = False) -> Mapping[int, int]:
        """Return up to where changes were collected."""
        found = self.saved.collected
        return {key: found[key] for key in entities if key in found}

    def save_collected(self, entities: Sequence[int], version: int) -> None:
        """Remember up to where changes were collected."""
        self._state.write("collected")
        self.saved.collected.update(dict.fromkeys(entities, version))

    def of_records(
        self, entity: int, client_ids: Sequence[str]
    ) -> Mapping[str, Sequence[Transaction]]:
        """Return the waiting transactions of these records."""
        wanted, found = set(client_ids), dict[str, list[Transaction]]()
        for item in self.transactions:
            if item.entity == entity and item.client_id in wanted and item.is_waiting:
                found.setdefault(item.client_id, []).append(item)
        return found

    def due(self, entities: Sequence[int], now: datetime) -> Sequence[Transaction]:
        """Return the Pending transactions whose time has come."""
        return [
            item
            for item in self.transactions
            if item.entity in entities
            and item.status is Status.PENDING
            and (item.next_attempt is None or item.next_attempt <= now)
        ]

    def deletions(self, entities: Sequence[int]) -> Sequence[Transaction]:
        """Return the waiting deletions of records."""
        waiting = (item for key in entities for item in self.undelivered(key))
        return sorted((item for item in waiting if item.action is Action.DELETE), key=_order)

    def add(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Put new ones in."""
        self._state.write("transactions")
        for item in transactions:
            key = len(self.saved.transactions) + 1
            self.saved.transactions[key] = replace(item, id=key)
            if why:
                self.saved.history.append((key, item.status, why))

    def save(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Write known ones back."""
        self._state.write("transactions")
        for item in transactions:
            if item.status is not self.saved.transactions[item.id].status:
                self.saved.history.append((item.id, item.status, why))
            self.saved.transactions[item.id] = item

    def waiting(self, entity: int, client_ids: Iterable[str]) -> Mapping[str, Waiting]:
        """Return the newest transaction of each record that was not delivered."""
        wanted = set(client_ids)
        newest = {
            item.client_id: item
            for item in sorted(self.transactions, key=_age)
            if item.entity == entity and item.client_id in wanted and not item.is_servers
        }
        return {
            client_id: Waiting(
                item.version, item.action is Action.DELETE, item.status is Status.ARCHIVED
            )
            for client_id, item in newest.items()
            if item.status is not Status.PROCESSED
        }

    def undelivered(self, entity: int) -> list[Transaction]:
        """Return all of an entity that were not delivered, oldest first."""
        return [item for item in self.transactions if item.entity == entity and item.is_waiting]


def _order(item: Transaction) -> tuple[int, int]:
    return item.first_version, item.id


def _age(item: Transaction) -> tuple[int, int, int]:
    return item.version, *_order(item)
