"""Digests of many records, made by the database, so that two organizations here compare cheaply.

Values count in their canonical form, so what is equal there is equal here. A bucket is the first
twelve bits of the id; its digest is the sum of the hashes of its records, which needs no order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from psycopg import sql

from organizations.store.layout import Layout
from organizations.store.reading import PAGE, Span, parameters, where
from organizations.tables.database import fetch

BUCKETS = 4096

_BUCKET = sql.SQL("(get_byte(uuid_send({0}), 0) * 16 + get_byte(uuid_send({0}), 1) / 16)")
_HASH = sql.SQL("md5(ROW({})::text)")
_SUMS = sql.SQL(
    "SELECT bucket, count(*), sum(('x' || left(hash, 16))::bit(64)::bigint::numeric)::text || "
    "':' || sum(('x' || right(hash, 16))::bit(64)::bigint::numeric)::text "
    "FROM (SELECT {} AS bucket, {} AS hash FROM {} record{}) hashed GROUP BY bucket"
)
_HASHES = sql.SQL(
    "SELECT record.{}::text, {} FROM {} record{} AND {} = ANY(%(buckets)s) "
    "AND record.{} > %(last)s::uuid ORDER BY record.{} LIMIT %(limit)s"
)
_NOBODY = "00000000-0000-0000-0000-000000000000"


def digests(place: Layout, wanted: Sequence[str], span: Span) -> dict[int, tuple[int, str]]:
    """Return number and digest of the records in each bucket that has any."""
    statement = _SUMS.format(
        _BUCKET.format(place.key), _hash(place, wanted), place.table, where(place, span)
    )
    return {bucket: (count, digest) for bucket, count, digest in fetch(statement, parameters(span))}


def hashes(
    place: Layout, wanted: Sequence[str], span: Span, buckets: Collection[int]
) -> Iterator[Sequence[tuple[str, str]]]:
    """Yield pages of id and hash of the records in these buckets, by id."""
    key = place.key
    statement = _HASHES.format(
        key, _hash(place, wanted), place.table, where(place, span), _BUCKET.format(key), key, key
    )
    values = parameters(span) | {"buckets": sorted(buckets), "limit": PAGE, "last": _NOBODY}
    while rows := fetch(statement, values):
        yield [(str(record), str(digest)) for record, digest in rows]
        values["last"] = rows[-1][0]


def _hash(place: Layout, wanted: Sequence[str]) -> sql.Composable:
    # The order of columns must not depend on the definitions of one organization.
    return _HASH.format(place.select(sorted(wanted), version=False))
