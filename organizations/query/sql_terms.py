"""Building blocks of statements: parameters, quoted names, columns and their comparable form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from organizations.query.context import Context
from organizations.query.nodes import Query
from organizations.query.operators import Kind, kind_of
from organizations.query.scope import Scope, Source, scope
from organizations.query.statements import TableInfo, Tables
from organizations.schema import Attribute, AttributeType, ColumnPart, DateBehavior

Term = sql.Composable

TRUE: Term = sql.SQL("TRUE")
FALSE: Term = sql.SQL("FALSE")

_WHOLE_TYPES = frozenset(
    {
        AttributeType.INTEGER,
        AttributeType.BIGINT,
        AttributeType.PICKLIST,
        AttributeType.STATE,
        AttributeType.STATUS,
    }
)
_DATE_TYPES = {
    DateBehavior.USER_LOCAL: sql.SQL("timestamptz"),
    DateBehavior.DATE_ONLY: sql.SQL("date"),
    DateBehavior.TIME_ZONE_INDEPENDENT: sql.SQL("timestamp"),
}
TEXT = sql.SQL("text")
BIGINT = sql.SQL("bigint")


def sql_type(attribute: Attribute) -> sql.SQL:
    """Return the type that parameters compared with an attribute's column have."""
    kind = kind_of(attribute)
    if kind is Kind.DATE:
        return _DATE_TYPES[attribute.date_behavior]
    if kind is Kind.NUMBER:
        if attribute.type in _WHOLE_TYPES:
            return BIGINT
        return sql.SQL("float8" if attribute.type is AttributeType.DOUBLE else "numeric")
    return {Kind.ID: sql.SQL("uuid"), Kind.BOOLEAN: sql.SQL("boolean")}.get(kind, TEXT)


def name(*parts: str) -> Term:
    """Return a quoted identifier; a percent sign would read as a placeholder, so it is doubled."""
    return sql.Identifier(*(part.replace("%", "%%") for part in parts))


COLLATION = sql.Identifier("public", "resco_text")
"""By code point, with the letter case of Unicode; a migration makes it."""


def folded(term: Term) -> Term:
    """Return text without letter case, independent of the database's locale."""
    return sql.SQL("lower({} COLLATE {})").format(term, COLLATION)


def all_of(terms: Sequence[Term]) -> Term:
    """Return the conjunction of terms; TRUE for none."""
    return sql.SQL(" AND ").join(terms) if terms else TRUE


def any_of(terms: Sequence[Term]) -> Term:
    """Return the disjunction of terms in parentheses; FALSE for none."""
    return sql.SQL("({})").format(sql.SQL(" OR ").join(terms)) if terms else FALSE


@dataclass(frozen=True, slots=True)
class Build:
    """One statement under construction: the query, its sources and tables, and the parameters."""

    query: Query
    context: Context
    scope: Scope
    tables: dict[int, TableInfo]
    known: Tables
    parameters: dict[str, Any] = field(default_factory=dict)

    def inside(self, query: Query) -> Build:
        """Return the construction of a query within this one, with the same parameters."""
        return begin(query, self.known, self.context, self.parameters)

    def bind(self, value: object, type_: sql.SQL) -> Term:
        """Return a placeholder for a value, cast to a PostgreSQL type."""
        key = f"q{len(self.parameters)}"
        self.parameters[key] = value
        return sql.SQL("{}::{}").format(sql.Placeholder(key), type_)

    def bind_all(self, values: list[object], type_: sql.SQL) -> Term:
        """Return a placeholder for an array of values."""
        return self.bind(values, sql.SQL("{}[]").format(type_))  # type: ignore[arg-type]

    def table(self, source: Source) -> Term:
        """Return the quoted table of a source."""
        info = self.tables[source.number]
        return name(info.schema, info.table)

    def column(
        self, source: Source, attribute: Attribute, alias: str, part: ColumnPart = ColumnPart.VALUE
    ) -> Term:
        """Return the quoted column of an attribute of the source known as `alias`."""
        suffix = "__type" if part is ColumnPart.TARGET else ""
        physical = self.tables[source.number].column(attribute.name + suffix)
        return name(alias, physical)

    def comparable(self, source: Source, attribute: Attribute, alias: str) -> Term:
        """Return the column in the form in which conditions compare it."""
        column = self.column(source, attribute, alias)
        return folded(column) if kind_of(attribute) is Kind.TEXT else column

    def primary_id(self, source: Source, alias: str) -> Term:
        """Return the column of a source's primary id."""
        return self.column(source, primary_id(source), alias)


def primary_id(source: Source) -> Attribute:
    """Return the attribute that identifies the records of a source."""
    return source.attribute(source.entity.primary_id, "entity")


def begin(
    query: Query, tables: Tables, context: Context, parameters: dict[str, Any] | None = None
) -> Build:
    """Resolve a query's entities and tables; raises InvalidRequest and what `tables` raises."""
    sources = scope(query, lambda entity: tables(entity).entity)
    found = {source.number: tables(source.entity.name) for source in sources.sources}
    return Build(query, context, sources, found, tables, {} if parameters is None else parameters)
