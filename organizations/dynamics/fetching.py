"""`fetchXml=`: the answer of a FetchXML query as records of its entity (dataverse.md 3.3).

Null values are left out; values of linked entities and of aggregates come under their alias.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse

from organizations.dynamics import links, reading, selection
from organizations.dynamics.call import Call, answer
from organizations.dynamics.errors import bad_request
from organizations.dynamics.formatting import formatter
from organizations.dynamics.lookups import primary_names
from organizations.dynamics.names import Shape, property_name
from organizations.dynamics.preferences import FORMATTED, LOGICAL_NAME, NAVIGATION
from organizations.dynamics.rows import ETAG, Document
from organizations.query import fetchxml_reader
from organizations.query.nodes import Link, Query, Selection
from organizations.records import RecordValue, Reference
from organizations.schema import VERSION, Attribute, Entity

_COOKIE = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
_MORE = "Microsoft.Dynamics.CRM.morerecords"
_OWN_VERSION = "own.version"
"""Alias under which the etag's version is asked for; no attribute can be called so."""


def collection(call: Call, shape: Shape) -> HttpResponse:
    """Answer with one page of a FetchXML query's rows."""
    query = fetchxml_reader.read(call.options["fetchXml"], schema=call.catalog.entity)
    if query.entity != shape.entity.name:
        raise bad_request(
            f"Entity name '{query.entity}' of the FetchXML does not match the entity set "
            f"'{shape.entity.set_name}'.",
            "0x80041102",
        )
    query = _paged(query, call.preferences.most)
    found = call.store.query(_versioned(query), context=call.context)
    columns = dict(_columns(query, call.catalog.entity))
    writer = _Writer(call, shape, columns)
    context = selection.context(call, shape.entity.set_name)
    document: Document = {"@odata.context": context} | reading.beside(
        call, lambda: call.store.count(query, context=call.context)
    )
    document |= _paging(call, query, found.more, found.cookie)
    return answer(document | {"value": writer.write(found.rows)})


def _paged(query: Query, most: int) -> Query:
    """Make the page no larger than the organization gives it."""
    return query if query.aggregate else replace(query, count=min(query.count or most, most))


def _versioned(query: Query) -> Query:
    if query.aggregate or query.distinct:
        return query
    return replace(query, select=(*query.select, Selection(VERSION, alias=_OWN_VERSION)))


def _paging(call: Call, query: Query, more: bool, cookie: str) -> Document:
    own: Document = {}
    if more and cookie and call.preferences.wants(_COOKIE):
        own[f"@{_COOKIE}"] = links.wrapped(cookie, query.page + 1, encodings=2)
    if call.preferences.wants(_MORE):
        own[f"@{_MORE}"] = more
    return own


@dataclass(frozen=True, slots=True)
class _Column:
    """What a value of an answer is: an attribute of an entity, shown under `key`."""

    key: str
    attribute: Attribute
    entity: Entity


def _columns(query: Query, entity_of: Callable[[str], Entity]) -> Iterator[tuple[str, _Column]]:
    """Yield the name of each value in the store's rows, and what it is."""
    yield from _selected(query, entity_of(query.entity), "")
    for link in query.links:
        yield from _linked(link, entity_of)


def _linked(link: Link, entity_of: Callable[[str], Entity]) -> Iterator[tuple[str, _Column]]:
    yield from _selected(link, entity_of(link.entity), f"{link.alias}." if link.alias else "")
    for inner in link.links:
        yield from _linked(inner, entity_of)


def _selected(source: Query | Link, entity: Entity, prefix: str) -> Iterator[tuple[str, _Column]]:
    for chosen in source.select:
        attribute = entity.attribute(chosen.attribute)
        if attribute is not None and not chosen.aggregate and not chosen.date_grouping:
            name = chosen.alias or f"{prefix}{attribute.name}"
            key = chosen.alias or f"{prefix}{attribute.name}"
            if not prefix and not chosen.alias:
                key = property_name(attribute)
            yield name, _Column(key, attribute, entity)
    if source.select_all or not source.select:
        for attribute in entity.attributes:
            plain = f"{prefix}{attribute.name}"
            yield plain, _Column(plain if prefix else property_name(attribute), attribute, entity)


class _Writer:
    """Turns rows of an answer into JSON objects, with the annotations asked for."""

    def __init__(self, call: Call, shape: Shape, columns: Mapping[str, _Column]) -> None:
        self._call, self._shape, self._columns = call, shape, columns
        wants = call.preferences.wants
        self._wanted = {name for name in (FORMATTED, LOGICAL_NAME, NAVIGATION) if wants(name)}
        language = call.organization.language
        self._forms = {
            name: formatter(column.attribute, language) for name, column in columns.items()
        }

    def write(self, rows: list[dict[str, RecordValue]]) -> list[Document]:
        """Return one object per row."""
        references = (
            (value.entity, value.id)
            for row in rows
            for value in row.values()
            if isinstance(value, Reference)
        )
        names = primary_names(self._call.store, references) if FORMATTED in self._wanted else {}
        return [self._row(row, names) for row in rows]

    def _row(self, row: Mapping[str, RecordValue], names: Mapping[str, str]) -> Document:
        document: Document = {}
        if row.get(_OWN_VERSION) is not None:
            document[ETAG] = f'W/"{row[_OWN_VERSION]}"'
        for name, value in row.items():
            if value is None or name == _OWN_VERSION:
                continue
            column = self._columns.get(name)
            key = column.key if column else name
            for annotation, text in self._annotations(name, value, names).items():
                if annotation in self._wanted and text is not None:
                    document[f"{key}@{annotation}"] = text
            document[key] = value.id if isinstance(value, Reference) else value
        return document

    def _annotations(
        self, name: str, value: RecordValue, names: Mapping[str, str]
    ) -> Mapping[str, Any]:
        if not self._wanted:
            return {}
        if isinstance(value, Reference):
            own = {LOGICAL_NAME: value.entity, FORMATTED: names.get(value.id)}
            column = self._columns.get(name)
            if column is None or column.entity.name != self._shape.entity.name:
                return own
            navigation = self._shape.navigation_of(column.attribute.name, value.entity)
            return {NAVIGATION: navigation} | own
        form = self._forms.get(name)
        return {FORMATTED: form(value)} if form else {}
