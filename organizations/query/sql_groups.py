"""The first records of each of many groups: what a list of parents needs of its children."""

from __future__ import annotations

from psycopg import sql

from organizations.query.context import Context
from organizations.query.nodes import Query
from organizations.query.sql_filters import aliases, everything, from_clause, where
from organizations.query.sql_order import order_by, sort_keys
from organizations.query.sql_terms import BIGINT, begin, primary_id
from organizations.query.statements import OutputColumn, Statement, Tables


def compile_groups(
    query: Query, tables: Tables, *, context: Context, attribute: str, alias: str = "", limit: int
) -> Statement:
    """Return the statement for group and id of the first `limit` records of every group.

    Records with the same value of `attribute` (of the link known as `alias`) are a group. Within
    one they come in the order of the query, then of ids; its paging is left aside.
    """
    build = begin(query, tables, context)
    joined, names = everything(build), aliases(build, "t")
    root, source = build.scope.root, build.scope.find(alias, "link-entity")
    grouping = source.attribute(attribute, "link-entity")
    text = sql.SQL(
        "SELECT parent, id FROM (SELECT {parent} AS parent, {id} AS id, "
        "row_number() OVER (PARTITION BY {parent} ORDER BY {order}) AS place "
        "FROM {tables} WHERE {where}) AS found WHERE place <= {limit} ORDER BY parent, place"
    ).format(
        parent=build.column(source, grouping, names[source.number]),
        id=build.primary_id(root, names[root.number]),
        order=order_by(sort_keys(build, joined, names)),
        tables=from_clause(build, joined, names),
        where=where(build, joined, names),
        limit=build.bind(limit, BIGINT),
    )
    columns = (
        OutputColumn("parent", grouping, source.entity.name),
        OutputColumn("id", primary_id(root), query.entity),
    )
    return Statement(text.as_string(None), build.parameters, columns)
