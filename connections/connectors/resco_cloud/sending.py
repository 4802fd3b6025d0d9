"""How writes are sent: what a portion of them needs of the way that is taken."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from connections.connectors.resco_cloud import operations
from connections.connectors.resco_cloud.client import RescoClient
from connections.connectors.resco_cloud.faults import Fault
from connections.connectors.resco_cloud.operations import Operation
from connections.connectors.resco_cloud.targets import Target, Write
from connections.errors import Retryable
from organizations.records import Action

Made = TypeVar("Made")
Answer = Fault | Retryable | str
"""What became of one write: not done, not known, or done, with what was answered."""


class Sender(ABC, Generic[Made]):
    """Sends writes of one entity."""

    @abstractmethod
    def prepare(self, rows: Sequence[Write]) -> None:
        """Learn what is needed of these records, before anybody looks at their versions."""

    @abstractmethod
    def make(self, action: Action, row: Write) -> Made:
        """Return what is sent for one write. Raises InvalidValue."""

    @abstractmethod
    def send(self, made: Sequence[Made]) -> Sequence[Answer]:
        """Return the answers in order; shorter than what was given where it went no further.

        Raises errors of connectors; after Retryable nobody knows what was carried out.
        """


@dataclass(slots=True)
class ExecuteSender(Sender[Operation]):
    """All of a portion by one ExecuteMultiple (resco.md §1.9), which checks no versions."""

    client: RescoClient
    target: Target

    def prepare(self, rows: Sequence[Write]) -> None:
        """Nothing is needed."""

    def make(self, action: Action, row: Write) -> Operation:
        """Return the operation."""
        return self.target.operation(action, row)

    def send(self, made: Sequence[Operation]) -> Sequence[Answer]:
        """Send one call."""
        return operations.send(self.client, made)
