"""The server as the client names it: the one place where names of attributes are changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from connections.connectors.base import (
    Batch,
    BatchResult,
    Connector,
    Edit,
    Edits,
    ReadRequest,
    Tracking,
)
from connections.connectors.facts import DefinitionChanges, ServerFacts
from connections.connectors.limits import Limiter
from connections.connectors.passing import PassingOn
from connections.naming import metadata, queries
from connections.naming.names import Names
from organizations.query.nodes import Query
from organizations.records import Action, Page, Rendered, Row
from organizations.schema import Attribute, Entity


class Renamed(PassingOn):
    """Speaks the client's names to its caller and the server's to `inner`, which it owns.

    Only names change: ids, values and versions are the server's. Where an entity has other names,
    its records are not digested by the server, because a digest depends on the names' order.
    """

    def __init__(self, inner: Connector, names: Names) -> None:
        """`names` are server attribute → client attribute, by entity."""
        super().__init__(inner)
        self._names, self._back = names, names.inverse
        self._known: dict[int, tuple[Entity, Entity]] = {}

    # What the owner does

    def __enter__(self) -> Self:
        """Open the inner connector."""
        self.inner.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the inner connector."""
        self.inner.__exit__(kind, error, trace)

    def limit(self, limiter: Limiter) -> None:
        """Hand it on."""
        self.inner.limit(limiter)

    def mark(self, origin: str, *, bypass: str = "", is_quiet: bool = False) -> None:
        """Hand it on."""
        self.inner.mark(origin, bypass=bypass, is_quiet=is_quiet)

    # Metadata

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        """Yield metadata in the client's names."""
        for entity in self.inner.describe(names):
            yield metadata.renamed(entity, self._names)

    def definition_changes(self, since: str) -> DefinitionChanges | None:
        """Hand it on."""
        return self.inner.definition_changes(since)

    def server_facts(self) -> ServerFacts:
        """Hand it on."""
        return self.inner.server_facts()

    def unreadable(self, entities: Sequence[Entity]) -> Mapping[str, str]:
        """Ask it in the server's names."""
        return self.inner.unreadable([self._entity(entity) for entity in entities])

    def estimates(self, entities: Sequence[Entity]) -> Mapping[str, int]:
        """Ask it in the server's names."""
        return self.inner.estimates([self._entity(entity) for entity in entities])

    # Reading

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Read in the server's names."""
        asked = replace(
            request,
            entity=self._entity(request.entity),
            attributes=self._attributes(request.entity, request.attributes),
            query=self._query(request.query),
        )
        for page in self.inner.read(asked):
            yield self._page(page)

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        """Ask it in the server's names."""
        return self.inner.ids(self._entity(entity), self._query(query))

    def matching(self, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
        """Ask it in the server's names."""
        return self.inner.matching(self._entity(entity), queries.renamed(query, self._back), ids)

    def buckets(
        self, entity: Entity, attributes: Sequence[Attribute], query: Query | None = None
    ) -> Mapping[int, tuple[int, str]] | None:
        """Ask it in the server's names, if they are the client's too."""
        if self._back.pairs(entity.name):
            return None
        return self.inner.buckets(self._entity(entity), attributes, self._query(query))

    def hashes(
        self,
        entity: Entity,
        attributes: Sequence[Attribute],
        query: Query | None,
        buckets: Collection[int],
    ) -> Iterator[Sequence[tuple[str, str]]]:
        """Ask it in the server's names."""
        wanted = self._attributes(entity, attributes)
        return self.inner.hashes(self._entity(entity), wanted, self._query(query), buckets)

    def count(self, entity: Entity, query: Query | None = None) -> int:
        """Ask it in the server's names."""
        return self.inner.count(self._entity(entity), self._query(query))

    def estimate(self, entity: Entity, query: Query | None = None) -> int | None:
        """Ask it in the server's names."""
        return self.inner.estimate(self._entity(entity), self._query(query))

    def highest_version(self, entity: Entity) -> int:
        """Ask it in the server's names."""
        return self.inner.highest_version(self._entity(entity))

    def edits(self, names: Collection[str], since: int, *, limit: int = 5000) -> Edits:
        """Return them in the client's names."""
        found = self.inner.edits(names, since, limit=limit)
        return replace(found, items=[self._edit(item) for item in found.items])

    def tracking(self, page: Page) -> Tracking:
        """Ask it in the server's names."""
        return self.inner.tracking(
            replace(page, columns=self._back.columns(page.entity, page.columns))
        )

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        """Read in the server's names."""
        wanted = self._attributes(entity, attributes)
        return self._page(self.inner.fetch(self._entity(entity), wanted, ids))

    def is_empty(self, entity: Entity) -> bool:
        """Ask it in the server's names."""
        return self.inner.is_empty(self._entity(entity))

    # Writing

    def render(
        self, entity: Entity, columns: Sequence[str], rows: Sequence[Row]
    ) -> Rendered | None:
        """Render in the server's names."""
        names = self._back.columns(entity.name, columns)
        return self.inner.render(self._entity(entity), names, rows)

    def stage(self, entity: Entity, batch: Batch) -> Batch:
        """Stage in the server's names; the batch keeps the client's."""
        staged = self.inner.stage(self._entity(entity), self._batch(entity, batch))
        return replace(staged, columns=batch.columns, changed=batch.changed)

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write in the server's names."""
        return self.inner.write(self._entity(entity), self._batch(entity, batch))

    def rehearse(self, entity: Entity, batch: Batch) -> BatchResult | None:
        """Ask it in the server's names."""
        return self.inner.rehearse(self._entity(entity), self._batch(entity, batch))

    def requests_for(self, entity: Entity, action: Action, count: int) -> int:
        """Ask it in the server's names."""
        return self.inner.requests_for(self._entity(entity), action, count)

    # Names

    def _entity(self, entity: Entity) -> Entity:
        """Return an entity in the server's names; each is renamed once."""
        known = self._known.get(id(entity))
        if known is None or known[0] is not entity:
            known = entity, metadata.renamed(entity, self._back)
            self._known[id(entity)] = known
        return known[1]

    def _attributes(self, entity: Entity, attributes: Sequence[Attribute]) -> tuple[Attribute, ...]:
        if not self._back.pairs(entity.name):
            return tuple(attributes)
        own = self._entity(entity)
        names = self._back.columns(entity.name, (item.name for item in attributes))
        found = (own.attribute(name) for name in names)
        return tuple(
            known or replace(item, name=name)
            for known, item, name in zip(found, attributes, names, strict=True)
        )

    def _query(self, query: Query | None) -> Query | None:
        return None if query is None else queries.renamed(query, self._back)

    def _page(self, page: Page) -> Page:
        if not self._names.pairs(page.entity):
            return page
        return replace(page, columns=self._names.columns(page.entity, page.columns))

    def _batch(self, entity: Entity, batch: Batch) -> Batch:
        if not self._back.pairs(entity.name):
            return batch
        changed = [
            None if names is None else frozenset(self._back.columns(entity.name, names))
            for names in batch.changed
        ]
        columns = self._back.columns(entity.name, batch.columns)
        return replace(batch, columns=columns, changed=changed)

    def _edit(self, edit: Edit) -> Edit:
        if edit.changes is None or not self._names.pairs(edit.entity):
            return edit
        changes = {
            self._names.column(edit.entity, name): values for name, values in edit.changes.items()
        }
        return replace(edit, changes=changes)
