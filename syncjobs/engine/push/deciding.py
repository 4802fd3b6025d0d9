"""What is to be done about one transaction, by what both sides have: nothing here reads or writes.

=============  ===========================  ==================================================
transaction    record on the server         decision
=============  ===========================  ==================================================
create         none, or not asked for       create with its id
create,        has all values that are      delivered: an earlier answer was lost, or both
update         to be sent                   sides were changed alike
update         as it was agreed on          change the columns that differ
create,        changed, or left the filter  the conflict rule
update
update         none                         the conflict rule: the server deleted it
delete         none                         delivered
delete         as it was agreed on          delete
delete         changed, or left the filter  the conflict rule
associate      (not asked for)              make the pair; one that is there is as good
disassociate   none                         delivered
disassociate   there                        remove the pair
=============  ===========================  ==================================================

*As it was agreed on*: at the link's version, or with the link's digest again. Never is a record
written that may be there or not: an update that finds no record does not make it anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from connections.errors import Rejected
from organizations.records import Action, Row, Value
from syncjobs.engine import transactions
from syncjobs.engine.conflicts import Meeting, Ruling, ServerChange, rule_on
from syncjobs.engine.plan import is_untouched
from syncjobs.engine.push.cases import Case, Decision, Send, Settle
from syncjobs.engine.push.ends import ServerRecord
from syncjobs.engine.transactions import Changed, Conflict, Status
from syncjobs.engine.values import LinkRow, LinkState, Side

CONFLICT = "Conflict"
"""The code of a conflict that waits for a person."""
MATCHED = "NotMade"
_MODIFIED = "modifiedon"
_BEFORE = "It was delivered before; the answer had been lost."
_ALIKE = "The server has these values already."
_GONE = "The server does not have it any more."

Changes = Mapping[str, Changed]


def needs_look(case: Case) -> bool:
    """Return whether the server's record must be known before anything is sent."""
    action = case.transaction.action
    if action is transactions.Action.ASSOCIATE:
        return False
    is_new = action is transactions.Action.CREATE and case.link is None
    return not is_new or case.transaction.attempts > 0 or case.ends.is_matched


def decide(case: Case) -> Decision:
    """Return what is to be done. Raises Rejected if the transaction cannot be read."""
    if isinstance(case.server, Rejected):
        return Settle(
            status=Status.ERROR, code=case.server.code, message=f"On the server: {case.server}"
        )
    match case.transaction.action:
        case transactions.Action.CREATE | transactions.Action.UPDATE:
            return _record(case, case.server)
        case transactions.Action.DELETE:
            return _delete(case, case.server)
        case transactions.Action.ASSOCIATE:
            return _associate(case)
        case transactions.Action.DISASSOCIATE:
            return _disassociate(case, case.server)


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


def _record(case: Case, server: ServerRecord | None) -> Decision:
    changes = _changes(case)
    if changes is None:
        return Settle(status=Status.ARCHIVED, why="The client does not have the record any more.")
    if server is not None:
        return _update(case, server, changes)
    if case.ends.is_matched:
        return Settle(status=Status.ERROR, code=MATCHED, message=_not_made(case))
    is_new = case.transaction.action is transactions.Action.CREATE and case.link is None
    if not is_new:
        return _deleted(case, changes)
    return _create(case, _news(changes), late=case.late)


def _changes(case: Case) -> Changes | None:
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
    ends, news = case.ends, _news(changes)
    differing = {
        name
        for name, value in news.items()
        if ends.is_writable(name, creating=False) and server.row[ends.place[name]] != value
    }
    if not differing:
        return _delivered(case, server)
    columns = ends.together(differing)
    if _is_agreed(case, server):
        return _change(case, server, news, columns)
    # Of a create that met its record, nobody knows what the record was before.
    is_base_unknown = (
        case.transaction.changes is None or case.transaction.action is transactions.Action.CREATE
    )
    both = {
        name
        for name in differing
        if is_base_unknown or server.row[ends.place[name]] != changes[name].old
    }
    meeting = Meeting(
        server=_server_change(case),
        is_delete=False,
        version=server.version,
        columns=columns,
        both=ends.together(both),
        client_at=case.transaction.at,
        server_at=_modified(case, server),
        asked=case.transaction.conflict,
        choices=case.transaction.choices,
    )
    return _updated_by(rule_on(meeting, ends.task.conflict_rule), case, server, changes, meeting)


