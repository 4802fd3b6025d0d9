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
from connections.errors import MetadataChanged, Retryable
from organizations.records import Rejection, Row, Value
from organizations.schema import VERSION, ColumnPart
from organizations.values import InvalidValue, guid, parse

_DELETED = b"/$deletedEntity"
_ETAG = "@odata.etag"
_SUSPICIOUS = re.compile(rb"\\u(?:00[01]|[dD][89a-fA-F]|[fF]{3}[eEfF])|\\[bf]")
"""Escapes that may stand for characters XML cannot carry; an escaped backslash before them only
costs a closer look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The records of one page of the Web API."""

    rows: Sequence[Row] = ()
    versions: Sequence[int] = ()
    rejected: Sequence[Rejection] = ()
    deleted: Sequence[str] = ()


class Envelope(msgspec.Struct):
    """What surrounds the records of a page; `value` is undecoded JSON."""

    value: msgspec.Raw
    next_link: str = msgspec.field(default="", name="@odata.nextLink")
    delta_link: str = msgspec.field(default="", name="@odata.deltaLink")
    cookie: str = msgspec.field(default="", name="@Microsoft.Dynamics.CRM.fetchxmlpagingcookie")
    more: bool = msgspec.field(default=False, name="@Microsoft.Dynamics.CRM.morerecords")


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
        self._decoder = msgspec.json.Decoder(list[_record_type(self.shape)])  # type: ignore[misc]
        values = [(at, c) for at, c in enumerate(columns) if c.part is ColumnPart.VALUE]
        found = ((at, canonical.finish(column.attribute)) for at, column in values)
        self._finishers = [(at, finish) for at, finish in found if finish is not None]
        self._texts = [at for at, column in enumerate(columns) if canonical.is_text(column)]
        self._pairs = [at for at, c in enumerate(columns) if c.part is ColumnPart.TARGET]

    def decode(self, raw: bytes) -> Decoded:
        """Return the records in the JSON array `raw`. Raises Retryable if it is no JSON."""
        deleted: Sequence[str] = ()
        if _DELETED in raw:
            raw, deleted = _without_deleted(raw)
        try:
            rows, versions = self._fast(raw)
        except (msgspec.DecodeError, Doubtful):
            return self._slow(raw, deleted)
        return Decoded(rows=rows, versions=versions, deleted=deleted)

    def _fast(self, raw: bytes) -> tuple[Sequence[Row], Sequence[int]]:
        records = self._decoder.decode(raw)
        if not records:
            return (), ()
        table: list[Values] = list(zip(*map(astuple, records), strict=True))
        versions = table.pop()
        if self.shape.has_version and None in versions:
            raise Doubtful
        if b'""' in raw or (b"\\" in raw and _SUSPICIOUS.search(raw)) or b"\xef\xbf" in raw:
            for at in self._texts:
                table[at] = canonical.clean_text(table[at])
        for at, finish in self._finishers:
            table[at] = finish(table[at])
        for at in self._pairs:
            if table[at].count(None) != table[at - 1].count(None):
                raise Doubtful
        if not self.shape.has_version:
            versions = [version_of(etag) for etag in versions]
        return list(zip(*table, strict=True)), versions

    def _slow(self, raw: bytes, deleted: Sequence[str]) -> Decoded:
        rows: list[Row] = []
        versions: list[int] = []
        rejected: list[Rejection] = []
        for record in _records(raw):
            try:
                rows.append(self._row(record))
                versions.append(_version(record))
            except InvalidValue as error:
                id_ = str(record.get(self.shape.entity.primary_id))
                rejected.append(Rejection(id=id_, code="invalid-value", message=str(error)))
        return Decoded(rows=rows, versions=versions, rejected=rejected, deleted=deleted)

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


def envelope(body: bytes, url: str) -> Envelope:
    """Return the page around its records. Raises Retryable if it is no page."""
    try:
        return msgspec.json.decode(body, type=Envelope)
    except msgspec.DecodeError as error:
        raise not_json(url) from error


def next_link(body: bytes) -> str | None:
    """Return the page's nextLink from its last bytes; None: look closer with `envelope`.

    Inside a text the quotes would be escaped, so what is found is the member itself.
    """
    tail = body[-65536:]
    start = tail.rfind(b'"@odata.nextLink":"')
    if start < 0:
        return None
    end = tail.find(b'"', start + 19)
    return str(msgspec.json.decode(tail[start + 18 : end + 1], type=str)) if end > 0 else None


def _record_type(shape: Shape) -> Any:
    fields: list[tuple[str, Any, Any]] = []
    for at, column in enumerate(shape.columns):
        is_id = column.attribute.is_primary_id or column.name == shape.entity.primary_id
        kind = canonical.wire_type(column)
        absent = msgspec.field(name=wire_name(column)) if is_id else _null(wire_name(column))
        fields.append((f"f{at}", kind if is_id else kind | None, absent))
    mark = VERSION if shape.has_version else _ETAG
    fields.append(("version", (int if shape.has_version else str) | None, _null(mark)))
    return msgspec.defstruct("Record", fields, gc=False, kw_only=True)


def _null(name: str) -> Any:
    return msgspec.field(default=None, name=name)


def _without_deleted(raw: bytes) -> tuple[bytes, Sequence[str]]:
    left: list[bytes] = []
    ids: list[str] = []
    for item in msgspec.json.decode(raw, type=list[msgspec.Raw]):
        mark = msgspec.json.decode(item, type=_Mark) if _DELETED in bytes(item) else _Mark()
        if mark.context.endswith("/$deletedEntity"):
            ids.append(guid(mark.id))
        else:
            left.append(bytes(item))
    return b"[" + b",".join(left) + b"]", ids


class _Mark(msgspec.Struct):
    context: str = msgspec.field(default="", name="@odata.context")
    id: str = ""


def _records(raw: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(raw, parse_float=Decimal)
    except ValueError as error:
        raise Retryable("A page of records cannot be read as JSON.", code="json") from error
    return [record for record in found if isinstance(record, dict)]


def _value(column: Any, record: Mapping[str, Any]) -> Value:
    name = wire_name(column)
    if column.part is ColumnPart.VALUE:
        return parse(column.attribute, record.get(name))
    value, target = record.get(name.partition("@")[0]), record.get(name)
    if value is None:
        return None
    if isinstance(target, str) and target:
        return target
    if len(column.attribute.targets) == 1:
        return str(column.attribute.targets[0])
    raise InvalidValue(
        f"Attribute '{column.attribute.name}' refers to a record without saying of which entity."
    )


def _version(record: Mapping[str, Any]) -> int:
    number = record.get(VERSION)
    return int(number) if isinstance(number, int) else version_of(record.get(_ETAG))
