"""Conflicts that are not carried out: set aside, or asked about."""

from __future__ import annotations

from collections.abc import Iterable

from syncjobs.engine.conflicts import Ruling
from syncjobs.engine.push.cases import Case, Settle
from syncjobs.engine.push.ends import ServerRecord
from syncjobs.engine.push.rows import Changes
from syncjobs.engine.transactions import Conflict, Status
from syncjobs.engine.values import LinkRow

CONFLICT = "Conflict"
"""The code of a conflict that waits for a person."""


def set_aside(
    ruling: Ruling, conflict: Conflict, *, drops: bool = False, link: LinkRow | None = None
) -> Settle:
    """Settle one that loses; `link` as it is from now on, None: as it was, or none."""
    return Settle(
        status=Status.ARCHIVED,
        why=ruling.why,
        is_conflict=True,
        conflict=conflict,
        drops=drops,
        link=link,
        reads_again=not drops,
    )


def asked_about(ruling: Ruling, conflict: Conflict) -> Settle:
    """Settle one that a person decides."""
    return Settle(
        status=Status.ERROR,
        code=CONFLICT,
        message=ruling.why,
        is_conflict=True,
        conflict=conflict,
    )


def conflict_of(
    case: Case, server: ServerRecord | None, changes: Changes, columns: Iterable[str]
) -> Conflict:
    """Return what both sides have in these columns."""
    names, place = sorted(columns), case.ends.place
    return Conflict(
        base={name: changes[name].old for name in names if name in changes},
        server={} if server is None else {name: server.row[place[name]] for name in names},
        client={name: changes[name].new for name in names if name in changes},
        server_version=0 if server is None else server.version,
    )
