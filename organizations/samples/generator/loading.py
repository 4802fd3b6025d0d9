"""Loading the sample records into a hosted organization."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from organizations.errors import InvalidRequest
from organizations.models import Organization
from organizations.query.nodes import Query
from organizations.records import Row
from organizations.samples.generator.rows import Table, tables
from organizations.store import Store

Progress = Callable[[str, int, int], None]
"""Called with an entity, how many of its records are there, and how many there will be."""

STEP = 5000
PARTIES = "activityparty"


def generate(
    organization: Organization, *, records: int, seed: int, progress: Progress | None = None
) -> dict[str, int]:
    """Load generated records into the enabled sample entities; return how many of each.

    `records` counts the main entities together (see `rows.tables`). The organization must be
    empty of sample records: ids follow from the seed. Raises InvalidRequest.
    """
    if records < 0:
        raise InvalidRequest(f"The number of records must be 0 or more, not {records}.", "records")
    store = Store(organization)
    counts: dict[str, int] = {}
    for table in tables(records=records, seed=seed):
        rows = told(table, progress) if progress else table.rows
        counts[table.entity.name] = store.load(table.entity.name, table.columns, rows)
    counts[PARTIES] = store.count(Query(entity=PARTIES))
    return counts


def told(table: Table, progress: Progress) -> Iterator[Row]:
    """Pass rows on, and tell how far they are."""
    for position, row in enumerate(table.rows):
        if position % STEP == 0:
            progress(table.entity.name, position, table.size)
        yield row
    progress(table.entity.name, table.size, table.size)
