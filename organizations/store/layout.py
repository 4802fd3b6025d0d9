"""One enabled entity as the store uses it: its table, its columns, its rows as records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from psycopg import sql

from organizations import values as formats
from organizations.catalog import Catalog
from organizations.errors import InvalidRequest, NotFound
from organizations.models import Organization
from organizations.records import RecordValue, Reference, Value
from organizations.schema import (
    VERSION,
    Attribute,
    AttributeType,
    Column,
    ColumnPart,
    Entity,
    columns,
)
from organizations.tables import names
from organizations.tables.types import canonical

CACHED_LAYOUTS, CACHED_LISTS = 64, 256


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the records of an entity are, and by which columns."""

    table: sql.Identifier
    entity: Entity
    columns: Mapping[str, Column]

    @property
    def key(self) -> sql.Identifier:
        """The primary id column."""
        return names.column(self.entity.primary_id)

    def column(self, name: str) -> Column:
        """Return a column by name. Raises InvalidRequest naming it."""
        if name not in self.columns:
            raise InvalidRequest(
                f"Entity '{self.entity.name}' has no stored attribute '{name}'.", name
            )
        return self.columns[name]

    def select(self, wanted: Iterable[str], *, version: bool = True) -> sql.Composable:
        """Return the select list of canonical values, and the version as the last one."""
        return _select(self, tuple(wanted), version)

    def columns_of(self, attributes: Sequence[str]) -> list[str]:
        """Return the columns that hold these attributes, primary id first."""
        chosen = {self.entity.primary_id, *attributes}
        for name in chosen:
            self.column(name)
        return [name for name, column in self.columns.items() if column.attribute.name in chosen]

    @property
    def party_lists(self) -> list[str]:
        """Names of the attributes that hold parties of an activity."""
        kind = AttributeType.PARTYLIST
        return [name for name, column in self.columns.items() if column.attribute.type is kind]


def layout(catalog: Catalog, entity: str | Entity) -> Layout:
    """Return the layout of an enabled entity. Raises NotFound, InvalidRequest if not enabled."""
    name = entity if isinstance(entity, str) else entity.name
    found = catalog.entity(name)
    if not catalog.enabled(name):
        raise InvalidRequest(
            f"Entity '{name}' is not enabled in organization '{catalog.organization.name}': "
            "it has no records here. Enable it first.",
            name,
        )
    return _layout(_Place(catalog.organization, catalog.version, name, found))


@dataclass(frozen=True, slots=True)
class _Place:
    """What a layout follows from: an entity, known by name within one schema version."""

    organization: Organization
    version: int
    name: str
    entity: Entity = field(compare=False)


@lru_cache(maxsize=CACHED_LAYOUTS)
def _layout(place: _Place) -> Layout:
    known = {column.name: column for column in columns(place.entity)}
    return Layout(names.table(place.organization.schema, place.name), place.entity, known)


@lru_cache(maxsize=CACHED_LISTS)
def _select(place: Layout, wanted: tuple[str, ...], version: bool) -> sql.Composable:
    parts: list[sql.Composable] = [canonical(place.column(name)) for name in wanted]
    if version:
        parts.append(names.column(VERSION))
    return sql.SQL(sql.SQL(", ").join(parts).as_string(None))


def record_values(wanted: Sequence[Column], row: Sequence[Value]) -> dict[str, RecordValue]:
    """Return a flat row as named values: lookups become references."""
    flat = {column.name: value for column, value in zip(wanted, row, strict=False)}
    heads = [column for column in wanted if column.part is ColumnPart.VALUE]
    return {column.name: _value(column.attribute, flat) for column in heads}


def _value(attribute: Attribute, flat: Mapping[str, Value]) -> RecordValue:
    value = flat[attribute.name]
    if value is None or not attribute.is_lookup:
        return value
    target = flat.get(f"{attribute.name}__type") if attribute.is_polymorphic else None
    return Reference(str(target or next(iter(attribute.targets), "")), str(value))


def missing(layout: Layout, record_id: str) -> NotFound:
    """Return the error for a record that is not there."""
    return NotFound("record", record_id, layout.entity.name)


def record_id_of(value: str) -> str:
    """Return an id in canonical form. Raises InvalidRequest."""
    try:
        return formats.guid(value)
    except ValueError as error:
        raise InvalidRequest(f"'{value[:80]}' is not the id of a record (a GUID).", "id") from error
