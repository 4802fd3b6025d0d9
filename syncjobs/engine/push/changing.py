"""Decisions on creates and updates of records."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from organizations.records import Action, Row, Value
from syncjobs.engine import transactions
from syncjobs.engine.conflicts import Meeting, Ruling, ServerChange, rule_on
from syncjobs.engine.push.agreeing import (
    delivered,
    disagreed,
    is_unopposed,
    modified,
    server_change,
)
from syncjobs.engine.push.cases import Case, Decision, Send, Settle
from syncjobs.engine.push.clashing import asked_about, conflict_of, set_aside
from syncjobs.engine.push.ends import ServerRecord
from syncjobs.engine.push.rows import Changes, news_of, over
from syncjobs.engine.transactions import Changed, Conflict, Status
from syncjobs.engine.values import Side

MATCHED = "NotMade"
"""The code of a record that exists on both sides by itself, and is missing on the server."""


def record(case: Case, server: ServerRecord | None) -> Decision:
    """Decide on a create or an update."""
    changes = changes_of(case)
    if changes is None:
        return Settle(status=Status.ARCHIVED, why="The client does not have the record any more.")
    if server is not None:
        return _update(case, server, changes)
    if case.ends.is_matched:
        return Settle(status=Status.ERROR, code=MATCHED, message=_not_made(case))
    is_create = case.transaction.action is transactions.Action.CREATE
    if case.link is not None or not (is_create or case.client):
        return _deleted(case, changes)
    if is_create:
        return _create(case, news_of(changes), late=case.late)
    return _made_again(case, news_of(changes))


def changes_of(case: Case) -> Changes | None:
    """Return what changed; of what is not known, everything as it is now. None: nothing is."""
    told = case.transaction.changes
    if told is not None:
        return case.ends.changes(told)
    if case.client is None:
        return None
    columns = case.ends.layout.columns[1:]
    return {
        name: Changed(None, value) for name, value in zip(columns, case.client.row[1:], strict=True)
    }


def _update(case: Case, server: ServerRecord, changes: Changes) -> Decision:
    ends, news = case.ends, news_of(changes)
    differing = {
        name
        for name, value in news.items()
        if ends.is_writable(name, creating=False) and server.row[ends.place[name]] != value
    }
    if not differing:
        return delivered(case, server)
    columns = ends.together(differing)
    back = ends.together(
        _put_back(case, server, differing) | _unseen(case, server, changes, differing)
    )
    if is_unopposed(case, server):
        return _change(case, server, news, columns, lost=_replaced(case, server, news, back))
    meeting = Meeting(
        server=server_change(case),
        is_delete=False,
        version=server.version,
        columns=columns,
        both=ends.together(_changed_by_both(case, server, changes, differing)),
        client_at=case.transaction.at,
        server_at=modified(case, server),
        asked=case.transaction.conflict,
        choices=case.transaction.choices,
    )
    ruling = rule_on(meeting, ends.task.conflict_rule)
    return _updated_by(ruling, case, server, changes, meeting, meeting.both | back)


def _changed_by_both(
    case: Case, server: ServerRecord, changes: Changes, differing: AbstractSet[str]
) -> set[str]:
    transaction, place = case.transaction, case.ends.place
    # Of a create that met its record, nobody knows what the record was before.
    is_create = transaction.action is transactions.Action.CREATE
    if is_create or not case.ends.is_told(transaction.changes):
        return set(differing)
    return {name for name in differing if server.row[place[name]] != changes[name].old}


def _put_back(case: Case, server: ServerRecord, differing: AbstractSet[str]) -> AbstractSet[str]:
    """Return the columns that users of the server may have put back since an earlier attempt.

    Nobody knows whether that was carried out: so what is there may be newer than the change.
    """
    is_still = case.link is not None and case.link.server_version == server.version
    return frozenset() if is_still or not case.tried else differing


def _unseen(
    case: Case, server: ServerRecord, changes: Changes, differing: AbstractSet[str]
) -> set[str]:
    """Return the columns whose values the client never had, though its change is based on them.

    The server made them, or users of it did while nobody knew whether it has the record, and no
    pull has brought them yet.
    """
    told, based_on = case.transaction.changes, case.transaction.based_on
    if based_on != server.version or not case.ends.is_told(told):
        return set()
    there = {name: server.row[case.ends.place[name]] for name in differing}
    return {name for name, value in there.items() if value not in (None, changes[name].old)}


def _updated_by(
    ruling: Ruling,
    case: Case,
    server: ServerRecord,
    changes: Changes,
    meeting: Meeting,
    losing: frozenset[str],
) -> Decision:
    conflict = conflict_of(case, server, changes, ruling.asked or meeting.columns)
    if ruling.winner is Side.SERVER:
        return set_aside(ruling, conflict, link=disagreed(case))
    if not ruling.columns:
        return asked_about(ruling, conflict)
    news = news_of(changes)
    return _change(
        case,
        server,
        news,
        ruling.columns,
        why=ruling.why,
        is_conflict=True,
        asked=ruling.asked,
        conflict=conflict if ruling.asked else None,
        lost=_replaced(case, server, news, ruling.columns & losing),
    )


def _replaced(
    case: Case, server: ServerRecord, news: Mapping[str, Value], columns: AbstractSet[str]
) -> Changes:
    """Return the server's values in these columns, as a change that would write them back."""
    there = {name: server.row[case.ends.place[name]] for name in columns}
    return {name: Changed(news.get(name, value), value) for name, value in there.items()}


