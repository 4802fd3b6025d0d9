"""What a batch is made of, and what it is answered with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.http import HttpResponse

from organizations.errors import InvalidRequest

MOST_OPERATIONS = 1000
"""Operations of one batch, those in change sets counted (dataverse.md 4.3; of Resco assumed)."""

LONGEST_ADDRESS = 65536
"""Characters of an address in a batch; outside of one it is half of that."""

CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
METHODS = CHANGES | {"GET", "HEAD"}


class MalformedBatch(InvalidRequest):
    """A batch that is not formed as it must be; the text begins in lower case, without a dot."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason, "$batch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request of a batch. `address` is as sent; header names are in lower case.

    `needs` are ids of operations and of change sets before it that must have succeeded.
    """

    method: str
    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    content_id: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Operations that succeed or fail together; `name` is how others refer to them."""

    operations: tuple[Operation, ...]
    name: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """What its operations need that is not one of themselves."""
        own = {operation.content_id for operation in self.operations} | {self.name}
        return tuple(one for item in self.operations for one in item.needs if one not in own)


Item = Operation | ChangeSet


@dataclass(frozen=True, slots=True)
class Reply:
    """What one operation was answered; of a change set that failed, the one that failed it."""

    response: HttpResponse
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Replies:
    """What the operations of a successful change set were answered."""

    replies: tuple[Reply, ...]


Answer = Reply | Replies


def check_size(items: Sequence[Item]) -> None:
    """Raise MalformedBatch for one without operations, and for one with too many."""
    total = sum(len(item.operations) if isinstance(item, ChangeSet) else 1 for item in items)
    if not total:
        raise MalformedBatch("the batch holds no operation")
    if total > MOST_OPERATIONS:
        raise MalformedBatch(
            f"the batch holds {total} operations, {MOST_OPERATIONS} are allowed; send several "
            "batches"
        )


def check_address(address: str) -> None:
    """Raise MalformedBatch for an address that no operation can have."""
    if len(address) > LONGEST_ADDRESS:
        raise MalformedBatch(f"an address has more than {LONGEST_ADDRESS} characters")
    if address.partition("?")[0].rstrip("/").endswith("$batch"):
        raise MalformedBatch("a batch cannot hold another batch")


def check_change(operation: Operation) -> None:
    """Raise MalformedBatch for an operation that changes nothing."""
    if operation.method not in CHANGES:
        raise MalformedBatch(
            f"the method {operation.method} is not allowed in a change set, only "
            "POST, PUT, PATCH and DELETE"
        )


def check_ids(ids: Sequence[str]) -> None:
    """Raise MalformedBatch for a Content-ID that is there twice; '' stands for none."""
    seen: set[str] = set()
    for item in filter(None, ids):
        if item in seen:
            raise MalformedBatch(f"the Content-ID '{item[:80]}' stands twice in a change set")
        seen.add(item)
