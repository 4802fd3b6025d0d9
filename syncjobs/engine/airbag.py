"""When deletions wait for a person (design decision 8).

Deletions of one entity wait if, with those of the last 24 hours, they are more than the limit, or
more than the floor and more than the percentage of the records that were linked before them. What
a person approved counts no more. A server that suddenly names no record at all is not believed,
whatever the limits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from syncjobs.engine.values import LinkState


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`most` deletions of one entity in 24 hours, and `percent` of its records beyond `floor`."""

    most: int = 500
    floor: int = 20
    percent: int = 5


class Sample(NamedTuple):
    """One record that is to be deleted: its id on the server, its name, and why."""

    id: str
    name: str
    why: LinkState


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Deletions of one entity that wait: all server ids, why they wait, and some of them.

    `linked` is how many records of the entity were linked then.
    """

    server_ids: Sequence[str]
    reason: str
    linked: int
    sample: Sequence[Sample] = ()


class Guard(Protocol):
    """Remembers what waits for a person, and what was decided. `entity` is a SyncedEntity's id.

    `syncjobs.held` implements it on rows.
    """

    def limits(self) -> Limits:
        """Return what may be deleted without asking."""

    def recent(self, entity: int) -> int:
        """Return how many records were deleted in the last 24 hours that nobody approved."""

    def approved(self, entity: int) -> Collection[str]:
        """Return the server ids whose deletion was approved and not carried out yet."""

    def declined(self, entity: int) -> Collection[str]:
        """Return the server ids that are kept because a person decided so."""

    def hold(self, entity: int, holding: Holding | None) -> None:
        """Let these wait, instead of what waited before; None: nothing waits any more.

        Writes only what is new. Outside of any page; the lease is taken inside.
        """

    def carried_out(self, entity: int) -> None:
        """What was approved is done, or need not be done any more."""


class Alone(Guard):
    """Nobody to ask: the usual limits, and what exceeds them is not deleted."""

    def limits(self) -> Limits:
        """Return the usual limits."""
        return Limits()

    def recent(self, entity: int) -> int:
        """Return 0: nothing is remembered."""
        return 0

    def approved(self, entity: int) -> Collection[str]:
        """Return nothing."""
        return ()

    def declined(self, entity: int) -> Collection[str]:
        """Return nothing."""
        return ()

    def hold(self, entity: int, holding: Holding | None) -> None:
        """Remember nothing."""

    def carried_out(self, entity: int) -> None:
        """Remember nothing."""


def reason_to_wait(name: str, count: int, recent: int, linked: int, limits: Limits) -> str:
    """Return the sentence why `count` deletions of an entity must wait, or ''."""
    total = count + recent
    told = f"{count:,} of {linked:,} records of '{name}' are to be deleted"
    if recent:
        told += f", after {recent:,} in the last 24 hours"
    if total > limits.most:
        return f"{told}: more than {limits.most:,} in a day wait for a decision."
    if total > limits.floor and total * 100 > limits.percent * (linked + recent):
        return f"{told}: more than {limits.percent} % of its records wait for a decision."
    return ""


def unbelieved(name: str, linked: int) -> str:
    """Return the sentence for a server that names no record where there were some."""
    return (
        f"The server named no record of '{name}' at all, but {linked:,} are linked. An empty "
        "answer is not believed: it can come from a lost permission, too."
    )
