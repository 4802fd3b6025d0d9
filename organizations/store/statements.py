"""The SQL of merges: `s` is the stage, `t` the table; ordinals low..high-1 are meant.

`shift` turns an ordinal into the version of its row.
"""

from __future__ import annotations

from psycopg import sql

_INSERT = (
    "INSERT INTO {table} ({columns}, {version}) "
    "SELECT {columns}, ord + %(shift)s FROM {stage} WHERE ord >= %(low)s AND ord < %(high)s"
)
_LOG = (
    "INSERT INTO organizations_changelog "
    "(organization_id, version, entity, record, action, origin, actor, at) "
    "SELECT %(organization)s, ord + %(shift)s, %(entity)s, {key}, %(action)s, %(origin)s, "
    "%(actor)s, now() FROM {stage} WHERE ord >= %(low)s AND ord < %(high)s"
)
CREATE_LOGGED = sql.SQL(f"WITH made AS ({_INSERT}) {_LOG}")
CREATE_MISSING = sql.SQL(_INSERT + " ON CONFLICT DO NOTHING")
UPDATE = sql.SQL(
    "UPDATE {table} t SET {assignments}{version} = s.ord + %(shift)s FROM {stage} s "
    "WHERE t.{key} = s.{key} AND t.{version} = s.expected "
    "AND s.ord >= %(low)s AND s.ord < %(high)s"
)
LOG = sql.SQL(_LOG)
LOG_WRITTEN = sql.SQL(
    "INSERT INTO organizations_changelog "
    "(organization_id, version, entity, record, action, origin, actor, at) "
    "SELECT %(organization)s, t.{version}, %(entity)s, t.{key}, %(action)s, %(origin)s, "
    "%(actor)s, now() FROM {stage} s JOIN {table} t ON t.{key} = s.{key} "
    "AND t.{version} = s.ord + %(shift)s WHERE s.ord >= %(low)s AND s.ord < %(high)s"
)
DELETE = sql.SQL(
    "WITH gone AS ("
    "DELETE FROM {table} t USING {stage} s WHERE t.{key} = s.{key} "
    "AND t.{version} = s.expected AND s.ord >= %(low)s AND s.ord < %(high)s "
    "RETURNING t.{key} AS record, s.ord + %(shift)s AS version, to_jsonb(t) AS document"
    "), kept AS ("
    "INSERT INTO organizations_deletedrecord "
    "(organization_id, entity, record, version, origin, actor, document, at) "
    "SELECT %(organization)s, %(entity)s, record, version, %(origin)s, %(actor)s, document, now() "
    "FROM gone) "
    "INSERT INTO organizations_changelog "
    "(organization_id, version, entity, record, action, origin, actor, at) "
    "SELECT %(organization)s, version, %(entity)s, record, %(action)s, %(origin)s, %(actor)s, "
    "now() FROM gone"
)
UNWRITTEN = sql.SQL(
    "SELECT DISTINCT ON (s.ord) s.ord - %(first)s, t.{key}::text, t.{version}, "
    "coalesce({pair}, false) AS is_pair FROM {stage} s "
    "LEFT JOIN {table} t ON t.{key} = s.{key} OR {pair} "
    "WHERE s.ord >= %(first)s AND s.ord < %(first)s + %(size)s AND NOT EXISTS ("
    "SELECT 1 FROM organizations_changelog "
    "WHERE organization_id = %(organization)s AND version = s.ord + %(shift)s) "
    "ORDER BY s.ord, is_pair DESC"
)
