"""The recycle bin: a deleted record comes back whole, under a new version."""

from __future__ import annotations

from psycopg import sql

from organizations.catalog import Catalog
from organizations.errors import AlreadyExists
from organizations.models import DeletedRecord
from organizations.notifications import announce
from organizations.schema import VERSION
from organizations.store import parties, versions
from organizations.store.layout import layout
from organizations.tables import names
from organizations.tables.database import run

_RESTORE = sql.SQL(
    "INSERT INTO {table} ({columns}, {version}) "
    "SELECT {columns}, %(version)s FROM jsonb_populate_record(NULL::{table}, "
    "(SELECT document FROM organizations_deletedrecord WHERE id = %(bin)s)) "
    "ON CONFLICT DO NOTHING"
)
_LOG = sql.SQL(
    "INSERT INTO organizations_changelog "
    "(organization_id, version, entity, record, action, origin, actor, at) "
    "VALUES (%(organization)s, %(version)s, %(entity)s, %(record)s, 'create', %(origin)s, "
    "%(actor)s, now())"
)


def restore(catalog: Catalog, deleted: DeletedRecord, *, actor: str = "", origin: str = "") -> None:
    """Put the record back and take it out of the bin, in the caller's transaction.

    Raises AlreadyExists if the record, or for an intersect its pair, is there again.
    """
    version = versions.take(catalog)
    place = layout(catalog, deleted.entity)
    statement = _RESTORE.format(
        table=place.table,
        columns=sql.SQL(", ").join(map(names.column, place.columns)),
        version=names.column(VERSION),
    )
    if not run(statement, {"version": version, "bin": deleted.pk}):
        raise AlreadyExists(deleted.entity, str(deleted.record))
    values = {"organization": catalog.organization.pk, "version": version}
    values |= {"entity": deleted.entity, "record": deleted.record}
    run(_LOG, values | {"origin": origin, "actor": actor})
    parties.rewrite(catalog, place, [str(deleted.record)])
    DeletedRecord.objects.filter(pk=deleted.pk).delete()
    written = range(version, version + 1)
    announce(catalog.organization, origin=origin, versions=written)
