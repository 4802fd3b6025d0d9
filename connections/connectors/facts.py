"""What an organization tells of itself beside its records and its metadata."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionChanges:
    """What changed of an organization's metadata since a stamp, and the stamp to ask with next.

    `is_everything`: it cannot be told what changed, so that all is to be read. Otherwise
    `entities` are the names of those that changed or are new, and `deleted` the ids, in lower
    case, of elements that are gone. The stamp is of a time before the definitions are read.
    """

    stamp: str
    is_everything: bool = False
    entities: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()

    @property
    def is_nothing(self) -> bool:
        """Return whether nothing at all changed."""
        return not (self.is_everything or self.entities or self.deleted)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What a readiness report tells of an organization as a whole; empty: not known.

    `token_days`: days after which changes since a checkpoint are no longer known. `limits` are
    sentences about limits that were seen, `roles` the names of our user's roles.
    """

    roles: tuple[str, ...] | None = None
    token_days: int | None = None
    limits: tuple[str, ...] = ()
