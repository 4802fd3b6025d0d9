"""What both sides agree on: before a delivery, and after it."""

from __future__ import annotations

from datetime import datetime

from syncjobs.engine import transactions
from syncjobs.engine.conflicts import ServerChange
from syncjobs.engine.plan import is_untouched
from syncjobs.engine.push.cases import Case, Settle
from syncjobs.engine.push.ends import ServerRecord
from syncjobs.engine.transactions import Status
from syncjobs.engine.values import LinkRow, LinkState

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
    values by now. Where the client's record has more than was delivered, it is the server's, and
    the client's version is not that of the link: so a pull in between leaves it alone.
    """
    transaction, client, link = case.transaction, case.client, case.link
    if case.is_followed or not is_whole:
        version, digest = 0, server_digest
    elif client is not None and (
        client.version == transaction.version or (link is not None and is_untouched(client, link))
    ):
        version, digest = client.version, client.digest
    else:
        version, digest = transaction.version, server_digest
    return LinkRow(case.server_id, transaction.client_id, server_version, version, digest)


def is_written_back(case: Case) -> bool:
    """Return whether a record of the server that lost to the client's deletion is made again.

    The client does not have it: without a link, the next pull brings it.
    """
    transaction = case.transaction
    is_create = transaction.action is transactions.Action.CREATE
    return is_create and transaction.based_on > 0 and case.client is None


def delivered(case: Case, server: ServerRecord) -> Settle:
    """Settle one whose values the server has."""
    if is_written_back(case):
        why = BEFORE if case.transaction.attempts else ALIKE
        return Settle(status=Status.PROCESSED, why=why, reads_again=True)
    link = agreed(case, server.version, server.digest)
    is_known = case.link is None or case.link.server_version == server.version
    return Settle(
        status=Status.PROCESSED,
        why=BEFORE if case.transaction.attempts else ALIKE,
        link=link,
        reads_again=is_known and link.digest != server.digest,
    )


def is_agreed(case: Case, server: ServerRecord) -> bool:
    """Return whether the server's record is as it was when both sides last agreed."""
    link = case.link
    if link is None:
        return 0 < case.transaction.based_on == server.version
    if link.state != LinkState.CURRENT:
        return False
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
