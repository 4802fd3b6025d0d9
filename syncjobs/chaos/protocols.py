"""What a world is made of, in memory or in the database: two organizations and a memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from connections.connectors.memory.faults import Faults
from organizations.records import Value
from organizations.schema import Entity
from syncjobs.engine.transactions import Transaction
from syncjobs.engine.values import LinkRow, Position, Side

Values = Mapping[str, Value]
Given = Mapping[str, object]
"""Values by column as users give them."""


class Organization(Protocol):
    """One side: users write to it, and the judge hears of every write by the ledger.

    `refused` keeps why a record was not accepted, or not shown, by id, until it is;
    `refused_ever` are all of them.
    """

    side: Side
    faults: Faults
    refused: dict[str, str]
    refused_ever: set[str]

    @property
    def version(self) -> int:
        """The version of the last write."""

    @property
    def entities(self) -> Mapping[str, Entity]:
        """Definitions as they are now, by name."""

    @property
    def tables(self) -> Mapping[str, Collection[str]]:
        """Ids of the records there are, oldest first, by entity."""

    def entity(self, name: str) -> Entity:
        """Return one definition."""

    def column_names(self, entity: str) -> Sequence[str]:
        """Return the names of an entity's columns."""

    def create(self, entity: str, values: Given, *, id: str = "", actor: str = "") -> str:
        """Make a record and return its id. Raises AlreadyExists."""

    def update(self, entity: str, record_id: str, values: Given, *, actor: str = "") -> int:
        """Change a record."""

    def delete(self, entity: str, record_id: str, *, actor: str = "") -> int:
        """Remove a record."""

    def associate(self, relationship: str, id1: str, id2: str) -> object:
        """Make a pair, if it is not there."""

    def objection(self, entity: str, values: Values) -> str:
        """Return why these values would not be accepted from a user, '' if they would."""

    def alter(self, entity: Entity) -> None:
        """Give an entity another definition; values of attributes that stay are kept."""


class Memory(Protocol):
    """What the connection between both sides remembers; `writes` moves when that does."""

    @property
    def writes(self) -> object:
        """Something that is another as soon as anything was written."""

    def positions(self) -> Sequence[Position]:
        """Return how far the entities have been read."""

    def links(self) -> Mapping[int, Mapping[str, LinkRow]]:
        """Return entity → server id → link."""

    def left(self) -> Mapping[int, AbstractSet[str]]:
        """Return entity → server ids that could not be carried."""

    def held(self) -> Mapping[int, AbstractSet[str]]:
        """Return entity → server ids whose deletion waits, or was declined."""

    def transactions(self) -> Sequence[Transaction]:
        """Return all of them, oldest first."""

    def change(self, item: Transaction) -> None:
        """Let a person change a transaction: Pending, Archived, or decided."""

    def decide(self, entity: int, *, approve: bool) -> bool:
        """Let a person decide held deletions; return whether any waited."""
