"""Pages of the Web API as flat canonical rows (dataverse.md §0, §3.1, §3.4).

The fast way decodes a page into Structs made for the reading, and proves its columns canonical
(`canonical`). A page that resists, because one record is bad or a server is unusual, is decoded
value by value with `organizations.values.parse`, and each bad record becomes a Rejection.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import astuple

from connections.connectors.dynamics import canonical
from connections.connectors.dynamics.canonical import Doubtful, Finish, Values
from connections.connectors.dynamics.client import not_json
from connections.connectors.dynamics.columns import Shape, wire_name
from connections.errors import MetadataChanged
from organizations.records import Rejection, Row, Value
from organizations.schema import VERSION, Column, ColumnPart
from organizations.values import InvalidValue, guid, parse

_DELETED = "/$deletedEntity"
_ETAG = "@odata.etag"
_SUSPICIOUS = re.compile(rb"\\(?:u(?:00[01]|[dD][89a-fA-F]|[fF]{3}[eEfF])|[bf])")
"""Escapes that may stand for characters XML cannot carry; an escaped backslash before them only
costs a closer look. Unescaped, only U+FFFE and U+FFFF can stand in JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The records of one page of the Web API."""

    rows: Sequence[Row] = ()
    versions: Sequence[int] = ()
    rejected: Sequence[Rejection] = ()
    deleted: Sequence[str] = ()


@dataclass(slots=True)
class PageDecoder:
    """Decodes pages of one shape; make one per reading."""

    shape: Shape
    _decoder: msgspec.json.Decoder[Any] = field(init=False)
    _finishers: Sequence[tuple[int, Finish]] = field(init=False)
    _texts: Sequence[int] = field(init=False)
    _pairs: Sequence[int] = field(init=False)

    def __post_init__(self) -> None:
        """Make the Struct: one field per column, and the version at its end."""
        columns = self.shape.columns
        record = _record_type(self.shape)
        page = msgspec.defstruct("Page", [("value", list[record])])  # type: ignore[valid-type]
        self._decoder = msgspec.json.Decoder(page)
        values = [(at, c) for at, c in enumerate(columns) if c.part is ColumnPart.VALUE]
        found = ((at, canonical.finish(column.attribute)) for at, column in values)
        self._finishers = [(at, finish) for at, finish in found if finish is not None]
        self._texts = [at for at, column in enumerate(columns) if canonical.is_text(column)]
        self._pairs = [at for at, c in enumerate(columns) if c.part is ColumnPart.TARGET]

    def decode(self, body: bytes) -> Decoded:
        """Return the records of a page. Raises Retryable if it is no JSON, MetadataChanged."""
        try:
            return self._fast(body)
        except (msgspec.DecodeError, Doubtful):
            return self._slow(_records(body))

    def decode_delta(self, body: bytes) -> Decoded:
        """Return the records of a page of changes, and the ids it reports as deleted."""
        if _DELETED.encode() not in body:
            return self.decode(body)
        found = _records(body)
        gone = [item for item in found if str(item.get("@odata.context")).endswith(_DELETED)]
        live = [item for item in found if not str(item.get("@odata.context")).endswith(_DELETED)]
        decoded = self._slow(live)
        ids = [guid(item.get("id")) for item in gone]
        return Decoded(
            rows=decoded.rows,
            versions=decoded.versions,
            rejected=decoded.rejected,
            deleted=ids,
        )

    def _fast(self, body: bytes) -> Decoded:
        records = self._decoder.decode(body).value
        if not records:
            return Decoded()
        table: list[Values] = list(zip(*map(astuple, records), strict=True))
        versions = self._versions(table.pop())
        self._clean(table, body)
        for at, finish in self._finishers:
            table[at] = finish(table[at])
        for at in self._pairs:
            if table[at].count(None) != table[at - 1].count(None):
                raise Doubtful
        return Decoded(rows=list(zip(*table, strict=True)), versions=versions)

    def _versions(self, marks: Values) -> Sequence[int]:
        if not self.shape.has_version:
            return [version_of(etag) for etag in marks]
        if None in marks:
            raise Doubtful
        return marks

    def _clean(self, table: list[Values], body: bytes) -> None:
        """Make texts canonical; what a look at the bytes excludes is not looked for in values."""
        # One byte is found far faster than two, and is rare in the scripts of Europe.
        doubtful = _SUSPICIOUS.search(body) or (b"\xef" in body and b"\xef\xbf" in body)
        for at in self._texts:
            if doubtful or "" in table[at]:
                table[at] = canonical.clean_text(table[at])

    def _slow(self, records: Sequence[Mapping[str, Any]]) -> Decoded:
        rows: list[Row] = []
        versions: list[int] = []
        rejected: list[Rejection] = []
        for record in records:
            try:
                rows.append(self._row(record))
                versions.append(_version(record))
            except InvalidValue as error:
                id_ = str(record.get(self.shape.entity.primary_id))
                rejected.append(Rejection(id=id_, code="invalid-value", message=str(error)))
        return Decoded(rows=rows, versions=versions, rejected=rejected)

    def _row(self, record: Mapping[str, Any]) -> Row:
        if not record.get(self.shape.entity.primary_id):
            raise MetadataChanged(
                f"Records of '{self.shape.entity.name}' come without their primary id "
                f"'{self.shape.entity.primary_id}'. Run Update Server."
            )
        return tuple(_value(column, record) for column in self.shape.columns)


def version_of(etag: str | None) -> int:
    """Return the version in an etag ``W/"123"``; 0 where it is not a number (dataverse.md §3.1)."""
    digits = (etag or "").removeprefix("W/").strip('"')
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _record_type(shape: Shape) -> Any:
    fields: list[tuple[str, Any, Any]] = []
    for at, column in enumerate(shape.columns):
        kind, name = canonical.wire_type(column), wire_name(column)
        if column.name == shape.entity.primary_id:
            fields.append((f"f{at}", kind, msgspec.field(name=name)))
        else:
            fields.append((f"f{at}", kind | None, msgspec.field(default=None, name=name)))
    mark, kind = (VERSION, int) if shape.has_version else (_ETAG, str)
    fields.append(("version", kind | None, msgspec.field(default=None, name=mark)))
    return msgspec.defstruct("Record", fields, gc=False, kw_only=True)


def _records(body: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(body, parse_float=Decimal)["value"]
        return [record for record in found if isinstance(record, dict)]
    except (ValueError, TypeError, KeyError) as error:
        raise not_json() from error


def _value(column: Column, record: Mapping[str, Any]) -> Value:
    name = wire_name(column)
    if column.part is ColumnPart.VALUE:
        return parse(column.attribute, record.get(name))
    if not record.get(name.partition("@")[0]):
        return None
    target = record.get(name) or (
        column.attribute.targets[0] if len(column.attribute.targets) == 1 else None
    )
    if isinstance(target, str):
        return target
    raise InvalidValue(
        f"Attribute '{column.attribute.name}' refers to a record without saying of which entity."
    )


def _version(record: Mapping[str, Any]) -> int:
    number = record.get(VERSION)
    return number if isinstance(number, int) else version_of(record.get(_ETAG))
