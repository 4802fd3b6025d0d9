"""What was written, kept as rows, so that it can be taken back.

An image is one page of writes of one kind on one side. A first load makes one for every page, so
what it costs counts: ids and versions are packed, and creates keep nothing else. A row before a
write is a JSON array of its values; what JSON would not give back as it was is a pair of type and
text: ["decimal", "1.50"], ["float", "1e+300"].
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.utils import timezone

from connections.models import Connection
from organizations.records import Action, Value
from syncjobs.engine.values import Images, Side
from syncjobs.models import Image

_COPY = f"""
    COPY {Image._meta.db_table}
    (run_id, entity_id, side, action, ids, versions, before, at) FROM STDIN
"""
_NULL = "\\N"
_BATCH = 500
_ID = 16


def keep(entity: int, images: Images, run: UUID | None) -> None:
    """Insert an image in the caller's transaction; `run` is None for what no run delivered."""
    values = (
        str(run) if run else _NULL,
        str(entity),
        images.side.value,
        images.action.value,
        _hexadecimal("".join(images.ids).replace("-", "")),
        _hexadecimal(_versions(images.versions).hex()),
        _before(images),
        timezone.now().isoformat(),
    )
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(_COPY) as copy,
    ):
        copy.write("\t".join(values))


def read(row: Image) -> Images:
    """Return an image as the engine gave it."""
    before: Mapping[str, Any] = row.before or {}
    ids = [str(UUID(bytes=raw)) for raw in split(bytes(row.ids))]
    return Images(
        side=Side(row.side),
        action=Action(row.action),
        ids=ids,
        versions=_known_versions(bytes(row.versions), len(ids)),
        columns=tuple(before.get("columns", ())),
        before=[tuple(map(_read, values)) for values in before.get("rows", ())],
    )


def split(packed: bytes) -> Iterator[bytes]:
    """Return the ids of an image one by one, sixteen bytes each."""
    return (packed[at : at + _ID] for at in range(0, len(packed), _ID))


def places(row: Image, wanted: AbstractSet[bytes]) -> dict[bytes, int]:
    """Return where in the image those of the wanted ids stand that it holds."""
    return {raw: place for place, raw in enumerate(split(bytes(row.ids))) if raw in wanted}


def version_at(row: Image, place: int) -> int:
    """Return the version after the write of the id at that place."""
    return _known_versions(bytes(row.versions), len(row.ids) // _ID)[place]


def retain(now: datetime) -> int:
    """Remove images older than their connection keeps them; return how many."""
    removed = 0
    for pk, days in Connection.objects.values_list("pk", "image_days"):
        over = Image.objects.filter(entity__connection=pk, at__lt=now - timedelta(days=days))
        while batch := list(over.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
            removed += Image.objects.filter(pk__in=batch).delete()[0]
    return removed


def _hexadecimal(digits: str) -> str:
    return f"\\\\x{digits}"


def _versions(versions: Sequence[int]) -> bytes:
    # What a hosted organization gives a page of creations is a range.
    if isinstance(versions, range) and versions.step == 1:
        versions = versions[:1]
    return struct.pack(f">{len(versions)}q", *versions)


def _known_versions(packed: bytes, count: int) -> Sequence[int]:
    found = struct.unpack(f">{len(packed) // 8}q", packed)
    return range(found[0], found[0] + count) if len(found) == 1 else found


def _before(images: Images) -> str:
    if images.action is Action.CREATE:
        return _NULL
    rows = [[_written(value) for value in row] for row in images.before]
    document = orjson.dumps({"columns": images.columns, "rows": rows}).decode()
    return document.replace("\\", "\\\\")


def _written(value: Value) -> Value | Sequence[str]:
    if isinstance(value, Decimal):
        return ("decimal", str(value))
    # JSON in the database is a decimal number: it forgets -0.0 and writes 1e300 out.
    return ("float", repr(value)) if isinstance(value, float) else value


def _read(value: Any) -> Value:
    if isinstance(value, list):
        kind, text = value
        return Decimal(text) if kind == "decimal" else float(text)
    found: Value = value
    return found