def _change(
    case: Case,
    server: ServerRecord,
    news: Mapping[str, Value],
    columns: frozenset[str],
    *,
    why: str = "",
    is_conflict: bool = False,
    asked: frozenset[str] = frozenset(),
    conflict: Conflict | None = None,
    lost: Changes | None = None,
) -> Send:
    ends = case.ends
    kept = {name: value for name, value in news.items() if name in columns}
    sent = over(server.row, kept, ends.place)
    there = ends.to_server(sent, case.server_id)
    translated = {name: there[ends.place[name]] for name in columns}
    return Send(
        action=Action.UPDATE,
        row=over(server.own, translated, ends.place),
        expected=server.version,
        sent=sent,
        changed=columns,
        before=server.own,
        why=why,
        is_conflict=is_conflict,
        asked=asked,
        conflict=conflict,
        lost=lost or {},
    )


def _deleted(case: Case, changes: Changes) -> Decision:
    """Decide on a change of a record that the server deleted."""
    news = news_of(changes)
    meeting = Meeting(
        server=ServerChange.DELETED,
        is_delete=False,
        version=0,
        columns=frozenset(news),
        client_at=case.transaction.at,
        asked=case.transaction.conflict,
        choices=case.transaction.choices,
    )
    ruling = rule_on(meeting, case.ends.task.conflict_rule)
    conflict = conflict_of(case, None, changes, meeting.columns)
    if ruling.winner is Side.SERVER:
        return set_aside(ruling, conflict, link=disagreed(case) if case.link else None)
    if ruling.winner is None:
        return asked_about(ruling, conflict)
    return _made_again(case, news, ruling.why, is_conflict=True)


def _made_again(
    case: Case, news: Mapping[str, Value], why: str = "", *, is_conflict: bool = False
) -> Send:
    # The whole record goes; lookups that were not changed follow, because their targets may be
    # gone as well, and one that is refused must cost nothing else (design 5.1.2).
    client = case.client
    row = client.row if client is not None else ()
    whole = dict(zip(case.ends.layout.columns[1:], row[1:], strict=False)) | dict(news)
    doubtful = {item.column for item in case.ends.references(whole)} - set(news)
    _, owners = case.ends.last(whole)
    late = case.ends.together(doubtful - owners)
    return _create(case, whole, late=late | case.late, why=why, is_conflict=is_conflict)


def _create(
    case: Case,
    values: Mapping[str, Value],
    *,
    late: frozenset[str],
    why: str = "",
    is_conflict: bool = False,
) -> Send:
    ends = case.ends
    given = {
        name: value
        for name, value in values.items()
        if value is not None and ends.is_writable(name, creating=True)
    }
    follow = _following(case, given, late)
    held = frozenset().union(*follow)
    sent = over(empty(case), {n: v for n, v in given.items() if n not in held}, ends.place)
    return Send(
        action=Action.CREATE,
        row=ends.to_server(sent, case.server_id),
        expected=0,
        sent=sent,
        why=why,
        is_conflict=is_conflict,
        late=follow,
    )


def _following(
    case: Case, given: Mapping[str, Value], late: frozenset[str]
) -> tuple[frozenset[str], ...]:
    """Return what follows a create: its late lookups with state and status, then the owner.

    A record that is closed takes no more lookups, and one given away perhaps no more writes.
    """
    held = late & given.keys()
    if not held:
        return ()
    states, owners = case.ends.last(given)
    first = (held | states) - owners
    owner = case.ends.together(owners) if owners else frozenset()
    return tuple(names for names in (first, owner) if names)


def empty(case: Case) -> Row:
    """Return a row of the record that holds nothing."""
    return (case.transaction.client_id, *[None] * (len(case.ends.layout.columns) - 1))


def _not_made(case: Case) -> str:
    return (
        f"Records of '{case.ends.name}' exist on both sides by themselves and are not made by a "
        "synchronization. Make the record on the server, then set this to Pending."
    )
