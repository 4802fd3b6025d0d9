"""One client change on its way to the server, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from organizations.records import Value
from syncjobs.engine.values import Side


class Action(StrEnum):
    """What the client did; values are stored. The last two are of pairs of an N:N relationship."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ASSOCIATE = "associate"
    DISASSOCIATE = "disassociate"


class Status(StrEnum):
    """Where a transaction is in its life; values are stored.

    Pending waits for its delivery, Processed was delivered, Error was not accepted and waits for
    a person, Archived will never be delivered.
    """

    PENDING = "pending"
    PROCESSED = "processed"
    ERROR = "error"
    ARCHIVED = "archived"


LOST = "Lost"
"""The code of an Archived one that holds values of the server which the client's replaced."""

UNREADABLE = "Unreadable"
"""The code of one in Error whose record the server has, and nobody can read."""


class Changed(NamedTuple):
    """A column before and after, in the client's terms."""

    old: Value
    new: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """What both sides have, by column: only those that were changed on the server too.

    `server` is empty if the server deleted the record; then `server_version` is 0.
    """

    base: Mapping[str, Value]
    server: Mapping[str, Value]
    client: Mapping[str, Value]
    server_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One client change waiting for the server, or delivered to it.

    `id` is 0 before it is saved; `entity` is the id of the SyncedEntity. `changes` are the columns
    that were changed; None: it is not known which, so that all are sent. A create's old values
    are null; deletes and pairs that were removed have none. `version` is the client's of the
    newest change folded in, `first_version` of the oldest: transactions of one record are
    delivered in its order. `based_on` is the server's version that was agreed on last (0: none).
    `choices` are a person's, by column, for the conflict it has. `side` is whose values it holds:
    the server's, where they lost to the client's.
    """

    entity: int
    client_id: str
    action: Action
    version: int
    first_version: int
    changes: Mapping[str, Changed] | None = None
    id: int = 0
    based_on: int = 0
    actor: str = ""
    at: datetime | None = None
    status: Status = Status.PENDING
    attempts: int = 0
    next_attempt: datetime | None = None
    code: str = ""
    message: str = ""
    conflict: Conflict | None = None
    choices: Mapping[str, Side] = field(default_factory=dict)
    side: Side = Side.CLIENT

    @property
    def is_waiting(self) -> bool:
        """Whether it may still be delivered."""
        return self.status in (Status.PENDING, Status.ERROR)

    @property
    def is_servers(self) -> bool:
        """Whether it only keeps values of the server that lost, and is no change of the client."""
        return self.status is Status.ARCHIVED and self.side is Side.SERVER
