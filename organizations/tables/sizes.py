"""How many records tables hold, without counting them: what PostgreSQL's planner believes."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from organizations.tables import names
from organizations.tables.database import fetch, one

COUNTED = 10_000
"""Up to here a count is exact; a table the planner knows nothing of is counted so far only."""


def sizes(schema: str, entities: Sequence[str]) -> dict[str, int]:
    """Return the number of records of each of these entities that has a table.

    Numbers above COUNTED are estimates. One statement for all that were analyzed, and one that
    stops at COUNTED for each of the others.
    """
    tables = {names.shorten(entity): entity for entity in entities}
    known = fetch(
        "SELECT c.relname, c.reltuples FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relkind = 'r' AND c.relname = ANY(%s)",
        [schema, list(tables)],
    )
    return {
        tables[table]: int(estimate) if estimate > COUNTED else counted(schema, tables[table])
        for table, estimate in known
    }


def counted(schema: str, entity: str) -> int:
    """Return the number of records of an enabled entity, at most COUNTED + 1."""
    statement = sql.SQL("SELECT count(*) FROM (SELECT FROM {} LIMIT {}) AS found")
    row = one(statement.format(names.table(schema, entity), sql.Literal(COUNTED + 1)))
    return int(row[0]) if row else 0
