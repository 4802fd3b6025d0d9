"""I1: no acknowledged change is lost.

A user's value lives until the same side's users replace it, or until the other side has had it.
Whoever else overwrites it must have kept it: some transaction of the record holds the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from organizations.records import Action as Done
from organizations.records import Value
from syncjobs.chaos.ledger import By, Event, Insisted, Write
from syncjobs.chaos.oracle.lists import Lists
from syncjobs.chaos.oracle.mirror import Mirror, Values, replayed, told
from syncjobs.chaos.oracle.violation import Violation
from syncjobs.chaos.schema import CARRIED, PAIR
from syncjobs.engine.transactions import Action, Transaction
from syncjobs.engine.values import Side

EXISTS = "(exists)"
_MAKING = (Action.CREATE, Action.ASSOCIATE)
_ROW = f"{PAIR}id"

Marks = dict[str, Value]
"""Column → what a user wrote and the other side has not had yet."""


class Lost(NamedTuple):
    """A value that was overwritten before the other side had it."""

    side: Side
    entity: str
    id: str
    column: str
    value: Value


def lost_changes(events: Iterable[Event], lists: Lists) -> Iterator[Violation]:
    """Yield the changes that neither side has and no transaction keeps."""
    known = list(events)
    mirror = replayed(known)
    keys = mirror.ids
    insisted = {
        (event.entity, keys.get(event.id, event.id))
        for event in known
        if isinstance(event, Insisted)
    }
    for place, lost in overwritten(known):
        key = keys.get(lost.id, lost.id)
        is_insisted = lost.side is Side.CLIENT and (lost.entity, key) in insisted
        later = known[place + 1 :]
        if is_insisted and _is_replaced(lost, key, later, keys):
            continue
        if _is_delivered(lost, key, later, mirror) or _is_back(lost, key, later, mirror):
            continue
        if not _is_kept(lost, lists, mirror.users, is_insisted=(lost.entity, key) in insisted):
            what = f"{lost.entity} {lost.id}: '{lost.column}' = {lost.value!r}"
            yield Violation("I1", f"{what}, written on the {lost.side}, was overwritten and lost.")


def _is_replaced(lost: Lost, key: str, later: Iterable[Event], keys: Mapping[str, str]) -> bool:
    """Return whether users of the client wrote their value again, or made or deleted the record.

    Such a change folds into the waiting one, which a person had set to Pending: it takes the
    place of the value that this one kept. A deletion gives way to any of them (`folding`).
    """
    writes = (
        event
        for event in later
        if isinstance(event, Write)
        and (event.side, event.by, event.entity) == (Side.CLIENT, By.USER, lost.entity)
        and keys.get(event.id, event.id) == key
    )
    return any(
        item.action is not Done.UPDATE or lost.column in (EXISTS, *item.changed) for item in writes
    )


def _is_delivered(lost: Lost, key: str, later: Iterable[Event], mirror: Mirror) -> bool:
    """Return whether the engine carried the value to the other side after all.

    It was kept until then; of a change that is carried in parts a person decides about the rest.
    """
    return any(_brings(lost, key, later, mirror, _other(lost.side), By.ENGINE))


def _is_back(lost: Lost, key: str, later: Iterable[Event], mirror: Mirror) -> bool:
    """Return whether a backup brought the value back; who overwrites it again must keep it."""
    return any(_brings(lost, key, later, mirror, lost.side, By.SYSTEM))


def _brings(
    lost: Lost, key: str, later: Iterable[Event], mirror: Mirror, side: Side, by: By
) -> Iterator[bool]:
    for event in later:
        if (
            isinstance(event, Write)
            and (event.side, event.by, event.entity) == (side, by, lost.entity)
            and mirror.ids.get(event.id, event.id) == key
            and lost.column in event.changed
        ):
            yield mirror.values(side, event.after or {}).get(lost.column) == lost.value


def overwritten(events: Iterable[Event]) -> Iterator[tuple[int, Lost]]:
    """Yield what the engine overwrote before the other side had it, and when."""
    mirror, marks = Mirror(), _Marks()
    for place, event in enumerate(events):
        is_record = isinstance(event, Write) and event.entity in CARRIED
        key = mirror.key(event) if isinstance(event, Write) else ""
        before = mirror.get(event.side, event.entity, key) if isinstance(event, Write) else None
        mirror.take(event)
        if is_record and isinstance(event, Write):
            key = mirror.key(event)
            after = mirror.get(event.side, event.entity, key)
            for lost in marks.take(event, key, before, after, mirror):
                yield place, lost


class _Marks:
    def __init__(self) -> None:
        self._marks: dict[tuple[Side, str, str], Marks] = {}
        self._agreed: dict[tuple[str, str], Marks] = {}
        self._known: dict[tuple[str, str], Marks] = {}
        self._replaced: dict[tuple[Side, str, str], Values] = {}
        self._written: dict[tuple[Side, str, str], Values] = {}
        self._lost: dict[tuple[Side, str, str], Marks] = {}
        self._carried: set[tuple[str, str]] = set()
        self._pairs = _Pairs()

    def take(
        self, write: Write, key: str, before: Values | None, after: Values | None, mirror: Mirror
    ) -> Iterator[Lost]:
        other = _other(write.side)
        there = mirror.get(other, write.entity, key)
        mine = self._of(write.side, write.entity, key)
        if write.by is By.ENGINE:
            # What it deletes on one side only, users may make anew there, too.
            (self._carried.add if after is not None else self._carried.discard)((write.entity, key))
            yield from self._losses(write, key, before, after, mirror)
        elif after is None and (write.entity, key) not in self._carried:
            mine.clear()  # nobody else had this record from us
        elif write.by is By.SYSTEM:
            _take_back(write, mine, before, after)
            mine.update(self._brought_back(write, key, before, after or {}))
        elif after is None and self._pairs.is_gone_there(write, key, there):
            mine.clear()
        else:
            _mark(write, mine, before, after)
            self._forget_reverts(write, key, mine, mirror)
        _agree(self._agreed.setdefault((write.entity, key), {}), after, there)
        if write.by is By.ENGINE:
            _agree(self._known.setdefault((write.entity, key), {}), after, there)
        if after is None and there is None:
            self._carried.discard((write.entity, key))  # it ended; users may make it anew
        self._pairs.take(write, key, after, there)
        _settle(mine, write.entity, after, there)
        _settle(self._of(other, write.entity, key), write.entity, there, after)

    def _losses(
        self,
        write: Write,
        key: str,
        before: Values | None,
        after: Values | None,
        mirror: Mirror,
    ) -> Iterator[Lost]:
        # What is not carried, and what the organization dropped with its attribute, is not ours.
        carried = mirror.rules(write.entity).columns & (before or after or {}).keys()
        place = write.side, write.entity, key
        for lost in _overwrite(write, self._of(*place), before, after):
            if lost.column == EXISTS or lost.column in carried:
                self._lost.setdefault(place, {})[lost.column] = lost.value
                yield lost
        self._replaced[place] = before or {}
        self._written[place] = after or {}

    def _brought_back(
        self, write: Write, key: str, before: Values | None, after: Values
    ) -> dict[str, Value]:
        """Return the lost values that a backup brings back: they can be lost once more."""
        lost = self._lost.get((write.side, write.entity, key), {})
        changed = _changed(write.entity, before, after)
        return {name: value for name, value in lost.items() if changed.get(name, ...) == value}

    def _forget_reverts(self, write: Write, key: str, mine: Marks, mirror: Mirror) -> None:
        # What is put back as both sides, or our own write, had it, is no change to be carried:
        # after a lost answer nobody can tell it from a write that was not made. That users of
        # both sides were of one mind meanwhile, nobody knew. And what is not carried is not ours.
        replaced = self._replaced.get((write.side, write.entity, key))
        known = [found.get((write.entity, key), {}) for found in (self._agreed, self._known)]
        # Nor is what we gave the other side alone, which that took back with all of the record.
        other = _other(write.side)
        if mirror.get(other, write.entity, key) is None:
            known.append(dict(self._written.get((other, write.entity, key), {})))
        carried = mirror.rules(write.entity).columns
        for name in list(mine):
            if name == EXISTS:
                continue
            is_back = replaced is not None and replaced.get(name) == mine[name]
            is_back |= any(name in both and both[name] == mine[name] for both in known)
            if is_back or name not in carried:
                del mine[name]

    def _of(self, side: Side, entity: str, key: str) -> Marks:
        return self._marks.setdefault((side, entity, key), {})


class _Pairs:
    """Which rows both sides know to hold the same pair.

    A deletion names a row, not both ends (design 5.1.1). Where the other side's users removed the
    row that was known and made the pair anew, the removal was theirs too, and the new row is what
    nobody removed.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[Side, Value]] = {}

    def take(self, write: Write, key: str, here: Values | None, there: Values | None) -> None:
        if write.entity != PAIR:
            return
        if here is None and there is None:
            self._known.pop(key, None)
            return
        is_known = write.by is not By.ENGINE and key in self._known
        if here is not None and there is not None and not is_known:
            self._known[key] = {write.side: here[_ROW], _other(write.side): there[_ROW]}

    def is_gone_there(self, write: Write, key: str, there: Values | None) -> bool:
        known = self._known.get(key) if write.entity == PAIR else None
        return known is not None and there is not None and there[_ROW] != known[_other(write.side)]


