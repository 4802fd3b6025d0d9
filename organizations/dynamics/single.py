"""Reading one record, one of its properties, or the records it is related to."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from django.http import HttpResponse

from organizations.dynamics import reading, selection
from organizations.dynamics.call import Call, answer, nothing
from organizations.dynamics.errors import (
    unknown_record,
    unknown_segment,
)
from organizations.dynamics.names import Navigation, Shape, Side, property_name
from organizations.dynamics.resource import Segment
from organizations.dynamics.rows import ETAG, Document, RowWriter, Writer
from organizations.query.nodes import Condition, Group, Link, Logic, Operator, Query
from organizations.schema import Attribute


def record(call: Call, shape: Shape, record_id: str, *, status: int = 200) -> HttpResponse:
    """Answer with one record, or 304 if the caller has it as it is."""
    chosen = selection.read(call, shape)
    document = _document(call, shape, chosen.writer, record_id)
    etag = document[ETAG]
    if shape.entity.checks_versions and not call.preferences.annotations and status == 200:
        given = [item.strip() for item in call.header("If-None-Match").split(",")]
        if etag in given:
            return nothing(304)
    context = selection.context(call, shape.entity.set_name, suffix="/$entity")
    response = answer({"@odata.context": context} | document, status)
    response["ETag"] = etag
    return response


def _document(call: Call, shape: Shape, writer: Writer, record_id: str) -> Document:
    rows = call.store.fetch(shape.entity.name, writer.columns, [record_id])
    if not rows:
        raise unknown_record(shape.entity.name, record_id)
    return writer.write(call.store, rows)[0]


def beneath(call: Call, shape: Shape, record_id: str, rest: Sequence[Segment]) -> HttpResponse:
    """Answer what stands behind a record in a path: a property or a navigation."""
    first, *more = rest
    if first.name in shape.properties and not first.called:
        return _property(call, shape, record_id, shape.properties[first.name], more)
    navigation = shape.navigations.get(first.name)
    if navigation is None:
        raise unknown_segment(first.name)
    names = [segment.name for segment in more]
    if names not in ([], ["$ref"], ["$count"]):
        raise unknown_segment(names[0])
    if navigation.side is Side.ONE:
        return _one(call, shape, record_id, navigation, names)
    return _many(call, shape, record_id, navigation, names)


def _property(
    call: Call, shape: Shape, record_id: str, attribute: Attribute, more: Sequence[Segment]
) -> HttpResponse:
    writer = RowWriter(shape, [attribute], call.preferences, call.organization.language)
    value = _document(call, shape, writer, record_id)[property_name(attribute)]
    if more and more[0].name != "$value":
        raise unknown_segment(more[0].name)
    if value is None:
        return nothing(204)
    if more:
        raw = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
        return HttpResponse(raw.encode(), content_type="text/plain")
    place = f"{shape.entity.set_name}({record_id})/{property_name(attribute)}"
    return answer({"@odata.context": f"{call.api}$metadata#{place}", "value": value})


def _one(
    call: Call, shape: Shape, record_id: str, navigation: Navigation, more: Sequence[str]
) -> HttpResponse:
    found = target(call, shape, record_id, navigation)
    if found is None:
        return nothing(204)
    entity, other_id = found
    other = Shape(call.catalog.entity(entity))
    if list(more) == ["$ref"]:
        url = f"{call.api}{other.entity.set_name}({other_id})"
        return answer({"@odata.context": f"{call.api}$metadata#$ref", "@odata.id": url})
    if more:
        raise unknown_segment(more[0])
    return record(call, other, other_id)


def target(
    call: Call, shape: Shape, record_id: str, navigation: Navigation
) -> tuple[str, str] | None:
    """Return entity and id of the record a single-valued navigation leads to; None if empty."""
    attribute = shape.entity.attribute(navigation.attribute)
    if attribute is None:
        raise unknown_segment(navigation.name)
    columns = [attribute.name] + ([f"{attribute.name}__type"] if attribute.is_polymorphic else [])
    rows = call.store.fetch(shape.entity.name, columns, [record_id])
    if not rows:
        raise unknown_record(shape.entity.name, record_id)
    entity = str(rows[0][1]) if attribute.is_polymorphic else attribute.targets[0]
    if rows[0][0] is None or entity not in navigation.targets:
        return None
    return entity, str(rows[0][0])


def _many(
    call: Call, shape: Shape, record_id: str, navigation: Navigation, more: Sequence[str]
) -> HttpResponse:
    target_name = navigation.targets[0]
    if not call.catalog.enabled(target_name):
        raise unknown_segment(navigation.name)
    other = Shape(call.catalog.entity(target_name))
    query = related(shape, record_id, navigation, other)
    if list(more) == ["$count"]:
        return reading.count(call, other, within=query)
    if list(more) == ["$ref"]:
        return _references(call, other, query)
    return reading.collection(call, other, within=query)


def related(shape: Shape, record_id: str, navigation: Navigation, other: Shape) -> Query:
    """Return the query for the records a collection navigation leads to."""
    name = other.entity.name
    if navigation.relationship is None:
        condition = Condition(navigation.attribute, Operator.EQ, (record_id,))
        return Query(entity=name, filter=Group(Logic.AND, (condition,)))
    relationship = navigation.relationship
    here, there = relationship.attribute1, relationship.attribute2
    if not navigation.is_first:
        here, there = there, here
    condition = Condition(here, Operator.EQ, (record_id,))
    link = Link(
        entity=relationship.intersect_entity,
        from_attribute=there,
        to_attribute=other.entity.primary_id,
        alias="pairs",
        filter=Group(Logic.AND, (condition,)),
    )
    return Query(entity=name, links=(link,))


def _references(call: Call, other: Shape, query: Query) -> HttpResponse:
    rows = call.store.page(
        other.entity.name, [other.entity.primary_id], filter=query, context=call.context
    )
    found = [{"@odata.id": f"{call.api}{other.entity.set_name}({row[0]})"} for row in rows]
    context = f"{call.api}$metadata#Collection($ref)"
    return answer({"@odata.context": context, "value": found})


def exists(call: Call, shape: Shape, record_id: str) -> bool:
    """Return whether the record is there."""
    return bool(call.store.fetch(shape.entity.name, [shape.entity.primary_id], [record_id]))


def require(call: Call, shape: Shape, record_id: str) -> None:
    """Raise WebApiError 404 unless the record is there."""
    if not exists(call, shape, record_id):
        raise unknown_record(shape.entity.name, record_id)
