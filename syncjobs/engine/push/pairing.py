"""Decisions on pairs of N:N relationships."""

from __future__ import annotations

from organizations.records import Action
from syncjobs.engine.push.agreeing import ALIKE, GONE
from syncjobs.engine.push.cases import Case, Decision, Send, Settle
from syncjobs.engine.push.changing import changes_of, empty
from syncjobs.engine.push.ends import ServerRecord
from syncjobs.engine.push.removing import remove
from syncjobs.engine.push.rows import news_of, over
from syncjobs.engine.transactions import Status
from syncjobs.engine.values import LinkState

_MADE_AGAIN = "The pair was made again since: the server's row is that of another on the client."


def associate(case: Case) -> Decision:
    """Decide on a pair that was made."""
    if case.link is not None and case.link.state != LinkState.SERVER_DELETED:
        return Settle(status=Status.PROCESSED, why=ALIKE)
    changes = changes_of(case)
    if changes is None:
        return Settle(status=Status.ARCHIVED, why="The client does not have the pair any more.")
    ends, pair = case.ends, case.ends.task.server.intersect
    both = {pair.attribute1, pair.attribute2} if pair is not None else set()
    given = {name: value for name, value in news_of(changes).items() if name in both}
    sent = over(empty(case), given, ends.place)
    row = ends.to_server(sent, case.server_id)
    return Send(action=Action.CREATE, row=row, expected=0, sent=sent)


def disassociate(case: Case, server: ServerRecord | None) -> Decision:
    """Decide on a pair that was removed."""
    if server is None:
        return Settle(
            status=Status.PROCESSED, why=GONE if case.link else "", drops=case.link is not None
        )
    if case.link is None:
        return Settle(status=Status.ARCHIVED, why=_MADE_AGAIN, reads_again=True)
    return remove(case, server)
