"""The order of delivery: who waits for whom, record by record.

A transaction waits for the one before it of the same record; a create or update for the creates
of the records it names; a delete for the deletes of the records that named it. Among those that
wait for nobody, creates and updates go first in the order of their entities, then pairs (removed
ones first, because a removed pair can be made again under another id), then deletes, in the
reverse order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from syncjobs.engine.push.ends import Ends, Record, Reference
from syncjobs.engine.transactions import Action, Transaction

_KINDS = {
    Action.CREATE: (0, 0),
    Action.UPDATE: (0, 1),
    Action.DISASSOCIATE: (1, 0),
    Action.ASSOCIATE: (1, 1),
    Action.DELETE: (2, 0),
}
Turn = tuple[int, int, int]


@dataclass(slots=True)
class Node:
    """One transaction in the order.

    `after` are the ids of those it waits for → the columns because of which it does, empty where
    it must wait in any case. `late` are columns that were left out to cut a cycle.
    `followers` are later changes of the record, which wait for it.
    """

    transaction: Transaction
    ends: Ends
    rank: int
    after: dict[int, set[str]] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    followers: Sequence[Transaction] = ()

    @property
    def record(self) -> Record:
        """Entity and client id."""
        return self.ends.name, self.transaction.client_id

    @property
    def turn(self) -> Turn:
        """Its place among those that wait for nobody."""
        phase, kind = _KINDS[self.transaction.action]
        return phase, -self.rank if phase == 2 else self.rank, kind


class Order:
    """Hands out what can be delivered now, and learns what became of it."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        """`nodes` oldest first, with all they wait for."""
        self._nodes = {node.transaction.id: node for node in nodes}
        self._followers: dict[int, list[int]] = defaultdict(list)
        for node in self._nodes.values():
            for before in node.after:
                self._followers[before].append(node.transaction.id)
        self._ready: dict[Turn, dict[int, None]] = defaultdict(dict)
        for node in self._nodes.values():
            self._release(node)

    def take(self, most: int) -> list[Node]:
        """Return up to so many that are delivered next: of one entity and of one kind.

        A cycle is cut where nothing else is left. Empty: all are done, or wait for others.
        """
        while self._nodes and not self._ready:
            self._cut()
        if not self._ready:
            return []
        turn = min(self._ready)
        taken = list(islice(self._ready[turn], most))
        return [self._take(turn, item) for item in taken]

    def done(self, transaction: int) -> None:
        """Let go on what waited for this one."""
        for item in self._followers.pop(transaction, ()):
            node = self._nodes.get(item)
            if node is not None and node.after.pop(transaction, None) is not None:
                self._release(node)

    def stop(self, transaction: int) -> Iterator[Node]:
        """Yield what waits for this one, and what waits for that: none is handed out any more."""
        left = [transaction]
        while left:
            before = left.pop()
            for item in self._followers.pop(before, ()):
                node = self._nodes.get(item)
                if node is not None and before in node.after:
                    del self._nodes[item]
                    left.append(item)
                    yield node

    def drop(self, transaction: int) -> None:
        """Take one out that is not delivered now; `stop` tells what waits for it."""
        node = self._nodes.pop(transaction, None)
        if node is not None and not node.after:
            self._unready(node.turn, transaction)

    def _take(self, turn: Turn, transaction: int) -> Node:
        self._unready(turn, transaction)
        return self._nodes.pop(transaction)

    def _unready(self, turn: Turn, transaction: int) -> None:
        del self._ready[turn][transaction]
        if not self._ready[turn]:
            del self._ready[turn]

    def _release(self, node: Node) -> None:
        if not node.after:
            self._ready[node.turn][node.transaction.id] = None

    def _cut(self) -> None:
        """Let one transaction of a cycle go without the columns that close it."""
        cycle = self._cycle()
        for at, item in enumerate(cycle):
            node, before = self._nodes[item], cycle[(at + 1) % len(cycle)]
            columns = node.after[before]
            if columns or node.transaction.action is Action.DELETE:
                node.late |= columns
                del node.after[before]
                self._release(node)
                return
        raise AssertionError("Transactions of one record wait for each other.")

    def _cycle(self) -> list[int]:
        """Return ids of which each waits for the next, and the last for the first."""
        path: dict[int, None] = {}
        item = next(iter(self._nodes))
        while item not in path:
            path[item] = None
            item = next(iter(self._nodes[item].after))
        walked = list(path)
        return walked[walked.index(item) :]


def named(node: Node) -> Iterator[Reference]:
    """Yield the records that what the transaction writes names."""
    transaction = node.transaction
    if transaction.changes is not None and transaction.action is not Action.DELETE:
        values = {name: changed.new for name, changed in transaction.changes.items()}
        yield from node.ends.references(values)


def wait_for_creates(nodes: Sequence[Node]) -> dict[str, set[str]]:
    """Let nodes wait for the creates of what they name.

    Returns the records named that no node creates, by entity.
    """
    creates = {
        node.record: node.transaction.id
        for node in nodes
        if node.transaction.action is Action.CREATE
    }
    others: dict[str, set[str]] = defaultdict(set)
    for node in nodes:
        for column, record in named(node):
            if record == node.record:
                if node.transaction.action is Action.CREATE:
                    node.late.add(column)
            elif record in creates:
                node.after.setdefault(creates[record], set()).add(column)
            else:
                others[record[0]].add(record[1])
    return others


def wait_for_deletes(nodes: Mapping[Record, Node], naming: Iterable[tuple[Record, Record]]) -> None:
    """Let deletes of records wait for the deletes of those that name them.

    `naming` are pairs of the record that names, and the one that is named.
    """
    for child, parent in naming:
        if child != parent and child in nodes and parent in nodes:
            nodes[parent].after.setdefault(nodes[child].transaction.id, set())
