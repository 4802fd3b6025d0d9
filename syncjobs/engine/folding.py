"""Later changes of a record fold into its waiting transaction, or queue behind it.

Nothing here reads or writes. The newest waiting transaction of the record counts.

=================  ================================================================
newest waiting     what becomes of a later change
=================  ================================================================
none               waits by itself
being attempted    queues behind: the server may have it already
create             update: one create. Delete: nothing is left, both are set aside; one
                   delete, where it is known that the server has the record
update             update: one update; a column back at its old value falls out, unless an
                   attempt before it may have carried it, and where none is left it is set
                   aside. Delete: one delete
delete             made again: an update of all columns, because the server has it
pair made          removed: set aside
pair removed       made again: set aside
the server's       set aside again, and the one before it counts: they would be lost in it
=================  ================================================================

One in Error is Pending again with the change in it: it may be what was missing. Only a conflict
that a person was asked about stays, with the client's new values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from organizations.records import Value
from syncjobs.engine.transactions import LOST, UNREADABLE, Action, Changed, Status, Transaction
from syncjobs.engine.values import Side

Changes = Mapping[str, Changed] | None

MADE_AND_DELETED = "It was made and deleted again before it was delivered."
CHANGED_SINCE = (
    "The record was changed on the client before the server's values were written back. Set to "
    "Pending again, they are."
)
CANCELLED_OUT = "Later changes put everything back as it was before it was delivered."


@dataclass(frozen=True, slots=True)
class Folded:
    """The waiting transactions of one record afterwards, and those that were set aside."""

    waiting: tuple[Transaction, ...]
    archived: tuple[Transaction, ...] = field(default=())


def fold(waiting: Sequence[Transaction], change: Transaction, *, is_linked: bool = False) -> Folded:
    """Return what the record's waiting transactions, oldest first, become with a later change.

    `is_linked`: the server has the record, as far as is known, whatever waits.
    """
    if not waiting or is_attempted(waiting[-1]):
        return Folded((*waiting, change))
    newest = waiting[-1]
    if newest.side is Side.SERVER:
        rest = fold(waiting[:-1], change, is_linked=is_linked)
        kept = replace(set_aside(newest, CHANGED_SINCE), code=LOST)
        return replace(rest, archived=(*rest.archived, kept))
    is_there, older = is_linked or _is_there(newest), tuple(waiting[:-1])
    is_sent = bool(older) and _may_be_sent_whole(older[-1], is_linked=is_linked)
    return _kept(older, _merged(newest, change, is_there=is_there, is_sent=is_sent))


def is_attempted(transaction: Transaction) -> bool:
    """Return whether it may be on the server already, although no answer says so."""
    return transaction.status is Status.PENDING and transaction.attempts > 0


def _may_be_sent_whole(older: Transaction, *, is_linked: bool) -> bool:
    """Return whether an attempt may have made the record again, with all that the client had."""
    return is_attempted(older) and (is_linked or older.action is Action.UPDATE)


def _is_there(transaction: Transaction) -> bool:
    """Return whether it failed because the server has the record already."""
    is_met = transaction.conflict is not None or transaction.code == UNREADABLE
    return transaction.status is Status.ERROR and is_met


def set_aside(transaction: Transaction, why: str) -> Transaction:
    """Return it as one that will never be delivered, and why."""
    return replace(
        transaction,
        status=Status.ARCHIVED,
        next_attempt=None,
        code="",
        message=why,
        conflict=None,
        choices={},
    )


def _kept(older: tuple[Transaction, ...], merged: Transaction) -> Folded:
    if merged.status is Status.ARCHIVED:
        return Folded(older, (merged,))
    return Folded((*older, merged))


def _merged(
    first: Transaction, change: Transaction, *, is_there: bool, is_sent: bool
) -> Transaction:
    whole = replace(first, version=change.version, actor=change.actor, at=change.at)
    match first.action, change.action:
        case (Action.CREATE, Action.DELETE) | (Action.ASSOCIATE, Action.DISASSOCIATE) if (
            not is_there
        ):
            return set_aside(whole, MADE_AND_DELETED)
        case (Action.DISASSOCIATE, Action.ASSOCIATE):
            return set_aside(whole, CANCELLED_OUT)
        case (Action.CREATE, Action.CREATE) | (Action.ASSOCIATE, Action.ASSOCIATE):
            return _again(replace(whole, changes=change.changes))
        case (_, Action.DELETE | Action.DISASSOCIATE):
            return _again(replace(whole, action=change.action, changes=None))
        case (Action.CREATE, _):
            return _again(replace(whole, changes=_of_create(first.changes, change.changes)))
        case (Action.UPDATE, Action.UPDATE):
            changes = _of_update(first.changes, change.changes, is_sent=is_sent)
            return _updated(whole, changes)
    # The client lost the record and has it again: how it differs from the server's is not known.
    return _again(replace(whole, action=Action.UPDATE, changes=None))


def _updated(whole: Transaction, changes: Changes) -> Transaction:
    if changes is not None and not changes:
        return set_aside(replace(whole, changes={}), CANCELLED_OUT)
    return _again(replace(whole, changes=changes))


def _of_create(first: Changes, later: Changes) -> Changes:
    both = _joined(first, later)
    if both is None:
        return None
    return {name: Changed(None, pair.new) for name, pair in both.items() if pair.new is not None}


def _of_update(first: Changes, later: Changes, *, is_sent: bool) -> Changes:
    """Return both changes in one; what came to nothing falls out, unless the server may have it."""
    both = _joined(first, later)
    if both is None or later is None:
        return None
    changed = {name: pair for name, pair in both.items() if pair.old != pair.new}
    back = {name: later[name] for name in both.keys() - changed.keys()} if is_sent else {}
    return changed | back


def _joined(first: Changes, later: Changes) -> Changes:
    if first is None or later is None:
        return None
    joined = dict(first)
    for name, (old, new) in later.items():
        joined[name] = Changed(first[name].old if name in first else old, new)
    return joined


def _again(transaction: Transaction) -> Transaction:
    """Return it as Pending, due at once; a conflict that asks goes on asking.

    What the server has already was attempted, whatever became of it.
    """
    if transaction.status is Status.ERROR and transaction.conflict is not None:
        asking = _asking(transaction)
        if asking is not None:
            return asking
    return replace(
        transaction,
        status=Status.PENDING,
        attempts=transaction.attempts if _is_there(transaction) else 0,
        next_attempt=None,
        code="",
        message="",
        conflict=None,
        choices={},
    )


def _asking(transaction: Transaction) -> Transaction | None:
    """Return the question with the client's new values; None if nothing is left to ask.

    A choice was made for other values, so it is forgotten.
    """
    conflict, changes = transaction.conflict, transaction.changes
    if conflict is None:
        return None
    client: dict[str, Value]
    if transaction.action is Action.DELETE:
        client = {}
    elif changes is None:
        client = dict(conflict.client)
    else:
        client = {name: pair.new for name, pair in changes.items() if name in conflict.client}
        if not client and conflict.server:
            return None
    return replace(transaction, conflict=replace(conflict, client=client), choices={})
