"""Reading the change log: what happened since a version, in the order it was committed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from psycopg import sql

from organizations.models import ChangeLog
from organizations.records import Action, Change
from organizations.store.layout import Layout
from organizations.tables.database import fetch, one

_DELETED = sql.SQL(
    "SELECT DISTINCT record::text FROM organizations_changelog log "
    "WHERE organization_id = %(organization)s AND entity = %(entity)s AND action = 'delete' "
    "AND version > %(since)s AND version <= %(until)s "
    "AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.{key} = log.record) ORDER BY 1"
)

_TOLD = """
    SELECT organization.row_version, log.*
    FROM organizations_organization organization LEFT JOIN LATERAL (
        SELECT entity, record::text, action, version, actor, at, values::text
        FROM organizations_changelog
        WHERE organization_id = organization.id AND version > %(since)s
            AND entity = ANY(%(names)s) AND origin IS DISTINCT FROM %(origin)s
        ORDER BY version LIMIT %(limit)s
    ) log ON true WHERE organization.id = %(organization)s
"""
_BEFORE = """
    SELECT version FROM organizations_changelog
    WHERE organization_id = %(organization)s AND at < %(moment)s
    ORDER BY version DESC LIMIT 1
"""


class Entry(NamedTuple):
    """One row of the log; `values` is JSON, {column: [old, new]}, or None where not known."""

    entity: str
    record: str
    action: str
    version: int
    actor: str
    at: datetime
    values: str | None


def entries(
    organization_id: UUID, names: Collection[str], since: int, *, exclude_origin: str, limit: int
) -> tuple[list[Entry], int]:
    """Return at most `limit` entries of these entities after `since`, oldest first.

    With them, as of the same moment, the last version that was committed. What
    `exclude_origin` wrote is left out.
    """
    parameters: dict[str, Any] = {"organization": organization_id, "names": list(names)}
    parameters |= {"since": since, "origin": exclude_origin or None, "limit": limit}
    rows = fetch(_TOLD, parameters)
    last = int(rows[0][0]) if rows else 0
    return [Entry(*row[1:]) for row in rows if row[1] is not None], last


def last_before(organization_id: UUID, moment: datetime) -> int:
    """Return the highest version that was logged before a moment, 0 if there is none."""
    row = one(_BEFORE, {"organization": organization_id, "moment": moment})
    return int(row[0]) if row else 0


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
