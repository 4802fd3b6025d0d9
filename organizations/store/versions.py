"""Row versions: numbers that commit in order (design decision 3).

A writer takes its block under the organization's row lock and keeps the lock until it commits;
so whoever asks "since N" can never miss a row that was given a lower number.
"""

from __future__ import annotations

from organizations.catalog import Catalog
from organizations.catalog.locks import hold_shared
from organizations.errors import NotFound
from organizations.tables.database import one


def take(catalog: Catalog, count: int = 1) -> int:
    """Return the first of `count` fresh versions; the organization is ours until the commit.

    The catalog is brought to the schema version that holds while we write.
    """
    organization = catalog.organization
    hold_shared(organization.pk)
    row = one(
        "UPDATE organizations_organization SET row_version = row_version + %s WHERE id = %s "
        "RETURNING row_version, schema_version",
        [count, organization.pk],
    )
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
