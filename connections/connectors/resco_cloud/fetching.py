"""Fetch of the REST data service (resco.md §1.5, §1.6): it answers every query."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from connections.connectors.resco_cloud import queries
from connections.connectors.resco_cloud.client import RescoClient
from connections.connectors.resco_cloud.faults import not_understood
from connections.connectors.resco_cloud.markup import child, children, is_true, number_in, text_of
from connections.connectors.resco_cloud.shapes import Shape
from connections.connectors.resco_cloud.values import decode
from connections.connectors.resco_cloud.ways import Answer, Way
from organizations.query import fetchxml_writer
from organizations.query.nodes import Query
from organizations.schema import Entity


@dataclass(frozen=True, slots=True)
class Fetching(Way):
    """Asks by FetchXML."""

    client: RescoClient

    def page(self, shape: Shape, query: Query, *, min_active: bool = False) -> Answer:
        """Post the query; its pages are told apart by its conditions, so it is always page 1."""
        root = self.client.post("", _document(query, min_active=min_active))
        records = _records(root)
        told = text_of(root, "MinActiveRowVersion")
        return Answer(
            decode(shape, records),
            more=bool(records) and _has_more(root, query, len(records)),
            min_active=int(told) if told.isdigit() else 0,
        )

    def count(self, entity: Entity, query: Query | None) -> int:
        """Count by an aggregate."""
        root = self.client.post("", _document(queries.counting(entity, query)))
        values = (item for record in _records(root) for item in children(record))
        number = next((number_in(item) for item in values), None)
        if number is None:
            raise not_understood(self.client.where, "a count without a number.")
        return number


def _records(root: etree._Element) -> list[etree._Element]:
    listed = child(root, "Entities")
    return [] if listed is None else list(children(listed))


def _document(query: Query, *, min_active: bool = False) -> bytes:
    """Return the `<fetch>` document with the attributes that clients add (§1.5)."""
    element = etree.fromstring(fetchxml_writer.write(query))
    element.set("page", str(query.page))
    if query.distinct:
        element.set("distinct", "1")
    if min_active:
        element.set("min-active-row-version", "1")
    return etree.tostring(element, encoding="utf-8")


def _has_more(root: etree._Element, query: Query, count: int) -> bool:
    """Where the answer does not tell, a full page has another behind it (assumed)."""
    told = text_of(root, "MoreRecords")
    return is_true(told) if told else count >= (query.count or queries.PAGE)
