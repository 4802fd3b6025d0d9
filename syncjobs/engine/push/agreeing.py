"""What both sides agree on: before a delivery, and after it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime

from organizations.records import Row
from syncjobs.engine import transactions
from syncjobs.engine.conflicts import ServerChange
from syncjobs.engine.plan import is_untouched
from syncjobs.engine.push.cases import Case, Settle
from syncjobs.engine.push.ends import ServerRecord
from syncjobs.engine.push.rows import over
from syncjobs.engine.transactions import Status, Transaction
from syncjobs.engine.values import NOT_TOLD, NOTHING_AGREED, TAKEN_BACK, LinkRow, LinkState

BEFORE = "It was delivered before; the answer had been lost."
ALIKE = "The server has these values already."
GONE = "The server does not have it any more."
_MODIFIED = "modifiedon"


def agreed(
    case: Case, server_version: int, server_digest: str, *, is_whole: bool = True
) -> LinkRow:
    """Return the link after a delivery.

    Its digest is the client's record, so that the next pull brings what the server made of it;
    also where an older change is delivered on a person's wish, and the client has the server's
    values by now, or only saved it again. Where the client has a newer change that was set aside,
    the server's record replaces it, whatever that is. Where the client's record has more than was
    delivered, the digest is the server's, and the client's version is not told: so a pull in
    between leaves it alone. While more is to follow the digest is the server's, and the version the
    client's only where what follows is older than the client's record.
    """
    transaction, client, link = case.transaction, case.client, case.link
    if is_written_back(case):
        return LinkRow(
            case.server_id, transaction.client_id, server_version, TAKEN_BACK, NOTHING_AGREED
        )
    is_current = client is not None and client.version == transaction.version
    is_kept = client is not None and (
        case.is_touched or (link is not None and is_untouched(client, link))
    )
    if case.is_followed or not is_whole:
        is_older = is_kept and not is_current
        is_told = is_current and is_whole and not _are_newer(case)
        version = client.version if client and (is_older or is_told) else NOT_TOLD
        digest = server_digest
    elif client is not None and (is_current or is_kept):
        version, digest = client.version, client.digest
    else:
        version = transaction.version if client is None else NOT_TOLD
        digest = NOTHING_AGREED if case.is_aside else server_digest
    return LinkRow(case.server_id, transaction.client_id, server_version, version, digest)


def _are_newer(case: Case) -> bool:
    """Return whether what follows is of the record as the client has it now, or later."""
    return any(later.version >= case.transaction.version for later in case.followers)


def is_written_back(case: Case) -> bool:
    """Return whether a record that both sides lost is made again on the server.

    The server's lost to the client's deletion, or the client's was deleted while a person was
    asked, or before it was delivered, and a person wants it all the same. Then the next pull
    brings it.
    """
    transaction, link = case.transaction, case.link
    match transaction.action:
        case transactions.Action.CREATE:
            is_again = transaction.based_on > 0 or case.is_gone
        case transactions.Action.UPDATE:
            is_again = case.server is None or case.is_gone
        case transactions.Action.ASSOCIATE:
            is_again = transaction.version > transaction.first_version or case.is_gone
        case _:
            is_again = False
    is_again = is_again or (link is not None and link.client_version == TAKEN_BACK)
    return is_again and case.client is None and not case.is_followed


def still_unseen(case: Case, link: LinkRow, row: Row) -> LinkRow:
    """Return the link after a delivery to a record that the server had changed meanwhile.

    `row` is the server's record now, in the client's terms. Where it has what the client has
    not, the server stays at the version that was agreed on: a later change of the client meets
    what it has not seen as a conflict, and the next pull brings it.
    """
    client, before = case.client, case.link
    is_current = client is not None and client.version == case.transaction.version
    if is_written_back(case) or (is_current and _has_all(case, row)):
        return link
    version = before.server_version if before is not None else 0
    agreed_on = before.digest if before is not None else NOTHING_AGREED
    is_last = is_current and not case.is_followed
    return link._replace(server_version=version, digest=link.digest if is_last else agreed_on)


def _has_all(case: Case, row: Row) -> bool:
    """Return whether the client has all that the server has, but for what only that writes."""
    mine = case.client.row if case.client is not None else ()
    return all(
        row[place] == mine[place]
        for name, place in case.ends.place.items()
        if place and case.ends.is_writable(name, creating=False)
    )


def delivered(case: Case, server: ServerRecord) -> Settle:
    """Settle one whose values the server has."""
    link = agreed(case, server.version, server.digest)
    client, is_same = case.client, not case.is_followed
    is_current = client is not None and client.version == case.transaction.version
    if (is_same and is_current) or not _is_ours(case, server):
        link = still_unseen(case, link, server.row)
    is_known = case.link is None or case.link.server_version == server.version
    return Settle(
        status=Status.PROCESSED,
        why=BEFORE if case.transaction.attempts else ALIKE,
        link=link,
        reads_again=(is_known or is_written_back(case)) and link.digest != server.digest,
    )


def _is_ours(case: Case, server: ServerRecord) -> bool:
    """Return whether the server's record is what was agreed on, but for what was delivered.

    Else a later change of the client, which waits behind, has not seen all of it either. What
    a create did not send may be the server's default: that counts where it would be replaced.
    """
    link, told = case.link, case.transaction.changes
    if link is None:
        others = _not_sent(case, server)
        return not any(_replaces(later, others) for later in case.followers)
    if server.digest == link.digest:
        return True
    if told is None or not case.ends.is_told(told):
        return False
    old = {name: change.old for name, change in told.items() if name in case.ends.place}
    return case.ends.layout.digests([over(server.row, old, case.ends.place)])[0] == link.digest


def _not_sent(case: Case, server: ServerRecord) -> set[str]:
    """Return the columns that have values which the transaction did not give."""
    told = case.transaction.changes
    return {
        name
        for name, place in case.ends.place.items()
        if place and told is not None and name not in told
        if server.row[place] is not None and case.ends.is_writable(name, creating=False)
    }


def _replaces(later: Transaction, columns: AbstractSet[str]) -> bool:
    return bool(columns) and (later.changes is None or not columns.isdisjoint(later.changes))


def disagreed(case: Case) -> LinkRow | None:
    """Return the link of a record whose change on the client loses; None: neither had it linked.

    The server's record must be seen as another than the client's, whatever it is by the time it
    is pulled: also where it did not change, or where a backup brings back what was agreed on.
    """
    link, transaction = case.link, case.transaction
    if link is not None:
        return link._replace(digest=NOTHING_AGREED)
    if case.client is None:
        return None
    return LinkRow(case.server_id, transaction.client_id, 0, transaction.version, NOTHING_AGREED)


def is_unopposed(case: Case, server: ServerRecord) -> bool:
    """Return whether nothing stands against the change.

    The server's record is as it was when both sides last agreed, and no person has decided about
    just this record of the server: that holds, though there is nothing to decide any more.
    """
    asked, choices = case.transaction.conflict, case.transaction.choices
    if choices and asked is not None and asked.server_version == server.version:
        return False
    return _is_agreed(case, server)


def _is_agreed(case: Case, server: ServerRecord) -> bool:
    link = case.link
    if link is None:
        return 0 < case.transaction.based_on == server.version
    is_told = case.ends.is_told(case.transaction.changes)
    if link.state != LinkState.CURRENT or (link.client_version == TAKEN_BACK and not is_told):
        return False  # what the client made in its place has seen nothing of the server's record
    return 0 < link.server_version == server.version or server.digest == link.digest


def server_change(case: Case) -> ServerChange:
    """Return what the server did to a record that is not as it was agreed on."""
    is_left = case.link is not None and case.link.state == LinkState.LEFT_FILTER
    return ServerChange.LEFT if is_left else ServerChange.CHANGED


def modified(case: Case, server: ServerRecord) -> datetime | None:
    """Return when the server says its record was changed last, if it does."""
    place = case.ends.place.get(_MODIFIED)
    text = server.row[place] if place is not None else None
    return datetime.fromisoformat(str(text)) if text else None
