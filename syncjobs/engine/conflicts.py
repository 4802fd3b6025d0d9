"""Who wins where both sides changed a record since it was last carried: the decision table.

Nothing here reads or writes. *Both* are the columns that both sides changed, to different values.

========  ====================  ==================  ===============  =======================
rule      client changed,       client changed,     client deleted,  client changed or
          server changed        server deleted      server changed   deleted, server's left
                                                                     the filter
========  ====================  ==================  ===============  =======================
server    server                server              server           server
client    client                client: made again  client: deleted  client
newest    the later one         server              the later one    the later one
merge     client's columns go,  ask                 ask              changed: as if only
          both: ask                                                  changed; deleted: ask
ask       ask                   ask                 ask              ask
========  ====================  ==================  ===============  =======================

*Newest*: where a time is not known, and where both are of the same second (servers tell no
more), the server wins. Nobody tells when a record was deleted on the server. With *merge*, what
only the server changed comes with the next pull. A person who was asked decides for columns, or
for the whole record, but only for the server's version that was shown: if it moved since, the
question is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncjobs.engine.transactions import Conflict
from syncjobs.engine.values import ConflictRule, Side

WHOLE = ""
"""The name under which a choice counts for all columns that have none of their own."""


class ServerChange(StrEnum):
    """What the server did to a record that the client changed too."""

    CHANGED = "changed"
    DELETED = "deleted"
    LEFT = "left the filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A client change that met a change of the server.

    `columns` are those the client changed and the server can take, `both` those of them that the
    server changed too, to another value. `version` is the server's now, 0: deleted. `asked` and
    `choices` are what a person was shown, and what the person chose.
    """

    server: ServerChange
    is_delete: bool
    version: int
    columns: frozenset[str] = frozenset()
    both: frozenset[str] = frozenset()
    client_at: datetime | None = None
    server_at: datetime | None = None
    asked: Conflict | None = None
    choices: Mapping[str, Side] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Who wins, and why, in a sentence for the record's history.

    `winner` None: a person is asked. `columns` are the client's that go to the server, `asked`
    those that wait for a person while the others go.
    """

    winner: Side | None
    why: str
    columns: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()


def rule_on(meeting: Meeting, rule: ConflictRule) -> Ruling:
    """Return what becomes of a client change that met one of the server."""
    if meeting.choices and meeting.asked is not None:
        if meeting.asked.server_version == meeting.version:
            return _chosen(meeting)
        return _ask(meeting, "The server's record changed again since the choice was made")
    match rule:
        case ConflictRule.SERVER:
            return _server(meeting, "The rule says that the server wins")
        case ConflictRule.CLIENT:
            return _client(meeting, "The rule says that the client wins")
        case ConflictRule.NEWEST:
            return _newest(meeting)
        case ConflictRule.MERGE:
            return _merged(meeting)
        case ConflictRule.ASK:
            return _ask(meeting, "The rule says that a person decides")


def _newest(meeting: Meeting) -> Ruling:
    client, server = meeting.client_at, meeting.server_at
    if meeting.server is ServerChange.DELETED or client is None or server is None:
        return _server(meeting, "It is not known which change is the newer one: the server wins")
    told = f"client {client:%Y-%m-%d %H:%M:%S}, server {server:%Y-%m-%d %H:%M:%S}"
    if client.replace(microsecond=0) > server:
        return _client(meeting, f"The client's change is newer ({told})")
    return _server(meeting, f"The client's change is not newer ({told})")


def _merged(meeting: Meeting) -> Ruling:
    if meeting.is_delete or meeting.server is ServerChange.DELETED:
        return _ask(meeting, "A deletion cannot be merged")
    free = meeting.columns - meeting.both
    if not meeting.both:
        return Ruling(winner=Side.CLIENT, why=_told(meeting, "Merged by field"), columns=free)
    return Ruling(
        winner=None,
        why=_told(meeting, f"Both sides changed {_listed(meeting.both)}"),
        columns=free,
        asked=meeting.both,
    )


def _chosen(meeting: Meeting) -> Ruling:
    default = meeting.choices.get(WHOLE)
    chosen = {name: meeting.choices.get(name, default) for name in meeting.columns}
    columns = frozenset(name for name, side in chosen.items() if side is not Side.SERVER)
    sides = set(meeting.choices.values())
    is_whole = meeting.is_delete or meeting.server is ServerChange.DELETED
    is_client = Side.CLIENT in sides if is_whole else bool(columns)
    if not is_client:
        return _server(meeting, "A person chose the server's values")
    kept = meeting.columns if is_whole else columns
    return Ruling(winner=Side.CLIENT, why=_told(meeting, "A person chose"), columns=kept)


def _server(meeting: Meeting, reason: str) -> Ruling:
    return Ruling(winner=Side.SERVER, why=_told(meeting, reason))


def _client(meeting: Meeting, reason: str) -> Ruling:
    return Ruling(winner=Side.CLIENT, why=_told(meeting, reason), columns=meeting.columns)


def _ask(meeting: Meeting, reason: str) -> Ruling:
    return Ruling(winner=None, why=_told(meeting, reason), asked=meeting.columns)


def _told(meeting: Meeting, reason: str) -> str:
    """Say what met what, then the reason."""
    client = "deleted" if meeting.is_delete else "changed"
    server = {
        ServerChange.CHANGED: "changed on the server",
        ServerChange.DELETED: "deleted on the server",
        ServerChange.LEFT: "on the server it left the sync filter",
    }[meeting.server]
    return f"The record was {client} on the client, and {server}. {reason}."


def _listed(columns: AbstractSet[str]) -> str:
    return ", ".join(sorted(columns))
