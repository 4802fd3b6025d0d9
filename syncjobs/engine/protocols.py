"""What the engine needs from outside: a memory, and somebody to report to.

`syncjobs.state` implements `State` on database rows, `syncjobs.reporter` implements `Reporter`;
tests implement both in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from syncjobs.engine.plan import Waiting
from syncjobs.engine.transactions import Transaction
from syncjobs.engine.values import Counts, Images, LinkRow, Position, Problem


class IdSpool(Protocol):
    """Server ids of one entity, compared with its links outside the engine's memory."""

    def put(self, ids: Sequence[str]) -> None:
        """Add ids; one may come twice."""

    def entered(self, size: int) -> Iterator[Sequence[str]]:
        """Yield ids that were put and are not linked as CURRENT, `size` at a time."""

    def missing(self, size: int) -> Iterator[Sequence[str]]:
        """Yield ids that are linked as CURRENT and were not put, `size` at a time."""


class State(Protocol):
    """Links, checkpoints and the right to write them, for one connection and one run."""

    def page(self) -> AbstractContextManager[None]:
        """Open the transaction of one page.

        What is written inside (records of a hosted client, links, position) commits together.
        """

    def hold(self) -> None:
        """Take the lease for the rest of the page; raises LostLease if the run is not ours.

        Called inside `page`, after staging and before the first write (design 5.1.5).
        """

    def position(self, entity: int) -> Position:
        """Return how far the entity has been read."""

    def save_position(self, entity: int, position: Position) -> None:
        """Remember how far the entity has been read; inside `page` only."""

    def has_links(self, entity: int) -> bool:
        """Return whether any record of the entity is linked."""

    def links(self, entity: int, server_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        """Return the links of these server ids, by server id."""

    def links_by_client(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        """Return the links of these client ids, by client id."""

    def newest_links(self, entity: int, limit: int) -> Sequence[LinkRow]:
        """Return the links with the highest server versions, the highest first."""

    def save_links(self, entity: int, rows: Sequence[LinkRow], *, new: bool = False) -> None:
        """Insert or replace links; inside `page` only.

        `new` promises that none of them exists; raises AlreadyLinked where that does not hold,
        and then nothing of the page may be committed.
        """

    def drop_links(self, entity: int, server_ids: Iterable[str]) -> None:
        """Forget links of records that both sides no longer have. Inside `page` only."""

    def follow(self, entity: int, versions: Mapping[str, tuple[int, int]]) -> None:
        """Let links follow client records that were written without anything to carry.

        `versions`: client id → client version of the link, and the record's. A link that is not
        at the first stays as it is. Inside `page` only.
        """

    def marked(self, entity: int, after: str, limit: int) -> Sequence[LinkRow]:
        """Return links whose state is not CURRENT, by server id, those after `after`."""

    def spool(self, entity: int) -> IdSpool:
        """Return an empty spool; it ends when the next one begins."""

    def count_links(self, entity: int) -> int:
        """Return how many records of the entity are linked, marked ones too."""

    def waiting(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, Waiting]:
        """Return the newest change of each of these records that was not delivered."""

    def count_waiting(self, entity: int) -> int:
        """Return how many changes of the entity's records were not delivered."""

    def waiting_pairs(self, entity: int) -> Sequence[Transaction]:
        """Return those that make a pair on the server, and were not delivered."""

    def remember(self, entity: int, images: Images) -> None:
        """Keep what was written, so that it can be taken back; inside `page` only."""

    def left_behind(self, entity: int) -> Iterable[str]:
        """Return the server ids of records that an earlier run could not carry."""

    def leave_behind(self, entity: int, server_ids: Sequence[str]) -> None:
        """Remember records to be read again by id in the next run. Inside `page` only."""

    def catch_up(self, entity: int, server_ids: Sequence[str]) -> None:
        """Forget that these were left behind. Inside `page` only."""

    def translations(self, entities: Iterable[str]) -> Mapping[tuple[str, str], str]:
        """Return (entity, server id) → client id where the two differ, for matched entities."""


class Reporter(Protocol):
    """Where progress goes, and where a wish to stop comes from."""

    def run_started(self, entities: Sequence[str]) -> None:
        """The run begins; the entities will be carried in this order."""

    def entity_started(self, entity: str, *, full: bool, expected: int | None) -> None:
        """One entity begins."""

    def progress(self, entity: str, counts: Counts) -> None:
        """Add what one page of an entity came to.

        Called inside `State.page` where the page wrote anything, so that a worker that dies has
        counted exactly what it has carried.
        """

    def problem(self, problem: Problem) -> None:
        """One record or entity could not be carried."""

    def entity_finished(self, entity: str, failed: str = "") -> None:
        """One entity ended; `failed` says why it could not be carried to its end."""

    def checkpoint(self) -> None:
        """Called at page boundaries: renews the lease; raises Cancelled or LostLease."""


class Queue(Protocol):
    """The client changes of one connection on their way to the server.

    Everything but reading happens inside `State.page`; links and transactions commit together.
    """

    @property
    def connected(self) -> datetime:
        """When the connection was made; what was done on the client before is not collected."""

    def collected(self, entities: Sequence[int], *, hold: bool = False) -> Mapping[int, int]:
        """Return the client's version up to which each entity's changes were collected.

        Without those of which nothing was yet. With `hold`, inside `State.page` only, nobody
        else can collect until the page is committed.
        """

    def save_collected(self, entities: Sequence[int], version: int) -> None:
        """Remember up to where these entities' changes were collected."""

    def of_records(
        self, entity: int, client_ids: Sequence[str]
    ) -> Mapping[str, Sequence[Transaction]]:
        """Return the waiting (Pending or Error) transactions of these records, oldest first.

        Inside `State.page` nobody else can change them until the page is committed.
        """

    def due(self, entities: Sequence[int], now: datetime) -> Sequence[Transaction]:
        """Return the Pending transactions whose time has come, oldest first."""

    def deletions(self, entities: Sequence[int]) -> Sequence[Transaction]:
        """Return the waiting (Pending or Error) deletions of records, due or not, oldest first."""

    def add(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Put new ones in (id 0); `why` is the first line of their history, if there is one."""

    def save(self, transactions: Sequence[Transaction], why: str = "") -> None:
        """Write known ones back; `why` goes into the history of each whose status changed."""
