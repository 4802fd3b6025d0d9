"""Activity parties: rows that repeat the party lists of their activity (design 5.1.1).

They are owned by the activity: written, replaced and removed with it, under its version, without
a log entry of their own. Where `activityparty` is not enabled, the party lists alone are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from organizations.catalog import Catalog
from organizations.schema import VERSION
from organizations.store.layout import Layout, layout
from organizations.tables import names
from organizations.tables.database import run

ENTITY = "activityparty"
_GUID = "party.id ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'"
_KEY = "md5(concat_ws('|', activity.{key}, mask, party.entity, party.id))::uuid"
_SOURCES = {
    "activityid": "activity.{key}",
    "activityid__type": "{entity}",
    "partyid": f"CASE WHEN {_GUID} THEN party.id::uuid END",
    "partyid__type": f"CASE WHEN {_GUID} THEN party.entity END",
    "participationtypemask": "mask",
    "addressused": f"CASE WHEN NOT {_GUID} THEN party.id END",
}
_INSERT = sql.SQL(
    "INSERT INTO {parties} ({columns}, {version}) "
    "SELECT DISTINCT {sources}, activity.{version} FROM {table} activity, "
    "LATERAL (VALUES {lists}) AS list(parties), "
    "LATERAL jsonb_array_elements(list.parties::jsonb) AS item, "
    "LATERAL (SELECT (item->>0)::int AS mask, item->>1 AS entity, item->>2 AS id) AS party "
    "WHERE activity.{key} = ANY(%s::uuid[]) ON CONFLICT DO NOTHING"
)


def rewrite(catalog: Catalog, activity: Layout, ids: Sequence[str]) -> None:
    """Make the party rows of these activities anew from their party lists."""
    if not _has_parties(catalog, activity):
        return
    target = layout(catalog, ENTITY)
    run(_delete(target), [list(ids)])
    run(_insert(target, activity), [list(ids)])


def remove_orphans(catalog: Catalog, activity: Layout, ids: Sequence[str]) -> None:
    """Remove the party rows of those of these activities that are gone."""
    if not _has_parties(catalog, activity):
        return
    gone = sql.SQL(
        "{} AND NOT EXISTS (SELECT 1 FROM {} activity WHERE activity.{} = party.activityid)"
    )
    statement = gone.format(_delete(layout(catalog, ENTITY)), activity.table, activity.key)
    run(statement, [list(ids)])


def _has_parties(catalog: Catalog, activity: Layout) -> bool:
    return bool(activity.party_lists) and catalog.enabled(ENTITY)


def _delete(target: Layout) -> sql.Composed:
    statement = sql.SQL("DELETE FROM {} party WHERE party.activityid = ANY(%s::uuid[])")
    return statement.format(target.table)


def _insert(target: Layout, activity: Layout) -> sql.Composed:
    every = {target.entity.primary_id: _KEY, **_SOURCES}
    columns = [name for name in every if name in target.columns]
    parts = {"key": activity.key, "entity": sql.Literal(activity.entity.name)}
    sources = [sql.SQL(every[name]).format(**parts) for name in columns]
    lists = [sql.SQL("(activity.{})").format(names.column(name)) for name in activity.party_lists]
    return _INSERT.format(
        parties=target.table,
        columns=sql.SQL(", ").join(map(names.column, columns)),
        version=names.column(VERSION),
        sources=sql.SQL(", ").join(sources),
        table=activity.table,
        lists=sql.SQL(", ").join(lists),
        key=activity.key,
    )
