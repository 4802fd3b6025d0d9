"""Making, altering and dropping the physical tables of an organization from its metadata.

A table has the columns of `schema.columns(entity)` and `versionnumber`. A removed attribute's
column stays (design 5.1.11), and a column whose attribute came back with another type is put
aside under another name; only `drop` and `drop_columns` remove anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from psycopg import sql

from organizations.errors import SchemaConflict
from organizations.schema import VERSION, Column, Entity, columns
from organizations.tables import names
from organizations.tables.database import fetch, one, run
from organizations.tables.types import sql_type

MOST_COLUMNS = 1500
_PARTY = "activityparty"
_WIDER = frozenset({("integer", "bigint")})


def make_schema(schema: str) -> None:
    """Make the PostgreSQL schema that will hold an organization's tables."""
    run(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))


def drop_schema(schema: str) -> None:
    """Drop an organization's schema with all that is left in it."""
    run(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


def exists(schema: str, entity: str) -> bool:
    """Return whether the entity has a table."""
    return bool(_oid(schema, entity))


def make(schema: str, entity: Entity) -> None:
    """Make the table of an entity with its indexes."""
    names.check(entity)
    wanted = columns(entity)
    _check_count(entity, len(wanted))
    parts = [_definition(column) for column in wanted]
    parts.append(sql.SQL("{} bigint NOT NULL").format(names.column(VERSION)))
    parts.append(sql.SQL("PRIMARY KEY ({})").format(names.column(entity.primary_id)))
    table = names.table(schema, entity.name)
    run(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(parts)))
    for statement in _indexes(table, entity):
        run(statement)


def alter(schema: str, entity: Entity) -> None:
    """Bring an existing table to the entity's columns by at most one ALTER TABLE.

    Raises SchemaConflict if the table would have too many columns.
    """
    names.check(entity)
    present = _present(schema, entity.name)
    wanted = [column for column in columns(entity) if _is_other(present, column)]
    if not wanted:
        return
    aside = [column for column in wanted if _is_in_the_way(present, column)]
    fresh = [column for column in wanted if not _is_wider(present, column)]
    _check_count(entity, _attributes(schema, entity.name) + len(fresh))
    for column in aside:
        _put_aside(schema, entity.name, column, present)
    table = names.table(schema, entity.name)
    actions = [_action(present, column) for column in wanted]
    run(sql.SQL("ALTER TABLE {} {}").format(table, sql.SQL(", ").join(actions)))


def drop_columns(schema: str, entity: Entity, attributes: Collection[str]) -> None:
    """Drop the columns of these attributes with all their values."""
    gone = [item for item in columns(_shown(entity)) if item.attribute.name in attributes]
    present = _present(schema, entity.name)
    found = [names.column(item.name) for item in gone if names.shorten(item.name) in present]
    if found:
        table = names.table(schema, entity.name)
        actions = [sql.SQL("DROP COLUMN {}").format(name) for name in found]
        run(sql.SQL("ALTER TABLE {} {}").format(table, sql.SQL(", ").join(actions)))


def _shown(entity: Entity) -> Entity:
    """Return the entity without anything hidden: hidden attributes keep their columns, too."""
    shown = tuple(replace(item, is_hidden=False) for item in entity.attributes)
    return replace(entity, attributes=shown)


def drop(schema: str, entity: str) -> None:
    """Drop the table of an entity with all its records, or its view."""
    kind = sql.SQL("VIEW" if _oid(schema, entity, "v") else "TABLE")
    run(sql.SQL("DROP {} IF EXISTS {}").format(kind, names.table(schema, entity)))


def make_view(schema: str, entity: str, statement: sql.Composed) -> None:
    """Make or replace the view of an entity by a statement of `view_statement`."""
    drop(schema, entity)
    run(statement)
    comment = sql.SQL("COMMENT ON VIEW {} IS {}")
    run(comment.format(names.table(schema, entity), sql.Literal(_digest(statement))))


