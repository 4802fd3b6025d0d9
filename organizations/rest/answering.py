"""The answer of Fetch and Select: metadata of the columns, then the records (resco.md §1.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from organizations.query.analysis import shown, sources
from organizations.query.nodes import Link, Query, Selection
from organizations.records import RecordValue, Reference
from organizations.rest.call import Call
from organizations.rest.markup import attributes, element, element_name
from organizations.rest.value_text import column_word, parties_of, text_of
from organizations.schema import VERSION, Attribute, AttributeType, Entity
from organizations.store.naming import primary_names

Row = dict[str, RecordValue]


@dataclass(frozen=True, slots=True)
class Column:
    """A value of each row: its name in the store's rows, its element, and what it is."""

    key: str
    element: str
    attribute: Attribute
    entity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a query came to; `version` is the organization's from before the reading, if asked."""

    rows: Sequence[Row]
    more: bool = False
    cookie: str = ""
    version: int | None = None


def document(call: Call, query: Query, found: Found) -> str:
    """Return the whole answer."""
    columns = list(_columns(query, call.catalog.entity))
    listed = records(call, query.entity, columns, found.rows)
    version = "" if found.version is None else element("MinActiveRowVersion", str(found.version))
    return (
        f"<FetchResult>{_metadata(query.entity, columns)}<Entities>{listed}</Entities>"
        f"{element('MoreRecords', str(found.more))}{element('PagingCookie', found.cookie)}"
        f"{version}</FetchResult>"
    )


def records(call: Call, entity: str, columns: Sequence[Column], rows: Sequence[Row]) -> str:
    """Return the elements of records, lookups with the names of what they point to."""
    references = [
        (value.entity, value.id)
        for row in rows
        for value in row.values()
        if isinstance(value, Reference)
    ]
    labels = primary_names(call.store, references)
    begin = f"<Entity{attributes(EntityName=entity)}>"
    return "".join(f"{begin}{_values(columns, row, labels)}</Entity>" for row in rows)


def _metadata(entity: str, columns: Sequence[Column]) -> str:
    listed = "".join(
        "<Attribute"
        + attributes(
            Name=column.element, Type=column_word(column.attribute), EntityName=column.entity
        )
        + " />"
        for column in columns
    )
    name = attributes(PrimaryEntity=entity)
    return f"<Metadata{name}><Attributes>{listed}</Attributes></Metadata>"


def _values(columns: Sequence[Column], row: Row, labels: dict[str, str]) -> str:
    return "".join([_value(column, row.get(column.key), labels) for column in columns])


def _value(column: Column, value: RecordValue, labels: dict[str, str]) -> str:
    if value is None:
        return ""
    if column.attribute.type is AttributeType.PARTYLIST:
        text = parties_of(str(value))
    else:
        text = text_of(value, labels)
    return f"<{column.element}>{text}</{column.element}>"


def _columns(query: Query, entity_of: Callable[[str], Entity]) -> Iterator[Column]:
    """Yield the columns; those of linked entities come under plain name or alias (§1.6)."""
    for source, prefix in sources(query):
        yield from _selected(source, entity_of(source.entity), prefix)


def _selected(source: Query | Link, entity: Entity, prefix: str) -> Iterator[Column]:
    for chosen in source.select:
        attribute = entity.attribute(chosen.attribute) or _version_of(chosen)
        if attribute is not None:
            key = chosen.alias or f"{prefix}{attribute.name}"
            name = element_name(chosen.alias or attribute.name)
            yield Column(key, name, shown(chosen, attribute), entity.name)
    if source.select_all:
        for attribute in entity.attributes:
            if attribute.is_stored and not attribute.is_hidden:
                key = f"{prefix}{attribute.name}"
                yield Column(key, attribute.name, attribute, entity.name)
    elif not source.select and not prefix:
        key = entity.primary_id
        for attribute in entity.attributes:
            if attribute.name == key:
                yield Column(key, key, attribute, entity.name)


def _version_of(chosen: Selection) -> Attribute | None:
    """Return the row version, which every record has, also where the metadata do not list it."""
    if chosen.attribute != VERSION:
        return None
    return Attribute(name=VERSION, type=AttributeType.BIGINT)
