"""Questions about the records of an entity, and what a refused one means.

Codes of faults are not published, so a fault does not tell that an attribute is gone. The
metadata do: they are read again, and compared with what was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from connections.connectors.resco_cloud import queries
from connections.connectors.resco_cloud.client import RescoClient
from connections.connectors.resco_cloud.faults import not_understood
from connections.connectors.resco_cloud.markup import number_in
from connections.connectors.resco_cloud.metadata import Definitions, missing_in
from connections.connectors.resco_cloud.shapes import Shape
from connections.connectors.resco_cloud.values import Decoded
from connections.connectors.resco_cloud.ways import Answer, Way
from connections.errors import LoginFailed, MetadataChanged, Refused, UnknownEntity, Unreachable
from organizations.query.analysis import restricted
from organizations.query.nodes import Order, Query
from organizations.schema import VERSION, Entity


@dataclass(slots=True)
class Asking:
    """Asks one organization, for records in one `way`."""

    client: RescoClient
    definitions: Definitions
    way: Way

    def page(self, shape: Shape, query: Query, *, min_active: bool = False) -> Answer:
        """Return one page. Raises UnknownEntity, MetadataChanged, and other errors."""
        try:
            return self.way.page(shape, query, min_active=min_active)
        except (LoginFailed, Unreachable):
            raise
        except Refused as error:
            raise self._meant(shape, error) from error

    def all(self, shape: Shape, query: Query) -> Iterator[Decoded]:
        """Yield the pages of a query that is ordered by version."""
        last = 0
        while True:
            answer = self.page(shape, queries.above(query, last))
            yield answer.found
            if not answer.more:
                return
            last = answer.found.last

    def by_ids(self, shape: Shape, ids: Sequence[str], query: Query | None = None) -> Decoded:
        """Return those of these records that exist, and are in the filter."""
        found, key = Decoded(), shape.entity.primary_id
        asked = queries.selecting(shape.entity, shape.selected, query)
        for portion in queries.portions(ids):
            self._gather(shape, restricted(asked, key, portion), found)
        return found

    def _gather(self, shape: Shape, query: Query, into: Decoded) -> None:
        for part in self.all(shape, query):
            into.rows += part.rows
            into.versions += part.versions
            into.rejected += part.rejected

    def count(self, entity: Entity, query: Query | None) -> int:
        """Return the number of records."""
        try:
            return self.way.count(entity, query)
        except (LoginFailed, Unreachable):
            raise
        except Refused as error:
            raise self._meant(Shape.of(entity, ()), error) from error

    def highest(self, entity: Entity, query: Query | None = None) -> int:
        """Return the highest version of the records, 0 if there is none."""
        shape = Shape.of(entity, ())
        asked = queries.selecting(entity, (entity.primary_id,), query, size=1)
        newest = Order(VERSION, descending=True)
        return self.page(shape, replace(asked, order=(newest,))).found.last

    def max_row_version(self) -> int:
        """Return the organization's current row version (assumed: the first number, §8)."""
        root = self.client.post("GetMaxRowVersion")
        number = number_in(root)
        if number is None:
            raise not_understood(self.client.where, "GetMaxRowVersion without a number.")
        return number

    def _meant(self, shape: Shape, error: Refused) -> Exception:
        self.definitions.forget()
        name = shape.entity.name
        known = self.definitions.find(name)
        if known is None:
            return UnknownEntity(name)
        if gone := missing_in(known, shape.selected):
            return MetadataChanged(
                f"Entity '{name}' has no attribute '{gone}' any more. Run Update Server.",
                code=error.code,
            )
        return error
