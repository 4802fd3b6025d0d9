"""Names of the records that lookups point to, asked for once a page."""

from __future__ import annotations

from collections.abc import Iterable

from organizations.catalog import Catalog
from organizations.store.reader import Reader

CURRENCY = "transactioncurrency"


def primary_names(store: Reader, references: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the primary name by id of those of the (entity, id) that exist and have one."""
    wanted: dict[str, set[str]] = {}
    for entity, record_id in references:
        wanted.setdefault(entity, set()).add(record_id)
    found: dict[str, str] = {}
    for entity, ids in wanted.items():
        found |= _texts(store, entity, _name_attribute(store.catalog, entity), ids)
    return found


def currency_symbols(store: Reader, ids: Iterable[str]) -> dict[str, str]:
    """Return the symbol of each of these currencies that is known here."""
    if not store.catalog.enabled(CURRENCY):
        return {}
    attribute = store.catalog.entity(CURRENCY).attribute("currencysymbol")
    name = attribute.name if attribute and attribute.is_stored else None
    return _texts(store, CURRENCY, name, set(ids))


def _name_attribute(catalog: Catalog, entity: str) -> str | None:
    if not catalog.enabled(entity):
        return None
    found = catalog.entity(entity)
    attribute = found.attribute(found.primary_name or "")
    return attribute.name if attribute and attribute.is_stored else None


def _texts(store: Reader, entity: str, attribute: str | None, ids: set[str]) -> dict[str, str]:
    if attribute is None or not ids:
        return {}
    key = store.catalog.entity(entity).primary_id
    rows = store.fetch(entity, [key, attribute], sorted(ids))
    return {str(row[0]): str(row[1]) for row in rows if row[1] is not None}