def _agree(agreed: Marks, here: Values | None, there: Values | None) -> None:
    if here is not None and there is not None:
        agreed.update({name: value for name, value in here.items() if there.get(name) == value})


def _other(side: Side) -> Side:
    return Side.CLIENT if side is Side.SERVER else Side.SERVER


def _mark(write: Write, mine: Marks, before: Values | None, after: Values | None) -> None:
    if after is None:
        mine.clear()
        mine[EXISTS] = False
        return
    if before is None:
        mine[EXISTS] = True
    mine.update(_changed(write.entity, before, after))


def _take_back(write: Write, mine: Marks, before: Values | None, after: Values | None) -> None:
    """The organization itself gave up what users wrote, by a backup or by a rule of its own."""
    if after is None:
        mine.clear()
        return
    for name in _changed(write.entity, before, after):
        mine.pop(name, None)


def _overwrite(
    write: Write, mine: Marks, before: Values | None, after: Values | None
) -> Iterator[Lost]:
    gone: Marks = {}
    if after is None:
        gone = {name: value for name, value in mine.items() if name != EXISTS and value}
        mine.clear()
    elif before is None:
        gone = {EXISTS: False} if mine.get(EXISTS) is False else {}
        mine.clear()
    else:
        changed = _changed(write.entity, before, after)
        gone = {name: mine.pop(name) for name in changed if name in mine}
    for name, value in gone.items():
        yield Lost(write.side, write.entity, write.id, name, value)


