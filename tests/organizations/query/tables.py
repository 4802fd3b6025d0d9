"""Three entities with an attribute of every kind, their tables, and records put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from psycopg import sql

from organizations.errors import NotFound
from organizations.query.statements import Statement, TableInfo
from organizations.records import Value
from organizations.schema import (
    Attribute,
    AttributeType,
    ColumnPart,
    DateBehavior,
    Entity,
    columns,
)

SCHEMA = "query % test"
Records = dict[str, list[dict[str, Value]]]


def make_attribute(name: str, type_: AttributeType, **changes: Any) -> Attribute:
    return Attribute(name=name, type=type_, **changes)


def make_lookup(name: str, *targets: str) -> Attribute:
    return make_attribute(name, AttributeType.LOOKUP, targets=targets)


def make_entity(name: str, *attributes: Attribute) -> Entity:
    key = make_attribute(f"{name}id", AttributeType.UNIQUEIDENTIFIER, is_primary_id=True)
    return Entity(name=name, primary_id=key.name, attributes=(key, *attributes))


T = AttributeType
ACCOUNT = make_entity(
    "account",
    make_attribute("name", T.STRING),
    make_attribute("nickname", T.MEMO),
    make_attribute("employees", T.INTEGER),
    make_attribute("visitors", T.BIGINT),
    make_attribute("revenue", T.MONEY, precision=2),
    make_attribute("score", T.DOUBLE),
    make_attribute("active", T.BOOLEAN),
    make_attribute("status", T.STATUS),
    make_attribute("colors", T.MULTISELECT),
    make_attribute("createdon", T.DATETIME),
    make_attribute("founded", T.DATETIME, date_behavior=DateBehavior.DATE_ONLY),
    make_attribute("opens", T.DATETIME, date_behavior=DateBehavior.TIME_ZONE_INDEPENDENT),
    make_lookup("parentid", "account"),
    make_attribute("ownerid", T.OWNER, targets=("systemuser", "team")),
    make_attribute("logo", T.IMAGE),
    make_attribute("gone", T.STRING, is_hidden=True),
)
CONTACT = make_entity(
    "contact",
    make_attribute("fullname", T.STRING),
    make_attribute("age", T.INTEGER),
    make_attribute("born", T.DATETIME, date_behavior=DateBehavior.DATE_ONLY),
    make_lookup("accountid", "account"),
)
TASK = make_entity(
    "task",
    make_attribute("subject", T.STRING),
    make_attribute("due", T.DATETIME),
    make_lookup("contactid", "contact"),
)
ENTITIES = {entity.name: entity for entity in (ACCOUNT, CONTACT, TASK)}
VERSION = Attribute(name="versionnumber", type=T.BIGINT)

_TYPES = {
    T.UNIQUEIDENTIFIER: "uuid",
    T.LOOKUP: "uuid",
    T.OWNER: "uuid",
    T.INTEGER: "integer",
    T.STATUS: "integer",
    T.BIGINT: "bigint",
    T.MONEY: "numeric(38,2)",
    T.DOUBLE: "double precision",
    T.BOOLEAN: "boolean",
}
_DATES = {
    DateBehavior.USER_LOCAL: "timestamptz(0)",
    DateBehavior.DATE_ONLY: "date",
    DateBehavior.TIME_ZONE_INDEPENDENT: "timestamp(0)",
}


def entity(name: str) -> Entity:
    if name not in ENTITIES:
        raise NotFound("entity", name)
    return ENTITIES[name]


def table(name: str) -> TableInfo:
    return TableInfo(SCHEMA, f"{name} table", entity(name), _physical)


def _physical(column: str) -> str:
    return f"{column} %s"


def execute(statement: Statement) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement.text, statement.parameters)
        return list(cursor.fetchall())


def make_tables() -> None:
    with connection.cursor() as cursor:
        drop_tables()
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))
        for made in ENTITIES.values():
            cursor.execute(_create(made))


def drop_tables() -> None:
    with connection.cursor() as cursor:
        statement = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
        cursor.execute(statement.format(sql.Identifier(SCHEMA)))


def _create(made: Entity) -> sql.Composed:
    members = [
        sql.SQL("{} {}").format(sql.Identifier(_physical(name)), sql.SQL(type_))
        for name, type_ in _physical_columns(made)
    ]
    key = sql.Identifier(_physical(made.primary_id))
    return sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(
        sql.Identifier(SCHEMA, f"{made.name} table"), sql.SQL(", ").join(members), key
    )


def _physical_columns(made: Entity) -> list[tuple[str, str]]:
    found = [
        (column.name, "text" if column.part is ColumnPart.TARGET else _type(column.attribute))
        for column in columns(made)
    ]
    return [*found, ("versionnumber", "bigint")]


def _type(attribute: Attribute) -> str:
    if attribute.type is T.DATETIME:
        return _DATES[attribute.date_behavior]
    return _TYPES.get(attribute.type, "text")


def insert(records: Mapping[str, Sequence[Mapping[str, Value]]]) -> None:
    """Insert records; those of one entity have the same attributes."""
    with connection.cursor() as cursor:
        for name, rows in records.items():
            if rows:
                names = list(rows[0])
                values = [row[column] for row in rows for column in names]
                cursor.execute(_insert(name, names, len(rows)), values)


def _insert(name: str, names: Sequence[str], count: int) -> sql.Composed:
    row = sql.SQL("({})").format(sql.SQL(", ").join([sql.Placeholder()] * len(names)))
    return sql.SQL("INSERT INTO {} ({}) VALUES {}").format(
        _quoted(SCHEMA, f"{name} table"),
        sql.SQL(", ").join(_quoted(_physical(column)) for column in names),
        sql.SQL(", ").join([row] * count),
    )


def _quoted(*names: str) -> sql.Identifier:
    return sql.Identifier(*(name.replace("%", "%%") for name in names))


class Neighbours:
    """Linked records in memory, for the matcher."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def entity(self, name: str) -> Entity:
        return entity(name)

    def records(self, entity: str) -> list[dict[str, Value]]:
        return self._records.get(entity, [])
