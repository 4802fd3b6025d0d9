"""What the records of transactions are called, for those who read lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connections.models import Connection
from organizations.errors import NotFound
from organizations.models import Organization
from organizations.store import Store
from syncjobs.models import OfflineTransaction

Named = Mapping[int, str]
"""Id of the transaction → name of its record; those without a name are missing."""


def record_names(connection: Connection, rows: Iterable[OfflineTransaction]) -> Named:
    """Return the names that the records have now, or had when they were changed."""
    listed = list(rows)
    organization = connection.client.organization
    by_entity: dict[str, set[str]] = {}
    for row in listed:
        by_entity.setdefault(row.entity.name, set()).add(str(row.client_id))
    known: dict[tuple[str, str], str] = {}
    primary: dict[str, str] = {}
    if organization is not None:
        for name, ids in by_entity.items():
            _look_up(organization, name, sorted(ids), known, primary)
    named = {}
    for row in listed:
        changed = (row.changes or {}).get(primary.get(row.entity.name, ""), (None, None))
        text = known.get((row.entity.name, str(row.client_id))) or changed[1] or changed[0]
        if text:
            named[row.pk] = str(text)
    return named


def _look_up(
    organization: Organization,
    name: str,
    ids: list[str],
    known: dict[tuple[str, str], str],
    primary: dict[str, str],
) -> None:
    store = Store(organization)
    try:
        entity = store.catalog.entity(name)
        if not entity.primary_name:
            return
        primary[name] = entity.primary_name
        rows = store.fetch(entity, [entity.primary_id, entity.primary_name], ids)
    except NotFound:  # the entity has no table (any more)
        return
    known.update({(name, str(row[0])): str(row[1]) for row in rows if row[1]})
