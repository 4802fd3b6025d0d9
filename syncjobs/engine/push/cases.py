"""One transaction with all that is known of its record, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connections.errors import Rejected
from organizations.records import Action, Row
from syncjobs.engine.plan import ClientRecord
from syncjobs.engine.push.ends import Ends, ServerRecord
from syncjobs.engine.transactions import Changed, Conflict, Status, Transaction
from syncjobs.engine.values import LinkRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A transaction that is to be delivered now.

    `late` are columns that follow in a second pass. `followers` are later changes of the record,
    which wait behind it. `is_gone`: the client is known to have deleted it since. `is_aside`: the
    client has a newer change, which was set aside. `is_touched`: the client saved it again since,
    and all that it did to it is collected, but there was nothing to carry. `is_looked`: the server
    was asked for the record, so that none means it has none. `tried` is how often earlier pushes
    tried it: then it may have been delivered.
    """

    transaction: Transaction
    ends: Ends
    link: LinkRow | None = None
    client: ClientRecord | None = None
    server: ServerRecord | Rejected | None = None
    is_looked: bool = False
    late: frozenset[str] = frozenset()
    followers: Sequence[Transaction] = ()
    is_gone: bool = False
    is_aside: bool = False
    is_touched: bool = False
    tried: int = 0

    @property
    def is_followed(self) -> bool:
        """Whether a later change of the record waits."""
        return bool(self.followers)

    @property
    def server_id(self) -> str:
        """The record's id on the server."""
        if self.link is not None:
            return self.link.server_id
        return self.ends.server_id(self.transaction.client_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Write this to the server.

    `row` is in the server's terms, `sent` in the client's, both in the layout's order; a delete
    has the id only. `changed`: the columns an update writes. `before` is what the write meets.
    `asked` waits for a person, while the rest goes; `conflict` shows it. `lost` are the server's
    values that lose, by column, old and new as of a change that would write them back. `late` are
    the columns of each write that follows.
    """

    action: Action
    row: Row
    expected: int
    sent: Row = ()
    changed: frozenset[str] | None = None
    before: Row = ()
    why: str = ""
    is_conflict: bool = False
    asked: frozenset[str] = frozenset()
    conflict: Conflict | None = None
    lost: Mapping[str, Changed] = field(default_factory=dict)
    late: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Nothing is written: the transaction gets this status.

    `link`: the new link, `drops`: the link goes. `reads_again`: the record is to be read by the
    next pull, whatever the checkpoint says.
    """

    status: Status
    why: str = ""
    code: str = ""
    message: str = ""
    link: LinkRow | None = None
    drops: bool = False
    reads_again: bool = False
    is_conflict: bool = False
    conflict: Conflict | None = None


Decision = Send | Settle
"""What is to be done about a case."""