def _changed(entity: str, before: Values | None, after: Values) -> dict[str, Value]:
    old, new = told(entity, before or {}), told(entity, after)
    return {name: value for name, value in new.items() if old.get(name) != value}


def _settle(mine: Marks, entity: str, here: Values | None, there: Values | None) -> None:
    """Drop the marks whose value the other side has by now."""
    if mine.get(EXISTS) is (there is not None):
        del mine[EXISTS]
    if here is None or there is None:
        return
    for name in list(mine):
        if name != EXISTS and there.get(name) == mine[name]:
            del mine[name]


def _is_kept(lost: Lost, lists: Lists, users: Mapping[str, str], *, is_insisted: bool) -> bool:
    if lost.column == EXISTS and lost.side is Side.SERVER:
        return True  # a record that comes back is a decision, not a loss
    for item in lists.of_record(lost.entity, lost.id):
        if lost.column == EXISTS:
            # Who sets the making of a record aside wants the server to hear nothing of it.
            is_unmade = item.id in lists.set_aside and item.action in _MAKING
            if is_unmade or item.action in (Action.DELETE, Action.DISASSOCIATE):
                return True
            continue
        if lost.value in _values(item, lost.column, users, is_insisted=is_insisted):
            return True
    return False


def _values(
    item: Transaction, column: str, users: Mapping[str, str], *, is_insisted: bool
) -> list[Value]:
    """Return the values of a column that a transaction keeps.

    A creation has nothing in the columns that it does not name. Who sets a change to Pending sees
    the values that it replaces, and it goes on showing them.
    """
    changes = item.changes or {}
    if column not in changes:
        return [None] if item.action is Action.CREATE and item.changes is not None else []
    old, new = changes[column]
    # Before users are matched the server's id of one is kept, which names the same user.
    return [users.get(str(value), value) for value in ((new, old) if is_insisted else (new,))]
