"""Flat rows of the store as JSON objects, compiled once per entity and selection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any

import orjson

from organizations.formatting import formatter
from organizations.odata.edmx import NAMESPACE, type_of
from organizations.odata.names import Shape, property_name
from organizations.records import Row, Value
from organizations.schema import VERSION, Attribute, AttributeType, DateBehavior
from organizations.store import Store
from organizations.store.naming import primary_names

Document = dict[str, Any]
ETAG, TYPE = "@odata.etag", "@odata.type"
_TOLD_BY_JSON = frozenset({"Edm.String", "Edm.Boolean"})
"""Types that JSON has words for."""
FORMATTED = "RescoCloud.FormattedValue"
LOGICAL_NAME = "RescoCloud.LookupLogicalName"
"""Which entity a lookup points to; no name for it is published (assumed)."""
_LARGE = frozenset({AttributeType.BIGINT, AttributeType.DECIMAL, AttributeType.MONEY})
"""Types whose numbers no double holds: Edm.Int64 and Edm.Decimal."""


def etag(version: object) -> str:
    """Return the etag of a version: 32 hexadecimal digits, as the original's (resco.md §3.2)."""
    return f'W/"{version:032x}"'


def version_of(text: str) -> int | None:
    """Return the version that an etag stands for; None for one that is not ours."""
    digits = text.strip().removeprefix("W/").strip('"')
    try:
        return int(digits, 16) if len(digits) == 32 else None
    except ValueError:
        return None


class RowPrinter:
    """Turns flat rows of one entity into JSON objects.

    `columns` are what a page of the store must hold, in this order; rows carry the version last.
    With `root`, the address of the service, types and links stand in the objects too
    (`odata.metadata=full`: JSON format, 4.5).
    """

    def __init__(
        self,
        shape: Shape,
        attributes: Sequence[Attribute],
        language: int,
        *,
        is_annotated: bool = False,
        as_text: bool = False,
        root: str = "",
    ) -> None:
        """Work out columns and keys. With `as_text` large numbers are written as text."""
        self.shape, self._root = shape, root
        self._attributes, self._is_annotated = attributes, is_annotated
        self.columns = [shape.entity.primary_id]
        for attribute in attributes:
            self._add_columns(attribute)
        self._places = {name: at for at, name in enumerate(self.columns)} | {VERSION: -1}
        self._keys = [ETAG, *map(property_name, attributes)]
        self._pick = itemgetter(-1, *(self._places[item.name] for item in attributes), -1)
        self._convert = {
            property_name(item): convert
            for item in attributes
            if (convert := _converter(item, as_text=as_text)) is not None
        }
        self._forms = {item.name: formatter(item, language) for item in attributes}

    def _add_columns(self, attribute: Attribute) -> None:
        if attribute.name == VERSION:
            return
        names = [attribute.name] + ([f"{attribute.name}__type"] if attribute.is_polymorphic else [])
        self.columns += [name for name in names if name not in self.columns]

    def write(self, store: Store, rows: Sequence[Row]) -> list[Document]:
        """Return one object per row."""
        documents = list(map(self._document, rows))
        if self._is_annotated:
            self._annotate(store, rows, documents)
        if not self._root:
            return documents
        types = {property_name(item): type_of(item) for item in self._attributes}
        told = {name: kind for name, kind in types.items() if kind not in _TOLD_BY_JSON}
        pairs = zip(rows, documents, strict=True)
        return [self._complete(str(row[0]), document, told) for row, document in pairs]

    def _complete(self, record_id: str, document: Document, types: Mapping[str, str]) -> Document:
        """Return an object with its type and address, the types of its values, and its links."""
        name = self.shape.entity.name
        address = f"{self._root}{name}('{record_id}')"
        made: Document = {TYPE: f"#{NAMESPACE}.{name}", "@odata.id": address}
        made |= {ETAG: document.pop(ETAG), "@odata.editLink": address}
        for key, value in document.items():
            if key in types and value is not None:
                made[f"{key}{TYPE}"] = f"#{types[key].removeprefix('Edm.')}"
            made[key] = value
        for link in self.shape.navigations.values():
            if link.attribute in self._attributes:
                made[f"{link.name}@odata.associationLink"] = f"{address}/{link.name}/$ref"
                made[f"{link.name}@odata.navigationLink"] = f"{address}/{link.name}"
        return made

    def _document(self, row: Row) -> Document:
        document: Document = dict(zip(self._keys, self._pick(row), strict=False))
        document[ETAG] = etag(row[-1])
        for key, convert in self._convert.items():
            if document[key] is not None:
                document[key] = convert(document[key])
        return document

    def _annotate(self, store: Store, rows: Sequence[Row], documents: Sequence[Document]) -> None:
        labels = primary_names(store, self._references(rows))
        for row, document in zip(rows, documents, strict=True):
            for attribute in self._attributes:
                value = row[self._places[attribute.name]]
                if value is not None:
                    document.update(self._annotations(attribute, row, value, labels))

    def _annotations(
        self, attribute: Attribute, row: Row, value: Value, labels: Mapping[str, str]
    ) -> Document:
        key = property_name(attribute)
        if attribute.is_lookup:
            told: Document = {f"{key}@{LOGICAL_NAME}": self._target(attribute, row)}
            label = labels.get(str(value))
            return told | ({f"{key}@{FORMATTED}": label} if label else {})
        form = self._forms[attribute.name]
        text = form(value) if form else None
        return {} if text is None else {f"{key}@{FORMATTED}": text}

    def _references(self, rows: Sequence[Row]) -> list[tuple[str, str]]:
        return [
            (self._target(item, row), str(row[self._places[item.name]]))
            for item in self._attributes
            if item.is_lookup
            for row in rows
            if row[self._places[item.name]] is not None
        ]

    def _target(self, attribute: Attribute, row: Row) -> str:
        if attribute.is_polymorphic:
            return str(row[self._places[f"{attribute.name}__type"]])
        return attribute.targets[0]


def _converter(attribute: Attribute, *, as_text: bool) -> Callable[[Any], Any] | None:
    """Return what makes a canonical value that of the wire, where the two differ.

    All dates are Edm.DateTimeOffset (resco.md §3.1), so those without a zone are told as UTC. A
    party list is a list of objects (assumed).
    """
    if as_text and (attribute.type in _LARGE or attribute.name == VERSION):
        return lambda value: format(value, "f") if isinstance(value, Decimal) else str(value)
    if attribute.type is AttributeType.PARTYLIST:
        return _parties
    if attribute.type is not AttributeType.DATETIME:
        return None
    if attribute.date_behavior is DateBehavior.DATE_ONLY:
        return lambda value: f"{value}T00:00:00Z"
    if attribute.date_behavior is DateBehavior.TIME_ZONE_INDEPENDENT:
        return lambda value: f"{value}Z"
    return None


def _parties(text: str) -> list[Document]:
    return [
        {"participationtypemask": mask, "entity": entity or None, "party": party}
        for mask, entity, party in orjson.loads(text)
    ]
