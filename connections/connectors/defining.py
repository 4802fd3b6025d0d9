"""Writing the metadata of an organization, where it takes them from outside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from organizations.schema import Entity


class Definer(ABC):
    """Writes metadata to one organization."""

    @abstractmethod
    def express(self, entity: Entity) -> Entity:
        """Return the entity as this organization would tell of it once it was defined there."""

    @abstractmethod
    def define(self, entities: Iterable[Entity]) -> None:
        """Make these entities, or bring them to this definition, labels and all.

        Attributes that a definition leaves out are hidden. Raises Refused, Retryable.
        """

    @abstractmethod
    def hide(self, names: Iterable[str]) -> None:
        """Stop showing these entities; what they hold stays. Raises Refused, Retryable."""
