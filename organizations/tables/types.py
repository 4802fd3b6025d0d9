"""What PostgreSQL stores per attribute type, and how a canonical value is read back.

Text has no length and numbers no scale in the database: both are rules of the metadata, applied
when a value is parsed, so that changing them never touches a row.
"""

from __future__ import annotations

from psycopg import sql

from organizations.schema import AttributeType, Column, ColumnPart, DateBehavior
from organizations.tables import names
from organizations.values import DEFAULT_PRECISION

_TYPES = {
    AttributeType.UNIQUEIDENTIFIER: "uuid",
    AttributeType.LOOKUP: "uuid",
    AttributeType.CUSTOMER: "uuid",
    AttributeType.OWNER: "uuid",
    AttributeType.INTEGER: "integer",
    AttributeType.PICKLIST: "integer",
    AttributeType.STATE: "integer",
    AttributeType.STATUS: "integer",
    AttributeType.BIGINT: "bigint",
    AttributeType.DECIMAL: "numeric",
    AttributeType.MONEY: "numeric",
    AttributeType.DOUBLE: "double precision",
    AttributeType.BOOLEAN: "boolean",
}
_DATES = {
    DateBehavior.USER_LOCAL: "timestamp(0) with time zone",
    DateBehavior.DATE_ONLY: "date",
    DateBehavior.TIME_ZONE_INDEPENDENT: "timestamp(0) without time zone",
}


def sql_type(column: Column) -> str:
    """Return the column's type in the words of PostgreSQL's format_type()."""
    attribute = column.attribute
    if column.part is ColumnPart.TARGET:
        return "text"
    if attribute.type is AttributeType.DATETIME:
        return _DATES[attribute.date_behavior]
    return _TYPES.get(attribute.type, "text")


def canonical(column: Column) -> sql.Composable:
    """Return the SQL expression whose value psycopg reads as the canonical value (`values`)."""
    name = names.column(column.name)
    kind = sql_type(column)
    if kind in ("uuid", "date"):
        return sql.SQL("{}::text").format(name)
    if kind == _DATES[DateBehavior.USER_LOCAL]:
        return sql.SQL("replace(({} AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z'").format(name)
    if kind == _DATES[DateBehavior.TIME_ZONE_INDEPENDENT]:
        return sql.SQL("replace({}::text, ' ', 'T')").format(name)
    if kind == "numeric":
        return sql.SQL("round({}, {})").format(name, sql.Literal(_places(column)))
    return name


def _places(column: Column) -> int:
    precision = column.attribute.precision
    return DEFAULT_PRECISION if precision is None or precision < 0 else precision
