"""I5: no write is caused by our own write.

Every transaction comes from a write of a user of the client, and the engine never writes what is
there already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from organizations.records import Action
from syncjobs.chaos.ledger import By, Event, Write
from syncjobs.chaos.oracle.lists import Lists
from syncjobs.chaos.oracle.mirror import told
from syncjobs.chaos.oracle.violation import Violation
from syncjobs.engine.transactions import Status
from syncjobs.engine.values import Side


def echoes(events: Sequence[Event], lists: Lists) -> Iterator[Violation]:
    """Yield transactions of our own making, and writes that changed nothing."""
    versions = {
        (event.entity, event.id, event.version)
        for event in events
        if isinstance(event, Write) and event.side is Side.CLIENT and event.by is not By.ENGINE
    }
    for entity, transactions in lists.transactions.items():
        for item in transactions:
            is_known = (entity, item.client_id, item.version) in versions
            if item.status is not Status.ARCHIVED and not is_known:
                yield Violation("I5", f"{item.action} {entity} {item.client_id} is no user's.")
    for event in events:
        if isinstance(event, Write) and event.by is By.ENGINE and _is_idle(event):
            yield Violation("I5", f"{event.entity} {event.id} was written as it was.")


def _is_idle(write: Write) -> bool:
    if write.action is not Action.UPDATE:
        return False
    if write.side is Side.CLIENT:
        return not write.changed
    # The server writes by itself when it was modified.
    given = told(write.entity, {**(write.before or {}), **(write.after or {})})
    return not write.changed.keys() & given.keys()
