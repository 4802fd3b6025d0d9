"""How records are asked for: what a reading needs of the way that is taken."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from connections.connectors.resco_cloud.shapes import Shape
from connections.connectors.resco_cloud.values import Decoded
from organizations.query.nodes import Query
from organizations.schema import Entity


@dataclass(frozen=True, slots=True)
class Answer:
    """The records of one page; `min_active` is 0 where it was not told."""

    found: Decoded
    more: bool
    min_active: int = 0


class Way(ABC):
    """Asks one organization for records."""

    @abstractmethod
    def page(self, shape: Shape, query: Query, *, min_active: bool = False) -> Answer:
        """Return the first page of a query that is ordered by version.

        With `min_active` the lowest version that may not be committed yet is asked for too.
        Raises InvalidRequest, MetadataChanged, and errors of connectors.
        """

    @abstractmethod
    def count(self, entity: Entity, query: Query | None) -> int:
        """Return the number of records. Raises as `page` does."""
