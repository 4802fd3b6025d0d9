"""Export: an organization's metadata and records in one document (resco.md §1.2).

That it exports both, and that its body is optional XML, is all that is known of it; no form of it
is published (§8). So everything here is assumed, and made of forms that are:

- The body is a sync filter file (`fetchcollection`, §4.6), which names entities and says which of
  their records are meant. Without a body all entities are, with all their records.
- The answer holds `MaxRowVersion`; `Metadata` as an export file has them (§2.4); a `Language` for
  each language (§2.1); and for each entity an `Entities` with its records as Fetch writes them
  (§1.6), by id, `versionnumber` among them.

The answer is written while it is read, so that its size costs no memory. What is written
meanwhile may be in it or not: it has a version above `MaxRowVersion`, from which to read on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import StreamingHttpResponse

from organizations.errors import InvalidRequest
from organizations.query import fetchxml_reader
from organizations.query.limits import check_size
from organizations.query.nodes import Query
from organizations.records import Row
from organizations.rest.answering import Column, records
from organizations.rest.call import CONTENT_TYPE, Call
from organizations.rest.codec import entity_xml, labels_of, labels_xml
from organizations.rest.markup import DECLARATION, METADATA, attributes, element
from organizations.rest.metadata_service import served
from organizations.schema import VERSION, Attribute, AttributeType, ColumnPart, Entity, columns
from organizations.store.layout import record_values

PAGE = 500
"""Records that are read at once."""
_ROOT, _FETCH = "ExportResult", "fetch"
_VERSION = Attribute(name=VERSION, type=AttributeType.BIGINT)


def export(call: Call) -> StreamingHttpResponse:
    """Answer with the whole export. Raises InvalidRequest, RestFault for a wrong body."""
    parts = _parts(call)
    return StreamingHttpResponse(_document(call, parts), content_type=CONTENT_TYPE)


def _parts(call: Call) -> list[Query]:
    """Return what is exported of each entity; without a body not the views, which are no data."""
    if call.content.strip():
        return _asked(call)
    return [Query(entity=entity.name) for entity in served(call) if not entity.is_view]


def _asked(call: Call) -> list[Query]:
    found = fetchxml_reader.read_collection(call.content, schema=call.catalog.entity)
    for query in found.values():
        _check(call, query)
    return list(found.values())


def _check(call: Call, query: Query) -> None:
    check_size(query, _FETCH)
    if query != Query(entity=query.entity, filter=query.filter, links=query.links):
        raise InvalidRequest(
            "A sync filter has conditions and links only: all attributes of all its records are "
            "exported.",
            _FETCH,
        )
    if not call.catalog.enabled(query.entity):
        raise InvalidRequest(f"Entity '{query.entity}' has no records here.", query.entity)


def _document(call: Call, parts: Sequence[Query]) -> Iterator[str]:
    """Yield the document, a page of records at a time."""
    entities = [call.catalog.entity(query.entity) for query in parts]
    name = attributes(OrganizationName=call.organization.name)
    yield f"{DECLARATION}<{_ROOT}{name}>"
    yield element("MaxRowVersion", str(call.store.row_version()))
    listed = "".join(map(entity_xml, entities))
    yield f'<Metadata xmlns="{METADATA}"><Entities>{listed}</Entities></Metadata>'
    for lcid in call.organization.languages:
        yield labels_xml(lcid, (label for entity in entities for label in labels_of(entity, lcid)))
    for query, entity in zip(parts, entities, strict=True):
        yield f"<Entities{attributes(EntityName=entity.name)}>"
        yield from _Records(call, entity, query).pages()
        yield "</Entities>"
    yield f"</{_ROOT}>"


@dataclass(frozen=True, slots=True)
class _Records:
    """The records of one entity."""

    call: Call
    entity: Entity
    query: Query

    def pages(self) -> Iterator[str]:
        """Yield their elements, by id."""
        held, shown = columns(self.entity), list(self._shown())
        names, after = [column.name for column in held], None
        while True:
            page = self._page(names, after)
            rows = [record_values(held, row) | {VERSION: row[-1]} for row in page]
            yield records(self.call, self.entity.name, shown, rows)
            if len(page) < PAGE:
                return
            after = str(page[-1][0])

    def _page(self, names: Sequence[str], after: str | None) -> Sequence[Row]:
        is_all = self.query == Query(entity=self.query.entity)
        return self.call.store.page(
            self.entity,
            names,
            filter=None if is_all else self.query,
            after=after,
            limit=PAGE,
            context=self.call.context,
        )

    def _shown(self) -> Iterator[Column]:
        for held in columns(self.entity):
            if held.part is ColumnPart.VALUE:
                yield Column(held.name, held.name, held.attribute, self.entity.name)
        yield Column(VERSION, VERSION, _VERSION, self.entity.name)
