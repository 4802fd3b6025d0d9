"""I2: at rest both sides are equal, or the difference is on a list; and I6: for a reason."""

from __future__ import annotations

from collections.abc import Iterator

from syncjobs.chaos.ledger import By
from syncjobs.chaos.oracle.lists import Lists
from syncjobs.chaos.oracle.mirror import Mirror, Values
from syncjobs.chaos.oracle.reasons import Reasons
from syncjobs.chaos.oracle.violation import Violation
from syncjobs.chaos.schema import CARRIED, MODIFIED, PAIR
from syncjobs.engine.values import Leaving, LinkState, Side


def differences(mirror: Mirror, lists: Lists) -> Iterator[Violation]:
    """Yield differences that no list names, and entries of lists that have no reason."""
    for entity in CARRIED:
        yield from _Entity(mirror, lists, entity).violations()
    yield from Reasons(mirror, lists).violations()


class _Entity:
    def __init__(self, mirror: Mirror, lists: Lists, entity: str) -> None:
        self._mirror, self._lists, self._entity = mirror, lists, entity
        self._server, self._client = (mirror.of(side, entity) for side in Side)
        self._keys: dict[str, set[str]] = {}
        for row_id, key in mirror.ids.items():
            self._keys.setdefault(key, set()).add(row_id)

    def violations(self) -> Iterator[Violation]:
        for key in sorted({*self._server, *self._client}):
            what = self._difference(key)
            if what and not self._is_named(key):
                shown = f"{self._entity} {key} {what}"
                yield Violation("I2", f"{shown}, and no list names it.")

    def _difference(self, key: str) -> str:
        server, client = self._server.get(key), self._client.get(key)
        if client is None:
            return "is not on the client" if self._mirror.is_inside(self._entity, key) else ""
        if server is None:
            return self._extra(key, "is not on the server")
        if not self._mirror.is_inside(self._entity, key):
            return self._extra(key, "is outside the filter")
        return self._compared(key, server, client)

    def _extra(self, key: str, what: str) -> str:
        # Without Sync Deletion nobody promises that a record goes; that it stays is told by
        # its mark, if the server told of it.
        rules = self._mirror.rules(self._entity)
        is_outside = key in self._server
        if not rules.deletes or (is_outside and rules.leaving is Leaving.KEEP):
            return ""
        return what

    def _compared(self, key: str, server: Values, client: Values) -> str:
        if self._entity == PAIR:
            return ""
        # A user who saves without a change moves only what the server lets nobody write.
        is_touched = self._mirror.last_by[Side.CLIENT, self._entity, key] is By.USER
        for name in self._lists.columns[self._entity]:
            if name == MODIFIED and is_touched:
                continue
            if server.get(name) != client.get(name):
                return f"has '{name}' = {server.get(name)!r} and {client.get(name)!r}"
        return ""

    def _may_stay(self, record_id: str, mark: LinkState) -> bool:
        is_kept = self._mirror.rules(self._entity).leaving is Leaving.KEEP
        return (is_kept and mark is LinkState.LEFT_FILTER) or record_id in self._lists.refused

    def _is_named(self, key: str) -> bool:
        lists, entity = self._lists, self._entity
        for record_id in self._keys.get(key, {key}) if entity == PAIR else (key,):
            if record_id in lists.left.get(entity, ()) or record_id in lists.held[entity]:
                return True
            mark = lists.marked.get(entity, {}).get(record_id)
            if mark is not None and self._may_stay(record_id, mark):
                return True
            if lists.waiting(entity, record_id) or lists.was_set_aside(entity, record_id):
                return True
        return False
