"""Records that were made again in bulk get back what only the recycle bin knows of them."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from organizations.catalog import Catalog
from organizations.schema import Entity
from organizations.store import parties
from organizations.store.layout import layout
from organizations.tables import names
from organizations.tables.database import run

_NEWEST = sql.SQL(
    "SELECT DISTINCT ON (record) id, record, document FROM organizations_deletedrecord "
    "WHERE organization_id = %(organization)s AND entity = %(entity)s "
    "AND record = ANY(%(ids)s::uuid[]) ORDER BY record, version DESC"
)
_REFILL = sql.SQL(
    "UPDATE {table} t SET {assignments} "
    "FROM ({newest}) bin, LATERAL jsonb_populate_record(NULL::{table}, bin.document) r "
    "WHERE t.{key} = bin.record"
)
_EMPTY = sql.SQL(
    "DELETE FROM organizations_deletedrecord WHERE id IN (SELECT id FROM ({newest}) bin)"
)


def refill(catalog: Catalog, entity: Entity, ids: Sequence[str], columns: Sequence[str]) -> None:
    """Take records that were just made again out of the bin, in the caller's transaction.

    What they held besides `columns` comes back from there; no version is given, because the
    transaction gave them one. Ids that are not in the bin are left as they are.
    """
    place = layout(catalog, entity)
    known = {*columns, entity.primary_id}
    others = [name for name in place.columns if name not in known]
    values = {"organization": catalog.organization.pk, "entity": entity.name, "ids": list(ids)}
    if others:
        assignments = [sql.SQL("{0} = r.{0}").format(names.column(name)) for name in others]
        statement = _REFILL.format(
            table=place.table,
            key=place.key,
            assignments=sql.SQL(", ").join(assignments),
            newest=_NEWEST,
        )
        run(statement, values)
    if set(place.party_lists) & set(others):
        parties.rewrite(catalog, place, list(ids))
    run(_EMPTY.format(newest=_NEWEST), values)
