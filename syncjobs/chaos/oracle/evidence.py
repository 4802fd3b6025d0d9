"""I3: nothing is deleted without evidence.

The engine may delete a client record if the server does not have it, or has it outside the filter,
and the entity's settings say that deletions are carried; a server record, if a user deleted the
client's. The evidence may be as old as the runs that are under way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from organizations.records import Action
from syncjobs.chaos.ledger import By, Event, Insisted, RunBegan, Write
from syncjobs.chaos.oracle.lists import Lists
from syncjobs.chaos.oracle.mirror import Mirror, replayed
from syncjobs.chaos.oracle.violation import Violation
from syncjobs.chaos.schema import PAIR
from syncjobs.engine.transactions import Action as Intent
from syncjobs.engine.values import Leaving, Side

_REMOVALS = (Intent.DELETE, Intent.DISASSOCIATE)
"""What a person who insists on it wants removed, though the client may have it again."""

_BY_USER = (By.USER, Action.DELETE)
_RUNS = 3
"""Runs that can be under way at once: one, another worker's, and a delivery."""


def without_evidence(events: Sequence[Event], lists: Lists) -> Iterator[Violation]:
    """Yield deletions by the engine that nothing proves, and no person wanted."""
    mirror = Mirror()
    runs: list[int] = []
    wanted: set[tuple[str, str]] = set()
    for place, event in enumerate(events):
        if isinstance(event, RunBegan):
            runs = [*runs[1 - _RUNS :], place]
        if isinstance(event, Insisted) and event.action in _REMOVALS:
            wanted.add((event.entity, mirror.ids.get(event.id, event.id)))
        if isinstance(event, Write) and _is_deletion(event):
            is_wanted = event.side is Side.SERVER and (event.entity, mirror.key(event)) in wanted
            is_known = (
                is_wanted
                or _is_replaced(event, mirror, events, place, lists)
                or _is_hidden(event, mirror, lists)
                or _is_proved(event, mirror, events, runs[0], place)
            )
            if not is_known:
                yield Violation("I3", f"{event.entity} {event.id} was deleted on the {event.side}.")
        mirror.take(event)


def _is_replaced(
    write: Write, mirror: Mirror, events: Sequence[Event], place: int, lists: Lists
) -> bool:
    """Return whether a pair, or what users once deleted, goes and comes again.

    Where a person sets aside that it was made again, it need not come.
    """
    was_deleted = _was_deleted(write, mirror, events[:place])
    if was_deleted and lists.was_set_aside(write.entity, write.id):
        return True
    is_ours = write.entity == PAIR or was_deleted
    return is_ours and _comes_again(write, mirror, events[place + 1 :])


def _comes_again(write: Write, mirror: Mirror, later: Sequence[Event]) -> bool:
    """Return whether the engine makes again what it deleted, as users removed and made it.

    What a backup brings back in between, it deletes once more.
    """
    key = _key(mirror, write)
    after = (
        event
        for event in later
        if isinstance(event, Write)
        and (event.side, event.entity) == (write.side, write.entity)
        and event.by is not By.SYSTEM
        and not _is_deletion(event)
        and _key(mirror, event) == key
    )
    following = next(after, None)
    return following is not None and (following.by, following.action) == (By.ENGINE, Action.CREATE)


def _key(mirror: Mirror, write: Write) -> str:
    """Return the key of a record, also of a pair that is not seen before."""
    return mirror.pair(write) if write.entity == PAIR else mirror.key(write)


def _is_hidden(write: Write, mirror: Mirror, lists: Lists) -> bool:
    """Return whether users removed a pair and made it again in a row that nobody can read.

    Their removal was told; that the new row is the same pair, only its reading would tell.
    """
    if write.entity != PAIR or write.side is not Side.CLIENT:
        return False
    there = mirror.get(Side.SERVER, PAIR, mirror.key(write)) or {}
    return there.get(f"{PAIR}id") in lists.refused_ever - {write.id}


def _was_deleted(write: Write, mirror: Mirror, before: Sequence[Event]) -> bool:
    """Return whether users of the client once deleted what is deleted on the server.

    Such a deletion, taken back since, is delivered with their new record after it where it was
    sent before, and nobody knows whether it was carried out.
    """
    key = mirror.key(write)
    return write.side is Side.SERVER and any(
        (event.side, event.entity) == (Side.CLIENT, write.entity)
        and (event.by, event.action) == _BY_USER
        and mirror.key(event) == key
        for event in before
        if isinstance(event, Write)
    )


def _is_deletion(write: Write) -> bool:
    return write.by is By.ENGINE and write.action is Action.DELETE


def _is_proved(
    write: Write, mirror: Mirror, events: Sequence[Event], first: int, place: int
) -> bool:
    key = mirror.key(write)
    if _proves(write, key, mirror):
        return True
    then = replayed(events[:first])
    return any(_proves(write, key, then) for _ in _since(then, events[first:place]))


def _since(mirror: Mirror, events: Iterable[Event]) -> Iterator[None]:
    yield
    for event in events:
        mirror.take(event)
        yield


def _proves(write: Write, key: str, mirror: Mirror) -> bool:
    if write.side is Side.SERVER:
        return mirror.is_gone_by_user(Side.CLIENT, write.entity, key)
    rules = mirror.rules(write.entity)
    if mirror.get(Side.SERVER, write.entity, key) is None:
        return rules.deletes
    is_outside = not mirror.is_inside(write.entity, key)
    return is_outside and rules.deletes and rules.leaving is Leaving.DELETE
