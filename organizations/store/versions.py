"""Row versions: numbers that commit in order (design decision 3).

A writer takes its block under the organization's row lock and keeps the lock until it commits;
so whoever asks "since N" can never miss a row that was given a lower number.
"""

from __future__ import annotations

from organizations.catalog import Catalog
from organizations.catalog.locks import SHARED, key_of
from organizations.errors import NotFound
from organizations.tables.database import one

_TAKE = f"""
    WITH held AS MATERIALIZED (SELECT {SHARED} IS NULL)
    UPDATE organizations_organization SET row_version = row_version + %s FROM held WHERE id = %s
    RETURNING row_version, schema_version
"""  # noqa: S608 - our own constant
"""The schema lock, then the row, in one round trip: the row is taken when the join has its lock,
and as it is then, not as it was when the statement began."""


def take(catalog: Catalog, count: int = 1) -> int:
    """Return the first of `count` fresh versions; the organization is ours until the commit.

    The catalog is brought to the schema version that holds while we write.
    """
    organization = catalog.organization
    row = one(_TAKE, [key_of(organization.pk), count, organization.pk])
    if row is None:
        raise NotFound("organization", organization.name)
    catalog.version = row[1]
    return int(row[0]) - count + 1


def last(catalog: Catalog) -> int:
    """Return the last version that was committed."""
    organization = catalog.organization
    row = one("SELECT row_version FROM organizations_organization WHERE id = %s", [organization.pk])
    if row is None:
        raise NotFound("organization", organization.name)
    return int(row[0])
