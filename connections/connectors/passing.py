"""A connector that hands everything on to another: what stands between the engine and a side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from connections.connectors.base import (
    Batch,
    BatchResult,
    Connector,
    Edits,
    EntitySummary,
    Identity,
    ReadRequest,
    Tracking,
)
from organizations.query.nodes import Query
from organizations.records import Action, Page, Rendered, Row
from organizations.schema import Attribute, Entity


class PassingOn(Connector):
    """Asks `inner` whatever it is asked, for those who change only some answers.

    It neither opens nor closes `inner`, nor sets its limits and marks: its owner does.
    """

    def __init__(self, inner: Connector) -> None:
        """`inner` answers."""
        self.inner = inner
        self.backend = inner.backend
        self.version_check = inner.version_check
        self.is_local = inner.is_local
        self.stamps = inner.stamps
        self.reads_apart = inner.reads_apart
        self.tells_all = inner.tells_all

    def settle(self) -> None:
        """Hand it on."""
        self.inner.settle()

    def hurry(self, seconds: float) -> None:
        """Hand it on."""
        self.inner.hurry(seconds)

    def identify(self) -> Identity:
        """Hand it on."""
        return self.inner.identify()

    def entities(self) -> Iterator[EntitySummary]:
        """Hand it on."""
        return self.inner.entities()

    def takes_all(self) -> bool:
        """Hand it on."""
        return self.inner.takes_all()

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        """Hand it on."""
        return self.inner.describe(names)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Hand it on."""
        return self.inner.read(request)

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        """Hand it on."""
        return self.inner.ids(entity, query)

    def matching(self, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
        """Hand it on."""
        return self.inner.matching(entity, query, ids)

    def buckets(
        self, entity: Entity, attributes: Sequence[Attribute], query: Query | None = None
    ) -> Mapping[int, tuple[int, str]] | None:
        """Hand it on."""
        return self.inner.buckets(entity, attributes, query)

    def hashes(
        self,
        entity: Entity,
        attributes: Sequence[Attribute],
        query: Query | None,
        buckets: Collection[int],
    ) -> Iterator[Sequence[tuple[str, str]]]:
        """Hand it on."""
        return self.inner.hashes(entity, attributes, query, buckets)

    def count(self, entity: Entity, query: Query | None = None) -> int:
        """Hand it on."""
        return self.inner.count(entity, query)

    def estimate(self, entity: Entity, query: Query | None = None) -> int | None:
        """Hand it on."""
        return self.inner.estimate(entity, query)

    def highest_version(self, entity: Entity) -> int:
        """Hand it on."""
        return self.inner.highest_version(entity)

    def edits(self, names: Collection[str], since: int, *, limit: int = 5000) -> Edits:
        """Hand it on."""
        return self.inner.edits(names, since, limit=limit)

    def version_at(self, moment: datetime) -> int:
        """Hand it on."""
        return self.inner.version_at(moment)

    def tracking(self, page: Page) -> Tracking:
        """Hand it on."""
        return self.inner.tracking(page)

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        """Hand it on."""
        return self.inner.fetch(entity, attributes, ids)

    def is_empty(self, entity: Entity) -> bool:
        """Hand it on."""
        return self.inner.is_empty(entity)

    def render(
        self, entity: Entity, columns: Sequence[str], rows: Sequence[Row]
    ) -> Rendered | None:
        """Hand it on."""
        return self.inner.render(entity, columns, rows)

    def stage(self, entity: Entity, batch: Batch) -> Batch:
        """Hand it on."""
        return self.inner.stage(entity, batch)

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Hand it on."""
        return self.inner.write(entity, batch)

    def rehearse(self, entity: Entity, batch: Batch) -> BatchResult | None:
        """Hand it on."""
        return self.inner.rehearse(entity, batch)

    def requests_sent(self) -> int:
        """Hand it on."""
        return self.inner.requests_sent()

    def requests_for(self, entity: Entity, action: Action, count: int) -> int:
        """Hand it on."""
        return self.inner.requests_for(entity, action, count)
