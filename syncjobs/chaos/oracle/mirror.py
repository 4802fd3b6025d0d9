"""Both sides as the ledger tells them, in the client's terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from organizations.records import Value
from syncjobs.chaos.ledger import NO_SETTINGS, By, Event, Settings, Write
from syncjobs.chaos.schema import MODIFIED, PAIR, USER
from syncjobs.engine.values import Side

Values = Mapping[str, Value]
Tables = dict[str, dict[str, Values]]


@dataclass
class Mirror:
    """Records by entity and key: the client's id, or both ends of a pair.

    Values of the server are in the client's terms: its users' ids are translated. `ids` tells
    which keys pairs have that were ever seen, by row id; `last_by` who wrote a record last.
    """

    tables: dict[Side, Tables] = field(default_factory=lambda: {side: {} for side in Side})
    settings: dict[str, Settings] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    last_by: dict[tuple[Side, str, str], By] = field(default_factory=dict)
    _names: dict[Side, dict[str, str]] = field(default_factory=lambda: {side: {} for side in Side})

    def take(self, event: Event) -> None:
        """Let an event happen."""
        if isinstance(event, Settings):
            self.settings[event.entity] = event
        elif isinstance(event, Write):
            self._write(event)

    def of(self, side: Side, entity: str) -> dict[str, Values]:
        """Return the records of one side, by key."""
        return self.tables[side].setdefault(entity, {})

    def get(self, side: Side, entity: str, key: str) -> Values | None:
        """Return one record, None where there is none."""
        return self.of(side, entity).get(key)

    def rules(self, entity: str) -> Settings:
        """Return how an entity is carried now."""
        return self.settings.get(entity, NO_SETTINGS)

    def is_inside(self, entity: str, key: str) -> bool:
        """Return whether the server has the record, and inside the entity's filter."""
        values = self.get(Side.SERVER, entity, key)
        if values is None:
            return False
        self.of(Side.SERVER, "account")
        return self.rules(entity).inside.admits(self.tables[Side.SERVER], values)

    def key(self, write: Write) -> str:
        """Return the key of the record that is written."""
        values = write.after or write.before or {}
        return self.ids.get(write.id, write.id) if write.entity == PAIR else self._id(write, values)

    def pair(self, write: Write) -> str:
        """Return both ends of the pair that is written."""
        values = write.after or write.before or {}
        return f"{values['accountid']} {values['tagid']}"

    def values(self, side: Side, values: Values) -> dict[str, Value]:
        """Return values in the client's terms."""
        if side is Side.CLIENT:
            return dict(values)
        return {name: self.users.get(str(value), value) for name, value in values.items()}

    def is_gone_by_user(self, side: Side, entity: str, key: str) -> bool:
        """Return whether a user of that side deleted the record, and it did not come back."""
        is_user = self.last_by.get((side, entity, key)) is By.USER
        return is_user and self.get(side, entity, key) is None

    def _id(self, write: Write, values: Values) -> str:
        return self.users.get(write.id, write.id) if write.entity == USER else write.id

    def _write(self, write: Write) -> None:
        values = write.after or write.before or {}
        if write.entity == USER:
            self._match(write, values)
        if write.entity == PAIR:
            self.ids[write.id] = self.pair(write)
        table, key = self.of(write.side, write.entity), self.key(write)
        self.last_by[write.side, write.entity, key] = write.by
        if write.after is None:
            table.pop(key, None)
        else:
            table[key] = self.values(write.side, write.after)

    def _match(self, write: Write, values: Values) -> None:
        name = str(values["domainname"])
        self._names[write.side][name] = write.id
        server, client = self._names[Side.SERVER].get(name), self._names[Side.CLIENT].get(name)
        if server and client:
            self.users[server] = client


def replayed(events: Iterable[Event]) -> Mirror:
    """Return both sides after these events."""
    mirror = Mirror()
    for event in events:
        mirror.take(event)
    return mirror


def told(entity: str, values: Values) -> dict[str, Value]:
    """Return the values that users give: neither ids of the record nor when it was modified."""
    hidden = {f"{entity}id", MODIFIED}
    if entity == PAIR:
        return {}
    return {name: value for name, value in values.items() if name not in hidden}
