"""Reading the change log: what happened since a version, in the order it was committed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet
from psycopg import sql

from organizations.models import ChangeLog
from organizations.records import Action, Change
from organizations.store.layout import Layout
from organizations.tables.database import fetch

_DELETED = sql.SQL(
    "SELECT DISTINCT record::text FROM organizations_changelog log "
    "WHERE organization_id = %(organization)s AND entity = %(entity)s AND action = 'delete' "
    "AND version > %(since)s AND version <= %(until)s "
    "AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.{key} = log.record) ORDER BY 1"
)


def changes(
    organization_id: UUID,
    since: int,
    *,
    entity: str | None = None,
    exclude_origin: str = "",
    limit: int = 5000,
) -> list[Change]:
    """Return at most `limit` changes with versions above `since`, oldest first.

    `exclude_origin` leaves out what that connection wrote itself.
    """
    rows: QuerySet[ChangeLog] = ChangeLog.objects.filter(
        organization_id=organization_id, version__gt=since
    )
    if entity is not None:
        rows = rows.filter(entity=entity)
    if exclude_origin:
        rows = rows.exclude(origin=exclude_origin)
    wanted = ("entity", "record", "action", "version", "origin")
    return [
        Change(entity=name, id=str(record), action=Action(action), version=version, origin=origin)
        for name, record, action, version, origin in rows.order_by("version").values_list(*wanted)[
            :limit
        ]
    ]


def deleted(organization_id: UUID, place: Layout, *, since: int, until: int) -> Sequence[str]:
    """Return ids of records deleted after `since` that have not come back."""
    values = {"organization": organization_id, "entity": place.entity.name}
    statement = _DELETED.format(table=place.table, key=place.key)
    return [row[0] for row in fetch(statement, values | {"since": since, "until": until})]
