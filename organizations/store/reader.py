"""Reading an organization's records: by query, by id, in bulk, and what changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from organizations.catalog import Catalog
from organizations.models import Organization
from organizations.query import sql as compiler
from organizations.query.context import Context
from organizations.query.nodes import Query
from organizations.records import Change, Record, Row
from organizations.schema import Entity
from organizations.store import answering, bucketing, history, reading, versions
from organizations.store.answering import Answer
from organizations.store.history import Entry
from organizations.store.layout import layout, missing, record_id_of, record_values

RECORD = "record"
"""Alias of the table whose records a membership test is about."""


class Reader:
    """The records of one hosted organization, for reading."""

    def __init__(self, organization: Organization, *, is_followed: bool = True) -> None:
        """Work on an organization with its newest metadata, or with those of now."""
        self.organization = organization
        self.catalog = Catalog(organization, is_followed=is_followed)

    def query(
        self,
        query: Query,
        *,
        now: datetime | None = None,
        context: Context | None = None,
        total: bool = False,
    ) -> Answer:
        """Return one page of a query's rows; `total` counts all of them too."""
        self.catalog.follow()
        return answering.answer(self.catalog, query, _context(now, context), total=total)

    def count(
        self, query: Query, *, now: datetime | None = None, context: Context | None = None
    ) -> int:
        """Return the number of a query's rows, paging left aside."""
        self.catalog.follow()
        return answering.count(self.catalog, query, _context(now, context))

    def ids(
        self, query: Query, *, now: datetime | None = None, size: int = reading.PAGE
    ) -> Iterator[list[str]]:
        """Yield the ids of the records in a query, ascending, `size` at a time."""
        self.catalog.follow()
        context, after = _context(now, None), None
        while True:
            found = answering.ids(self.catalog, query, context, after=after, limit=size)
            if found:
                yield found
            if len(found) < size:
                return
            after = found[-1]

    def grouped_ids(
        self, query: Query, *, attribute: str, alias: str = "", limit: int, context: Context
    ) -> list[tuple[str, str]]:
        """Return group and id of the first `limit` records of each group of a query.

        Records with the same value of `attribute` of the link `alias` are a group.
        """
        self.catalog.follow()
        return answering.groups(
            self.catalog, query, context, attribute=attribute, alias=alias, limit=limit
        )

    def get(
        self, entity_name: str, record_id: str, attributes: Sequence[str] | None = None
    ) -> Record:
        """Return one record with its version. Raises NotFound."""
        self.catalog.follow()
        place, key = layout(self.catalog, entity_name), record_id_of(record_id)
        wanted = list(place.columns) if attributes is None else place.columns_of(attributes)
        rows = reading.by_id(place, wanted, [key])
        if not rows:
            raise missing(place, key)
        values = record_values([place.columns[name] for name in wanted], rows[0])
        version = rows[0][-1]
        return Record(entity=place.entity.name, id=key, values=values, version=_int(version))

    def page(
        self,
        entity: str | Entity,
        columns: Sequence[str],
        *,
        filter: Query | None = None,
        after: str | None = None,
        since: int | None = None,
        until: int | None = None,
        limit: int = reading.PAGE,
        context: Context | None = None,
    ) -> list[Row]:
        """Return flat canonical rows with the version last, by id, or by version with `since`.

        `columns` are names of `schema.columns`; `filter` gives membership only. Rows begin beyond
        id `after` and version `since` and do not exceed version `until`.
        """
        self.catalog.follow()
        condition, parameters = self._membership(filter, context)
        span = reading.Span(
            after=after, since=since, until=until, condition=condition, parameters=parameters
        )
        return reading.page(layout(self.catalog, entity), columns, span=span, limit=limit)

    def fetch(self, entity: str | Entity, columns: Sequence[str], ids: Sequence[str]) -> list[Row]:
        """Return those of these records that exist, as `page` does, in any order."""
        self.catalog.follow()
        return reading.by_id(layout(self.catalog, entity), columns, ids)

    def changes(
        self,
        since: int,
        *,
        entity: str | None = None,
        exclude_origin: str = "",
        limit: int = reading.PAGE,
    ) -> list[Change]:
        """Return changes after version `since` in the order they were committed."""
        key = self.organization.pk
        return history.changes(
            key, since, entity=entity, exclude_origin=exclude_origin, limit=limit
        )

    def entries(
        self,
        names: Collection[str],
        since: int,
        *,
        exclude_origin: str = "",
        limit: int = reading.PAGE,
    ) -> tuple[list[Entry], int]:
        """Return log entries of these entities after `since`, and the last version there was."""
        key = self.organization.pk
        return history.entries(key, names, since, exclude_origin=exclude_origin, limit=limit)

    def version_before(self, moment: datetime) -> int:
        """Return the highest version that was written before a moment, 0 if there is none."""
        return history.last_before(self.organization.pk, moment)

    def deleted(self, entity: str | Entity, *, since: int, until: int) -> Sequence[str]:
        """Return ids of records deleted after `since` and up to `until` that are still gone."""
        place = layout(self.catalog, entity)
        return history.deleted(self.organization.pk, place, since=since, until=until)

    def row_version(self) -> int:
        """Return the last version that was committed."""
        return versions.last(self.catalog)

    def count_records(
        self, entity: str | Entity, query: Query | None = None, *, context: Context | None = None
    ) -> int:
        """Return how many records of an entity are in a query, each counted once."""
        self.catalog.follow()
        return reading.count(layout(self.catalog, entity), self._span(query, context))

    def buckets(
        self, entity: str | Entity, columns: Sequence[str], query: Query | None = None
    ) -> dict[int, tuple[int, str]]:
        """Return number and digest of these columns of the records in each bucket of ids."""
        self.catalog.follow()
        return bucketing.digests(layout(self.catalog, entity), columns, self._span(query, None))

    def hashes(
        self,
        entity: str | Entity,
        columns: Sequence[str],
        query: Query | None,
        buckets: Collection[int],
    ) -> Iterator[Sequence[tuple[str, str]]]:
        """Yield id and hash of these columns of the records in these buckets."""
        self.catalog.follow()
        place, span = layout(self.catalog, entity), self._span(query, None)
        return bucketing.hashes(place, columns, span, buckets)

    def count_longer(self, entity: str | Entity, attribute: str, length: int) -> int:
        """Return how many records hold more than `length` characters in a text attribute."""
        self.catalog.follow()
        return reading.longer(layout(self.catalog, entity), attribute, length)

    def matching(
        self,
        entity: str | Entity,
        query: Query,
        ids: Sequence[str],
        *,
        context: Context | None = None,
    ) -> set[str]:
        """Return those of these ids whose records are in a query now."""
        self.catalog.follow()
        return reading.among(layout(self.catalog, entity), ids, self._span(query, context))

    def highest_version(self, entity: str | Entity) -> int:
        """Return the highest version of any record of an entity, 0 if there is none."""
        self.catalog.follow()
        return reading.highest_version(layout(self.catalog, entity))

    def _span(self, query: Query | None, context: Context | None) -> reading.Span:
        condition, parameters = self._membership(query, context)
        return reading.Span(condition=condition, parameters=parameters)

    def _membership(
        self, query: Query | None, context: Context | None
    ) -> tuple[str, dict[str, Any]]:
        if query is None:
            return "", {}
        known = answering.tables(self.catalog)
        return compiler.compile_filter(query, known, context=_context(None, context), record=RECORD)


def _context(now: datetime | None, context: Context | None) -> Context:
    if context is not None:
        return context
    return Context() if now is None else Context(now=now)


def _int(value: object) -> int | None:
    return value if isinstance(value, int) else None
