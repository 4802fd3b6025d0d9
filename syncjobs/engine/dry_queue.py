"""The queue of a dry run: what the real one holds, and what this run would make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from syncjobs.engine.plan import Waiting
from syncjobs.engine.protocols import Queue
from syncjobs.engine.transactions import Action, Status, Transaction

Note = Callable[[Transaction, str], None]


class DryQueue(Queue):
    """Reads what the real queue holds, and keeps in memory what this run does to it.

    New transactions get ids below zero.
    """

    def __init__(self, queue: Queue, note: Note = lambda transaction, why: None) -> None:
        """`queue` is only read; `note` is told what would be written back, and why."""
        self._queue, self._note = queue, note
        self._collected: dict[int, int] = {}
        self._ours: dict[int, Transaction] = {}

    @property
    def connected(self) -> datetime:
        """When the connection was made."""
        return self._queue.connected

    def collected(self, entities: Sequence[int], *, hold: bool = False) -> Mapping[int, int]:
        """Return what is saved, or would be; nothing is held."""
        found = dict(self._queue.collected(entities))
        return found | {key: self._collected[key] for key in entities if key in self._collected}

    def save_collected(self, entities: Sequence[int], version: int) -> None:
        """Remember it in memory."""
        self._collected.update(dict.fromkeys(entities, version))

    def of_records(
        self, entity: int, client_ids: Sequence[str]
    ) -> Mapping[str, Sequence[Transaction]]:
        """Return what waits for these records, as this run would have left it."""
        wanted, found = set(client_ids), dict[str, list[Transaction]]()
        saved = self._queue.of_records(entity, client_ids)
        ours = (item for item in self._ours.values() if item.entity == entity)
        for item in self._current(item for items in saved.values() for item in items):
            found.setdefault(item.client_id, []).append(item)
        for item in ours:
            if item.client_id in wanted and item.id < 0:
                found.setdefault(item.client_id, []).append(item)
        waiting = {key: [item for item in items if item.is_waiting] for key, items in found.items()}
        return {key: sorted(items, key=_order) for key, items in waiting.items() if items}

    def due(self, entities: Sequence[int], now: datetime) -> Sequence[Transaction]:
        """Return what would be due, oldest first."""
        return [
            item
            for item in self._with_ours(self._queue.due(entities, now), entities)
            if item.status is Status.PENDING
            and (item.next_attempt is None or item.next_attempt <= now)
        ]

    def deletions(self, entities: Sequence[int]) -> Sequence[Transaction]:
        """Return the deletions that would be waiting, oldest first."""
        known = self._with_ours(self._queue.deletions(entities), entities)
        return [item for item in known if item.is_waiting and item.action is Action.DELETE]

    def add(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Keep new ones in memory."""
        for item in transactions:
            key = -len(self._ours) - 1
            self._ours[key] = replace(item, id=key)

    def save(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Keep them as they would be."""
        for item in transactions:
            self._ours[item.id] = item
            self._note(item, why)

    def waiting(
        self, entity: int, client_ids: Sequence[str], saved: Mapping[str, Waiting]
    ) -> Mapping[str, Waiting]:
        """Return the newest undelivered change of each record, given what is saved."""
        wanted, newest = set(client_ids), dict[str, Transaction]()
        for item in sorted(self._ours.values(), key=_age):
            is_new = item.is_servers and item.id < 0
            if item.entity == entity and item.client_id in wanted and not is_new:
                newest[item.client_id] = item
        found = dict(saved)
        for client_id, item in newest.items():
            if client_id in saved and saved[client_id].version > item.version:
                continue
            found.pop(client_id, None)
            if item.status is not Status.PROCESSED and not item.is_servers:
                found[client_id] = Waiting(
                    version=item.version,
                    is_delete=item.action is Action.DELETE,
                    is_set_aside=item.status is Status.ARCHIVED,
                )
        return found

    def growth(self, entity: int) -> int:
        """Return how many more would be waiting by now than are saved."""
        ours = [item for item in self._ours.values() if item.entity == entity]
        new = sum(1 for item in ours if item.id < 0 and item.is_waiting)
        return new - sum(1 for item in ours if item.id > 0 and not item.is_waiting)

    def pairs(self, entity: int, saved: Sequence[Transaction]) -> list[Transaction]:
        """Return the pairs that would be waiting by now, given those that are saved."""
        new = (item for item in self._ours.values() if item.id < 0 and item.entity == entity)
        found = (item for item in (*self._current(saved), *new) if item.is_waiting)
        return [item for item in found if item.action is Action.ASSOCIATE]

    def _with_ours(
        self, saved: Sequence[Transaction], entities: Sequence[int]
    ) -> list[Transaction]:
        """Return what is saved, as it would be, and all of this run's, oldest first."""
        seen = {item.id for item in saved}
        ours = (item for item in self._ours.values() if item.id not in seen)
        known = (*self._current(saved), *(item for item in ours if item.entity in entities))
        return sorted(known, key=_order)

    def _current(
        self, saved: Iterator[Transaction] | Sequence[Transaction]
    ) -> Iterator[Transaction]:
        return (self._ours.get(item.id, item) for item in saved)


def _order(item: Transaction) -> tuple[int, bool, int]:
    return item.first_version, item.id < 0, abs(item.id)


def _age(item: Transaction) -> tuple[int, int, bool, int]:
    return item.version, *_order(item)