def view_statement(
    schema: str, entity: str, wanted: Sequence[sql.Identifier], source: sql.Composable
) -> sql.Composed:
    """Return the SQL that makes a view with these columns of a query.

    It is a barrier: the conditions of a reader see no row that the query leaves out.
    """
    listed, view = sql.SQL(", ").join(wanted), names.table(schema, entity)
    statement = "CREATE VIEW {} WITH (security_barrier) AS SELECT {} FROM ({}) AS source"
    return sql.SQL(statement).format(view, listed, source)


def is_view_of(schema: str, entity: str, statement: sql.Composed) -> bool:
    """Return whether the entity has a view that `make_view` made by this very statement."""
    found = one("SELECT obj_description(%s, 'pg_class')", [_oid(schema, entity, "v")])
    return found == (_digest(statement),)


def _digest(statement: sql.Composed) -> str:
    return f"Made by {sha256(statement.as_string().encode()).hexdigest()}"


def _definition(column: Column) -> sql.Composed:
    kind = sql.SQL(sql_type(column))
    suffix = sql.SQL(" NOT NULL" if column.attribute.is_primary_id else "")
    return sql.SQL("{} {}{}").format(names.column(column.name), kind, suffix)


def _indexes(table: sql.Identifier, entity: Entity) -> Iterator[sql.Composed]:
    plain = sql.SQL("CREATE INDEX ON {} ({})")
    yield plain.format(table, names.column(VERSION))
    pair = entity.intersect
    if pair and {pair.attribute1, pair.attribute2} <= {item.name for item in columns(entity)}:
        first, second = names.column(pair.attribute1), names.column(pair.attribute2)
        yield sql.SQL("CREATE UNIQUE INDEX ON {} ({}, {})").format(table, first, second)
        yield plain.format(table, second)
    if entity.name == _PARTY and entity.attribute("activityid"):
        yield plain.format(table, names.column("activityid"))


def _is_other(present: dict[str, str], column: Column) -> bool:
    return present.get(names.shorten(column.name)) != sql_type(column)


def _is_wider(present: dict[str, str], column: Column) -> bool:
    return (present.get(names.shorten(column.name), ""), sql_type(column)) in _WIDER


def _is_in_the_way(present: dict[str, str], column: Column) -> bool:
    return names.shorten(column.name) in present and not _is_wider(present, column)


def _action(present: dict[str, str], column: Column) -> sql.Composed:
    if _is_wider(present, column):
        kind = sql.SQL(sql_type(column))
        return sql.SQL("ALTER COLUMN {} TYPE {}").format(names.column(column.name), kind)
    return sql.SQL("ADD COLUMN {}").format(_definition(column))


def _put_aside(schema: str, entity: str, column: Column, present: dict[str, str]) -> None:
    kind = present[names.shorten(column.name)].split()[0]
    free = (f"{column.name}__was_{kind}{number or ''}" for number in range(MOST_COLUMNS))
    name = next(item for item in free if names.shorten(item) not in present)
    statement = sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO {}")
    table = names.table(schema, entity)
    run(statement.format(table, names.column(column.name), names.column(name)))


def _present(schema: str, entity: str) -> dict[str, str]:
    rows = fetch(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped",
        [_oid(schema, entity)],
    )
    return dict(rows)


def _attributes(schema: str, entity: str) -> int:
    statement = "SELECT count(*) FROM pg_attribute WHERE attrelid = %s AND attnum > 0"
    row = one(statement, [_oid(schema, entity)])
    return int(row[0]) if row else 0


def _oid(schema: str, entity: str, kind: str = "r") -> int:
    row = one(
        "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = %s AND c.relkind = %s",
        [schema, names.shorten(entity), kind],
    )
    return int(row[0]) if row else 0


def _check_count(entity: Entity, count: int) -> None:
    if count > MOST_COLUMNS:
        raise SchemaConflict(
            f"The table of entity '{entity.name}' would have {count} columns, counting those of "
            f"removed attributes; at most {MOST_COLUMNS} are possible. Leave attributes out."
        )
