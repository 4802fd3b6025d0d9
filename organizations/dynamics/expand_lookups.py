"""Expanding a lookup: the one record it points to, or null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from organizations.dynamics.call import Call
from organizations.dynamics.expand_syntax import Item
from organizations.dynamics.names import Navigation, Shape
from organizations.dynamics.rows import ETAG, OWNER_ID, Document, Writer
from organizations.query.nodes import Condition, Group, Logic, Operator, Order, Query
from organizations.query.odata_reader import Filter
from organizations.records import Row

_TYPE = "@odata.type"


@dataclass(frozen=True, slots=True)
class Target:
    """An entity that a navigation leads to, what writes its records, and which ones are wanted."""

    shape: Shape
    writer: Writer
    filter: Filter = Filter()
    order: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Fills a single-valued navigation; `place` and `type_place` are where rows have the lookup.

    A navigation to several entities (`ownerid`) leads to their common kind, so its records tell
    which one they are.
    """

    call: Call
    navigation: Navigation
    item: Item
    targets: Sequence[Target]
    place: int
    type_place: int | None

    def fill(self, documents: Sequence[Document], rows: Sequence[Row]) -> None:
        """Add the navigation to each document; `rows` are those they were made of."""
        found: dict[str, Document] = {}
        for target in self.targets:
            ids = {str(row[self.place]) for row in rows if self._leads_to(target, row)}
            found |= self._records(target, sorted(ids)) if ids else {}
        for document, row in zip(documents, rows, strict=True):
            document[self.item.name] = found.get(str(row[self.place]))

    def _leads_to(self, target: Target, row: Row) -> bool:
        if row[self.place] is None:
            return False
        return self.type_place is None or row[self.type_place] == target.shape.entity.name

    def _records(self, target: Target, ids: list[str]) -> Mapping[str, Document]:
        store, shape = self.call.store, target.shape
        if self.item.is_reference:
            root = f"{self.call.api}{shape.entity.set_name}"
            return {key: {"@odata.id": f"{root}({key})"} for key in ids}
        rows = self._rows(target, ids)
        written = target.writer.write(store, rows)
        shown = [self._shown(target, document) for document in written]
        return {str(row[0]): document for row, document in zip(rows, shown, strict=True)}

    def _rows(self, target: Target, ids: list[str]) -> Sequence[Row]:
        store, entity, columns = self.call.store, target.shape.entity, target.writer.columns
        found = target.filter
        if found == Filter():
            return store.fetch(entity.name, columns, ids)
        among = Condition(entity.primary_id, Operator.IN, tuple(ids))
        query = Query(
            entity=entity.name, filter=Group(Logic.AND, (among, found.group)), links=found.links
        )
        return store.page(
            entity.name, columns, filter=query, limit=len(ids), context=self.call.context
        )

    def _shown(self, target: Target, document: Document) -> Document:
        document.pop(ETAG, None)
        if len(self.navigation.targets) < 2:
            return document
        entity = target.shape.entity
        kind = {_TYPE: f"#Microsoft.Dynamics.CRM.{entity.name}"}
        if self.item.selected:
            return kind | {OWNER_ID: document[entity.primary_id]}
        return kind | document
