"""Rows of a whole query as JSON objects: own columns, linked ones and aggregates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from organizations.dynamics.call import Call
from organizations.dynamics.names import Shape, property_name
from organizations.dynamics.preferences import FORMATTED, LOGICAL_NAME, NAVIGATION
from organizations.dynamics.rows import ETAG, Document
from organizations.formatting import formatter
from organizations.query.analysis import shown, sources
from organizations.query.nodes import Link, Query
from organizations.records import RecordValue, Reference
from organizations.schema import Attribute, Entity
from organizations.store.naming import primary_names

OWN_VERSION = "own.version"
"""Alias under which the etag's version is asked for; no attribute can be called so."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a value of an answer is: an attribute of an entity, shown under `key`."""

    key: str
    attribute: Attribute
    entity: Entity


def columns(query: Query, entity_of: Callable[[str], Entity]) -> Iterator[tuple[str, Column]]:
    """Yield the name of each value in the store's rows, and what it is."""
    for source, prefix in sources(query):
        yield from _selected(source, entity_of(source.entity), prefix)


def _selected(source: Query | Link, entity: Entity, prefix: str) -> Iterator[tuple[str, Column]]:
    for chosen in source.select:
        attribute = entity.attribute(chosen.attribute)
        if attribute is None:
            continue
        key = chosen.alias or f"{prefix}{attribute.name}"
        name = key
        if not prefix and not chosen.alias:
            key = property_name(attribute)
        yield name, Column(key, shown(chosen, attribute), entity)
    if source.select_all or not source.select:
        for attribute in entity.attributes:
            plain = f"{prefix}{attribute.name}"
            yield plain, Column(plain if prefix else property_name(attribute), attribute, entity)


class RowsWriter:
    """Turns rows of an answer into JSON objects, with the annotations asked for.

    Null values are left out, unless `with_nulls`.
    """

    def __init__(
        self,
        call: Call,
        shape: Shape,
        known: Mapping[str, Column],
        *,
        with_nulls: bool = False,
    ) -> None:
        """Work out what is wanted of each of the `known` columns."""
        self._call, self._shape, self._columns = call, shape, known
        self._with_nulls = with_nulls
        wants = call.preferences.wants
        self._wanted = {name for name in (FORMATTED, LOGICAL_NAME, NAVIGATION) if wants(name)}
        language = call.organization.language
        self._forms = {
            name: formatter(column.attribute, language) for name, column in known.items()
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
        if row.get(OWN_VERSION) is not None:
            document[ETAG] = f'W/"{row[OWN_VERSION]}"'
        for name, value in row.items():
            if name == OWN_VERSION or (value is None and not self._with_nulls):
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
        if not self._wanted or value is None:
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