def _updated_by(
    ruling: Ruling, case: Case, server: ServerRecord, changes: Changes, meeting: Meeting
) -> Decision:
    conflict = _conflict(case, server, changes, ruling.asked or meeting.columns)
    if ruling.winner is Side.SERVER:
        return _set_aside(ruling, conflict)
    if not ruling.columns:
        return _asked(ruling, conflict)
    place, news = case.ends.place, _news(changes)
    lost = {
        name: Changed(news.get(name, server.row[place[name]]), server.row[place[name]])
        for name in ruling.columns & meeting.both
    }
    return _change(
        case,
        server,
        news,
        ruling.columns,
        why=ruling.why,
        is_conflict=True,
        asked=ruling.asked,
        conflict=conflict if ruling.asked else None,
        lost=lost,
    )


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
    sent = _over(server.row, kept, ends.place)
    there = ends.to_server(sent, case.server_id)
    translated = {name: there[ends.place[name]] for name in columns}
    return Send(
        action=Action.UPDATE,
        row=_over(server.own, translated, ends.place),
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
    news = _news(changes)
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
    conflict = _conflict(case, None, changes, meeting.columns)
    if ruling.winner is Side.SERVER:
        return _set_aside(ruling, conflict)
    if ruling.winner is None:
        return _asked(ruling, conflict)
    return _made_again(case, news, ruling)


def _made_again(case: Case, news: Mapping[str, Value], ruling: Ruling) -> Send:
    # The whole record goes; lookups that were not changed follow, because their targets may be
    # gone as well, and one that is refused must cost nothing else (design 5.1.2).
    client = case.client
    row = client.row if client is not None else ()
    whole = dict(zip(case.ends.layout.columns[1:], row[1:], strict=False)) | dict(news)
    doubtful = {item.column for item in case.ends.references(whole)} - set(news)
    _, owners = case.ends.last(whole)
    late = case.ends.together(doubtful - owners)
    return _create(case, whole, late=late | case.late, why=ruling.why, is_conflict=True)


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
    sent = _over(_empty(case), {n: v for n, v in given.items() if n not in held}, ends.place)
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


def _delete(case: Case, server: ServerRecord | None) -> Decision:
    if case.ends.is_matched:
        return Settle(status=Status.ARCHIVED, why=_not_deleted(case))
    if server is None:
        return Settle(
            status=Status.PROCESSED, why=_GONE if case.link else "", drops=case.link is not None
        )
    if _is_agreed(case, server):
        return _remove(case, server)
    meeting = Meeting(
        server=_server_change(case),
        is_delete=True,
        version=server.version,
        client_at=case.transaction.at,
        server_at=_modified(case, server),
        asked=case.transaction.conflict,
        choices=case.transaction.choices,
    )
    ruling = rule_on(meeting, case.ends.task.conflict_rule)
    conflict = _conflict(case, server, {}, case.ends.layout.compared)
    if ruling.winner is Side.SERVER:
        is_left = meeting.server is ServerChange.LEFT
        return _set_aside(ruling, conflict, drops=is_left)
    if ruling.winner is None:
        return _asked(ruling, conflict)
    lost = {
        name: Changed(None, value)
        for name, value in zip(case.ends.layout.columns[1:], server.row[1:], strict=True)
        if value is not None
    }
    return _remove(case, server, why=ruling.why, is_conflict=True, lost=lost)


def _remove(
    case: Case,
    server: ServerRecord,
    *,
    why: str = "",
    is_conflict: bool = False,
    lost: Changes | None = None,
) -> Send:
    return Send(
        action=Action.DELETE,
        row=(case.server_id,),
        expected=server.version,
        before=server.own,
        why=why,
        is_conflict=is_conflict,
        lost=lost or {},
    )


def _associate(case: Case) -> Decision:
    if case.link is not None and case.link.state != LinkState.SERVER_DELETED:
        return Settle(status=Status.PROCESSED, why=_ALIKE)
    changes = _changes(case)
    if changes is None:
        return Settle(status=Status.ARCHIVED, why="The client does not have the pair any more.")
    ends, pair = case.ends, case.ends.task.server.intersect
    both = {pair.attribute1, pair.attribute2} if pair is not None else set()
    given = {name: value for name, value in _news(changes).items() if name in both}
    sent = _over(_empty(case), given, ends.place)
    row = ends.to_server(sent, case.server_id)
    return Send(action=Action.CREATE, row=row, expected=0, sent=sent)


def _disassociate(case: Case, server: ServerRecord | None) -> Decision:
    if server is None:
        return Settle(
            status=Status.PROCESSED, why=_GONE if case.link else "", drops=case.link is not None
        )
    return _remove(case, server)


def _delivered(case: Case, server: ServerRecord) -> Settle:
    if is_written_back(case):
        why = _BEFORE if case.transaction.attempts else _ALIKE
        return Settle(status=Status.PROCESSED, why=why, reads_again=True)
    link = agreed(case, server.version, server.digest)
    is_known = case.link is None or case.link.server_version == server.version
    return Settle(
        status=Status.PROCESSED,
        why=_BEFORE if case.transaction.attempts else _ALIKE,
        link=link,
        reads_again=is_known and link.digest != server.digest,
    )


def _set_aside(ruling: Ruling, conflict: Conflict, *, drops: bool = False) -> Settle:
    return Settle(
        status=Status.ARCHIVED, why=ruling.why, is_conflict=True, conflict=conflict, drops=drops
    )


def _asked(ruling: Ruling, conflict: Conflict) -> Settle:
    return Settle(
        status=Status.ERROR,
        code=CONFLICT,
        message=ruling.why,
        is_conflict=True,
        conflict=conflict,
    )


def _conflict(
    case: Case, server: ServerRecord | None, changes: Changes, columns: Iterable[str]
) -> Conflict:
    names, place = sorted(columns), case.ends.place
    return Conflict(
        base={name: changes[name].old for name in names if name in changes},
        server={} if server is None else {name: server.row[place[name]] for name in names},
        client={name: changes[name].new for name in names if name in changes},
        server_version=0 if server is None else server.version,
    )


def _is_agreed(case: Case, server: ServerRecord) -> bool:
    """Return whether the server's record is as it was when both sides last agreed."""
    link = case.link
    if link is None:
        return 0 < case.transaction.based_on == server.version
    if link.state != LinkState.CURRENT:
        return False
    return 0 < link.server_version == server.version or server.digest == link.digest


def _server_change(case: Case) -> ServerChange:
    is_left = case.link is not None and case.link.state == LinkState.LEFT_FILTER
    return ServerChange.LEFT if is_left else ServerChange.CHANGED


def _modified(case: Case, server: ServerRecord) -> datetime | None:
    place = case.ends.place.get(_MODIFIED)
    text = server.row[place] if place is not None else None
    return datetime.fromisoformat(str(text)) if text else None


def _news(changes: Changes) -> dict[str, Value]:
    return {name: changed.new for name, changed in changes.items()}


def _empty(case: Case) -> Row:
    return (case.transaction.client_id, *[None] * (len(case.ends.layout.columns) - 1))


def _over(row: Row, values: Mapping[str, Value], place: Mapping[str, int]) -> Row:
    over = {place[name]: value for name, value in values.items()}
    return tuple(over.get(at, value) for at, value in enumerate(row))


def _not_made(case: Case) -> str:
    return (
        f"Records of '{case.ends.name}' exist on both sides by themselves and are not made by a "
        "synchronization. Make the record on the server, then set this to Pending."
    )


def _not_deleted(case: Case) -> str:
    return (
        f"Records of '{case.ends.name}' exist on both sides by themselves; the server's was not "
        "deleted."
    )
