"""Faults that an organization in memory commits on demand, each exactly once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from connections.connectors.base import Batch, BatchResult, Failure, FailureKind
from connections.errors import MetadataChanged, Refused, Retryable
from organizations.records import Page


class Fault(StrEnum):
    """What goes wrong. The last two happen to writes only, DUPLICATE and TRUNCATE to pages only."""

    RETRY = "retry"
    REFUSE = "refuse"
    METADATA = "metadata"
    DUPLICATE = "duplicate"
    TRUNCATE = "truncate"
    LOST_RESPONSE = "lost response"
    CONFLICT = "conflict"


@dataclass(slots=True)
class Faults:
    """Faults to come, by the number (from 1) of the page served or the batch written next.

    `after` is the wait in seconds that retryable faults ask for. `always_rejected` are ids that
    the organization never takes; `unreadable` are ids whose record no reader can take.
    """

    pages: dict[int, Fault] = field(default_factory=dict)
    writes: dict[int, Fault] = field(default_factory=dict)
    after: float | None = None
    always_rejected: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    _served: int = 0
    _written: int = 0

    def at_page(self, number: int, fault: Fault) -> None:
        """Let the `number`-th page from now on go wrong (1: the next one)."""
        self.pages[self._served + number] = fault

    def at_write(self, number: int, fault: Fault) -> None:
        """Let the `number`-th batch from now on go wrong (1: the next one)."""
        self.writes[self._written + number] = fault

    def serve(self, page: Page) -> Iterator[Page]:
        """Yield the page, or what a broken line makes of it."""
        self._served += 1
        fault = self.pages.pop(self._served, None)
        self._raise(fault)
        if fault is Fault.TRUNCATE:
            yield replace(page, rows=page.rows[:1], versions=page.versions[:1], resume=None)
            raise Retryable("The answer broke off.", code="truncated", after=self.after)
        yield page
        if fault is Fault.DUPLICATE:
            yield page

    def before_write(self) -> Fault | None:
        """Count a batch; raise its fault if it breaks before anything is written."""
        self._written += 1
        fault = self.writes.pop(self._written, None)
        self._raise(fault)
        return fault

    def after_write(self, fault: Fault | None) -> None:
        """Lose the answer to a batch that was carried out, if that is its fault."""
        if fault is Fault.LOST_RESPONSE:
            raise Retryable("The connection was lost after the request.", after=self.after)

    def _raise(self, fault: Fault | None) -> None:
        if fault is Fault.RETRY:
            raise Retryable("Too many requests.", code="429", after=self.after)
        if fault is Fault.REFUSE:
            raise Refused("The user may not read this.", code="403")
        if fault is Fault.METADATA:
            raise MetadataChanged("An attribute is no longer there.")


def all_conflicts(batch: Batch, versions: Sequence[int]) -> BatchResult:
    """Return the answer to a batch whose records were all changed by somebody else."""
    failed = {
        position: Failure(
            kind=FailureKind.CONFLICT,
            code="conflict",
            message="Changed meanwhile.",
            version=version,
        )
        for position, version in enumerate(versions)
    }
    ids = [str(row[0]) for row in batch.rows]
    return BatchResult(ids=ids, versions=versions, failed=failed)
