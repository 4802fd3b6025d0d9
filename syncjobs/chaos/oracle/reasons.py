"""I6 and I7: what stands on a list has a reason, its own or that of what it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from organizations.records import Value
from syncjobs.chaos.oracle.lists import Lists
from syncjobs.chaos.oracle.mirror import Mirror
from syncjobs.chaos.oracle.violation import Violation
from syncjobs.chaos.schema import ACCOUNT, CONTACT, PAIR, TAG
from syncjobs.engine.transactions import Action, Status, Transaction
from syncjobs.engine.values import Side

_TARGETS = {
    "parentaccountid": ACCOUNT,
    "primarycontactid": CONTACT,
    "accountid": ACCOUNT,
    "tagid": TAG,
}
Record = tuple[str, str]


class Reasons:
    """Whether what is on the lists must be there."""

    def __init__(self, mirror: Mirror, lists: Lists) -> None:
        """`mirror` is both sides at rest."""
        self._mirror, self._lists = mirror, lists

    def violations(self) -> Iterator[Violation]:
        """Yield entries that nothing explains, and entries without words."""
        for entity, transactions in self._lists.transactions.items():
            for item in transactions:
                yield from self._transaction(entity, item)
        for entity, ids in self._lists.left.items():
            for record_id in sorted(ids):
                if not self._may_be_left(entity, record_id):
                    yield Violation("I6", f"{entity} {record_id} was left behind for nothing.")

    def _transaction(self, entity: str, item: Transaction) -> Iterator[Violation]:
        shown = f"{item.action} {entity} {item.client_id} ({item.code}: {item.message})"
        if item.status is Status.ERROR:
            if not (item.code and item.message):
                yield Violation("I7", f"{shown} failed without a word.")
            if not self._may_fail(item):
                yield Violation("I6", f"{shown} failed for nothing.")
        if item.status is Status.PENDING:
            if not item.message:
                yield Violation("I7", f"{shown} waits without a word.")
            if not self._is_blocked((entity, item.client_id)):
                yield Violation("I6", f"{shown} waits for nothing.")

    def _may_fail(self, item: Transaction) -> bool:
        # Of a pair the server's row may be refused, which has another id (design 5.1.1).
        ids, record_id = self._mirror.ids, item.client_id
        refused = {ids.get(refused, refused) for refused in self._lists.refused_ever}
        return item.conflict is not None or ids.get(record_id, record_id) in refused

    def _may_be_left(self, entity: str, record_id: str) -> bool:
        lists = self._lists
        return (
            record_id in lists.refused
            or bool(lists.waiting(entity, record_id))
            or self._is_absent(entity, record_id)
        )

    def _is_absent(self, entity: str, record_id: str) -> bool:
        key = self._mirror.ids.get(record_id, record_id)
        return self._mirror.get(Side.SERVER, entity, key) is None

    def _is_blocked(self, record: Record) -> bool:
        """Return whether the record, or one it refers to, cannot go on by itself."""
        seen: set[Record] = set()
        unseen = [record]
        while unseen:
            current = unseen.pop()
            if current in seen:
                continue
            seen.add(current)
            waiting = self._lists.waiting(*current)
            if any(item.status is Status.ERROR for item in waiting):
                return True
            if not waiting and self._is_absent(*current):
                return True
            for item in waiting:
                unseen += self._named(current, item)
        return False

    def _named(self, record: Record, item: Transaction) -> Iterator[Record]:
        entity, record_id = record
        key = self._mirror.ids.get(record_id, record_id)
        here = self._mirror.get(Side.CLIENT, entity, key) or {}
        new = {name: changed.new for name, changed in (item.changes or {}).items()}
        yield from _references(new, here)
        yield from _references(here, here)
        if entity == PAIR and " " in key:
            account, tag = key.split(" ")
            yield from ((ACCOUNT, account), (TAG, tag))
        if item.action is Action.DELETE:
            yield from self._naming(record)

    def _naming(self, record: Record) -> Iterator[Record]:
        """Yield what names the record on the server, and is to be deleted before it."""
        for entity, transactions in self._lists.transactions.items():
            for item in transactions:
                if item.is_waiting and item.action is Action.DELETE:
                    there = self._mirror.get(Side.SERVER, entity, item.client_id) or {}
                    if record in _references(there, there):
                        yield entity, item.client_id


def _references(values: Mapping[str, Value], row: Mapping[str, Value]) -> Iterator[Record]:
    for name, value in values.items():
        if value is None:
            continue
        if name in _TARGETS:
            yield _TARGETS[name], str(value)
        elif name == "parentcustomerid":
            kind = values.get(f"{name}__type") or row.get(f"{name}__type")
            yield str(kind or ACCOUNT), str(value)
