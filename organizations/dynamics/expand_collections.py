"""Expanding a collection: the records that point to a record, or are paired with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from organizations.dynamics import links
from organizations.dynamics.call import Call
from organizations.dynamics.expand_lookups import Target
from organizations.dynamics.expand_syntax import Item
from organizations.dynamics.names import Navigation, Shape
from organizations.dynamics.rows import ETAG, Document
from organizations.preferences import MAX_PAGE
from organizations.query.nodes import Condition, Group, Link, Logic, Operator, Query
from organizations.records import Row

_SAFE = "$,()'/:@*=;"
_PAIRS = "pairs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Fills a collection-valued navigation, `top` records at most of each collection.

    With `is_paged` a collection ends after a page, with the address of the next one.
    """

    call: Call
    shape: Shape
    navigation: Navigation
    item: Item
    target: Target
    top: int | None
    is_paged: bool

    def fill(self, documents: Sequence[Document], rows: Sequence[Row]) -> None:
        """Add the navigation to each document; `rows` are those they were made of."""
        parents = [str(row[0]) for row in rows]
        children = self._children(parents)
        known = self._records(sorted({key for keys in children.values() for key in keys}))
        limit = self._limit
        for document, parent in zip(documents, parents, strict=True):
            keys = children.get(parent, [])
            document[self.item.name] = [known[key] for key in keys[:limit] if key in known]
            address = self._address(parent, keys)
            if address:
                document[f"{self.item.name}@odata.nextLink"] = address

    @property
    def _limit(self) -> int:
        most = MAX_PAGE if self.top is None else min(self.top, MAX_PAGE)
        return self.call.preferences.page_size or most if self.is_paged else most

    def _children(self, parents: list[str]) -> Mapping[str, list[str]]:
        if not parents or self._limit == 0:
            return {}
        query, attribute, alias = self._query(parents)
        found: dict[str, list[str]] = {}
        for parent, key in self.call.store.grouped_ids(
            query,
            attribute=attribute,
            alias=alias,
            limit=self._limit + 1,
            context=self.call.context,
        ):
            found.setdefault(parent, []).append(key)
        return found

    def _query(self, parents: list[str]) -> tuple[Query, str, str]:
        """Return the query for the children, and where it has the parent: attribute and alias."""
        query = self._base(parents)
        found = self.target.filter
        group = Group(Logic.AND, (query.filter, found.group))
        links = (*query.links, *found.links)
        query = replace(query, filter=group, links=links, order=self.target.order)
        relationship = self.navigation.relationship
        if relationship is None:
            return query, self.navigation.attribute, ""
        first = self.navigation.is_first
        return query, relationship.attribute1 if first else relationship.attribute2, _PAIRS

    def _base(self, parents: list[str]) -> Query:
        name, relationship = self.target.shape.entity.name, self.navigation.relationship
        if relationship is None:
            among = Condition(self.navigation.attribute, Operator.IN, tuple(parents))
            return Query(entity=name, filter=Group(Logic.AND, (among,)))
        here, there = relationship.attribute1, relationship.attribute2
        if not self.navigation.is_first:
            here, there = there, here
        link = Link(
            entity=relationship.intersect_entity,
            from_attribute=there,
            to_attribute=self.target.shape.entity.primary_id,
            alias=_PAIRS,
            filter=Group(Logic.AND, (Condition(here, Operator.IN, tuple(parents)),)),
        )
        return Query(entity=name, links=(link,))

    def _records(self, ids: list[str]) -> Mapping[str, Document]:
        store, writer = self.call.store, self.target.writer
        rows = store.fetch(self.target.shape.entity.name, writer.columns, ids) if ids else []
        documents = writer.write(store, rows)
        if self.is_paged:
            for document in documents:
                document.pop(ETAG, None)
        return {str(row[0]): document for row, document in zip(rows, documents, strict=True)}

    def _address(self, parent: str, keys: list[str]) -> str:
        """Return the address of the whole collection, or of its next page; '' if none is left."""
        path = f"{self.shape.entity.set_name}({parent})/{self.item.name}"
        options = [f"{name}={quote(text, safe=_SAFE)}" for name, text in self.item.options.items()]
        if self.is_paged:
            if len(keys) <= self._limit:
                return ""
            key = self.target.shape.entity.primary_id
            cookie = links.id_cookie(1, key, keys[0], keys[self._limit - 1])
            options.append(f"$skiptoken={quote(links.wrapped(cookie, 2), safe='=/')}")
        query = "&".join(options)
        return f"{self.call.api}{path}{'?' if query else ''}{query}"
