"""Decisions on deletes."""

from __future__ import annotations

from organizations.records import Action
from syncjobs.engine.conflicts import Meeting, ServerChange, rule_on
from syncjobs.engine.push.agreeing import GONE, disagreed, is_unopposed, modified, server_change
from syncjobs.engine.push.cases import Case, Decision, Send, Settle
from syncjobs.engine.push.clashing import asked_about, conflict_of, set_aside
from syncjobs.engine.push.ends import ServerRecord
from syncjobs.engine.push.rows import Changes
from syncjobs.engine.transactions import Changed, Status
from syncjobs.engine.values import Side


def delete(case: Case, server: ServerRecord | None) -> Decision:
    """Decide on a delete."""
    if case.ends.is_matched:
        return Settle(status=Status.ARCHIVED, why=_not_deleted(case))
    if server is None:
        return Settle(
            status=Status.PROCESSED, why=GONE if case.link else "", drops=case.link is not None
        )
    if is_unopposed(case, server):
        return remove(case, server)
    meeting = Meeting(
        server=server_change(case),
        is_delete=True,
        version=server.version,
        client_at=case.transaction.at,
        server_at=modified(case, server),
        asked=case.transaction.conflict,
        choices=case.transaction.choices,
    )
    ruling = rule_on(meeting, case.ends.task.conflict_rule)
    conflict = conflict_of(case, server, {}, case.ends.layout.compared)
    if ruling.winner is Side.SERVER:
        is_left = meeting.server is ServerChange.LEFT
        return set_aside(ruling, conflict, drops=is_left, link=None if is_left else disagreed(case))
    if ruling.winner is None:
        return asked_about(ruling, conflict)
    lost = _values(case, server)
    return remove(case, server, why=ruling.why, is_conflict=True, lost=lost)


def _values(case: Case, server: ServerRecord) -> Changes:
    """Return all the server has of the record, as what would make it again."""
    values = zip(case.ends.layout.columns[1:], server.row[1:], strict=True)
    return {name: Changed(None, value) for name, value in values if value is not None}


def remove(
    case: Case,
    server: ServerRecord,
    *,
    why: str = "",
    is_conflict: bool = False,
    lost: Changes | None = None,
) -> Send:
    """Return the removal of a record, or of a pair."""
    return Send(
        action=Action.DELETE,
        row=(case.server_id,),
        expected=server.version,
        before=server.own,
        why=why,
        is_conflict=is_conflict,
        lost=lost or {},
    )


def _not_deleted(case: Case) -> str:
    return (
        f"Records of '{case.ends.name}' exist on both sides by themselves; the server's was not "
        "deleted."
    )
