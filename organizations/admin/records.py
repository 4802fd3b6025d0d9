"""The records of an entity: the list with search, filters and order, and one record's page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from organizations.admin import search as searching
from organizations.admin.display import Names, Shown, name_column, names_of, shown
from organizations.admin.page import OrganizationPages, entity_of, language, patience
from organizations.admin.search import OPERATORS, Filter, Search
from organizations.errors import InvalidRequest, NotFound
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.records import Record, RecordValue, Value
from organizations.schema import Attribute, AttributeType, Entity, OneToMany
from organizations.store import Store
from organizations.tables.sizes import COUNTED, counted

RELATED = 40


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of the list: its label, the order it leads to, and how it is sorted now."""

    name: str
    label: str
    link: str
    sorted: str


@dataclass(frozen=True, slots=True)
class Field:
    """A line of a record's page."""

    attribute: Attribute
    label: str
    value: Shown


@dataclass(frozen=True, slots=True)
class Related:
    """Records that point to this one: a link to their list."""

    label: str
    entity: str
    attribute: str
    link: str


class RecordPages(OrganizationPages):
    """Adds the records to the admin of organizations."""

    def record_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        base = "organizations_organization"
        return [
            path("<uuid:pk>/records/<str:name>/", wrap(self.records_view), name=f"{base}_records"),
            path(
                "<uuid:pk>/records/<str:name>/<uuid:record>/",
                wrap(self.record_view),
                name=f"{base}_record",
            ),
        ]

    def records_view(self, request: HttpRequest, pk: Any, name: str) -> HttpResponse:
        """Show one page of an entity's records."""
        organization = self.organization(request, pk)
        entity = entity_of(organization, name)
        lcid = language(request, organization)
        found = searching.read(request.GET, entity)
        store, problem, listed = Store(organization), "", _NOTHING
        is_enabled = store.catalog.enabled(name)
        try:
            if is_enabled:
                with patience(scanning=found.is_filtered):
                    listed = _listed(store, entity, found, lcid)
        except InvalidRequest as error:
            problem = str(error)
        label = entity.collection_label.text(lcid, entity.name)
        return self.page(
            request,
            "records.html",
            organization,
            title=f"{label} · {organization}",
            tab="entities",
            status=400 if problem else 200,
            label=label,
            is_enabled=is_enabled,
            problem=problem,
            listed=listed,
            next=found.link(page=found.page + 1) if listed.more else "",
            **_form(entity, found, lcid),
        )

    def record_view(self, request: HttpRequest, pk: Any, name: str, record: Any) -> HttpResponse:
        """Show all values of one record, with links to what it points to."""
        organization = self.organization(request, pk)
        entity = entity_of(organization, name)
        lcid = language(request, organization)
        store = Store(organization)
        try:
            found = store.get(name, str(record))
        except (NotFound, InvalidRequest) as error:
            raise Http404(str(error)) from error
        fields = _fields(store, entity, found, lcid)
        is_whole = request.GET.get("all") == "1"
        return self.page(
            request,
            "record.html",
            organization,
            title=f"{_title(entity, found)} · {organization}",
            tab="entities",
            entity=entity,
            label=entity.label.text(lcid, entity.name),
            heading=_title(entity, found),
            record=found,
            fields=[item for item in fields if is_whole or item.value != Shown()],
            hidden=0 if is_whole else sum(item.value == Shown() for item in fields),
            is_whole=is_whole,
            related=_related(store, entity, found.id, lcid),
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of records: id and cells of each, whether more follow, and how many there are."""

    rows: list[tuple[str, list[Shown]]]
    more: bool
    count: int

    @property
    def is_capped(self) -> bool:
        """Whether there are more than were counted."""
        return self.count > COUNTED


_NOTHING = Listed([], False, 0)


def _form(entity: Entity, found: Search, lcid: int) -> dict[str, Any]:
    """Return what the search form and the headings show."""
    return {
        "entity": entity,
        "search": found,
        "headings": _headings(entity, found, lcid),
        "attributes": _choices(entity, lcid),
        "shown": searching.columns(entity, found),
        "searched": searching.searched(entity),
        "filters": _lines(found),
        "operators": OPERATORS.items(),
        "previous": found.link(page=found.page - 1) if found.page > 1 else "",
        "is_last_possible": found.page == searching.MOST_PAGES,
    }


def _listed(store: Store, entity: Entity, found: Search, lcid: int) -> Listed:
    query = searching.query(entity, found, lcid)
    if found.is_filtered and not found.order:
        rows, more, count = _scanned(store, entity, query)
    else:
        answer = store.query(query)
        rows, more = answer.rows, answer.more
        count = _count(store, entity, query)
    attributes = {item.name: item for item in entity.attributes}
    wanted = searching.columns(entity, found)
    names = _names(store, attributes, rows, wanted)
    cells = [
        (
            str(row[entity.primary_id]),
            [shown(attributes[name], row[name], names, lcid) for name in wanted],
        )
        for row in rows
    ]
    return Listed(cells, more, count)


def _scanned(
    store: Store, entity: Entity, query: Query
) -> tuple[list[dict[str, RecordValue]], bool, int]:
    """Return rows, whether there are more, and the number of all, reading the table once."""
    ids = _ids(store, query)
    first, last = (query.page - 1) * searching.PAGE, query.page * searching.PAGE
    if not (page := tuple(ids[first:last])):
        return [], False, len(ids)
    among = Group(Logic.AND, (Condition(entity.primary_id, Operator.IN, page),))
    rows = store.query(replace(query, filter=among, page=1)).rows
    return rows, len(ids) > last, len(ids)


def _count(store: Store, entity: Entity, query: Query) -> int:
    """Count the records, but no further than COUNTED + 1."""
    if not query.filter.children:
        return counted(store.organization.schema, entity.name)
    return len(_ids(store, query))


def _ids(store: Store, query: Query) -> list[str]:
    return next(store.ids(replace(query, order=()), size=COUNTED + 1), [])


def _names(
    store: Store,
    attributes: dict[str, Attribute],
    rows: list[dict[str, RecordValue]],
    wanted: list[str],
) -> Names:
    lists: list[Value] = []
    values: list[RecordValue] = []
    for name in wanted:
        cells = [row[name] for row in rows if row[name] is not None]
        if attributes[name].type is AttributeType.PARTYLIST:
            lists += [cell for cell in cells if isinstance(cell, str)]
        elif attributes[name].is_lookup:
            values += cells
    return names_of(store, values, lists)


def _headings(entity: Entity, found: Search, lcid: int) -> list[Heading]:
    attributes = {item.name: item for item in entity.attributes}
    headings = []
    for name in searching.columns(entity, found):
        ascending = found.order == name
        order = f"-{name}" if ascending else name
        state = "ascending" if ascending else "descending" if found.order == f"-{name}" else "none"
        label = attributes[name].label.text(lcid, name)
        headings.append(Heading(name, label, found.link(order=order, page=1), state))
    return headings


def _choices(entity: Entity, lcid: int) -> list[tuple[str, str]]:
    pairs = [(item.name, item.label.text(lcid, item.name)) for item in searching.offered(entity)]
    return sorted(pairs, key=lambda pair: pair[1].casefold())


def _lines(found: Search) -> list[Filter]:
    empty = searching.FILTERS - len(found.filters)
    return [*found.filters, *(Filter() for _ in range(min(empty, 1)))]


def _title(entity: Entity, record: Record) -> str:
    name = name_column(entity)
    return str((record.values.get(name) if name else None) or record.id)


def _fields(store: Store, entity: Entity, record: Record, lcid: int) -> list[Field]:
    attributes = {
        item.name: item for item in searching.offered(entity) if item.name in record.values
    }
    names = _names(store, attributes, [dict(record.values)], list(attributes))
    return [
        Field(item, item.label.text(lcid, item.name), shown(item, record.values[name], names, lcid))
        for name, item in attributes.items()
    ]


def _related(store: Store, entity: Entity, record_id: str, lcid: int) -> list[Related]:
    found: list[Related] = []
    for link in entity.one_to_many:
        if len(found) < RELATED and store.catalog.enabled(link.referencing_entity):
            found += _related_by(store, link, record_id, lcid)
    for pair in entity.many_to_many:
        if pair.intersect_entity != entity.name and store.catalog.enabled(pair.intersect_entity):
            own = pair.attribute1 if pair.entity1 == entity.name else pair.attribute2
            found.append(_listing(store, pair.intersect_entity, own, record_id, lcid))
    return sorted(found, key=lambda item: item.label)


def _related_by(store: Store, link: OneToMany, record_id: str, lcid: int) -> list[Related]:
    attribute = store.catalog.entity(link.referencing_entity).attribute(link.referencing_attribute)
    if attribute is None or not attribute.is_stored or attribute.is_hidden:
        return []
    return [_listing(store, link.referencing_entity, attribute.name, record_id, lcid)]


def _listing(store: Store, name: str, attribute: str, record_id: str, lcid: int) -> Related:
    entity = store.catalog.entity(name)
    found = entity.attribute(attribute)
    search = Search(filters=(Filter(attribute, Operator.EQ, record_id),))
    return Related(
        label=entity.collection_label.text(lcid, name),
        entity=name,
        attribute=found.label.text(lcid, attribute) if found else attribute,
        link=search.link(),
    )
