"""`sdkmessagefilters`: which messages an entity understands (dataverse.md 4.4).

Clients ask it before they use bulk actions. The rows are worked out from the metadata: every
entity with records can be read; intersects and the parties of activities are never written by
themselves, and system tables of users and security have no bulk actions (assumed; the real list
differs between organizations).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.http import HttpResponse

from organizations.dynamics import selection
from organizations.dynamics.call import Call, answer
from organizations.dynamics.codec.properties import metadata_id
from organizations.dynamics.errors import (
    WebApiError,
    bad_request,
    unknown_property,
    unknown_record,
)
from organizations.dynamics.names import Shape
from organizations.dynamics.resource import Segment
from organizations.models import EntityDefinition
from organizations.query.matcher import matches
from organizations.query.nodes import Link, Query
from organizations.query.odata_reader import read_filter
from organizations.records import RecordValue
from organizations.schema import Attribute, AttributeType, Entity

FILTERS, MESSAGES = "sdkmessagefilters", "sdkmessages"
BULK = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple")
_READ = ("Retrieve", "RetrieveMultiple")
_WRITE = ("Create", "Update", "Upsert", "Delete")
_LIST_ONLY = frozenset({"activityparty"})
_NO_BULK = frozenset(
    {
        "activitypointer",
        "businessunit",
        "organization",
        "role",
        "systemuser",
        "team",
        "transactioncurrency",
    }
)
_T = AttributeType
_FILTER = Entity(
    name="sdkmessagefilter",
    set_name=FILTERS,
    primary_id="sdkmessagefilterid",
    attributes=(
        Attribute(name="sdkmessagefilterid", type=_T.UNIQUEIDENTIFIER, is_primary_id=True),
        Attribute(name="sdkmessageid", type=_T.LOOKUP, targets=("sdkmessage",)),
        Attribute(name="primaryobjecttypecode", type=_T.STRING),
        Attribute(name="iscustomprocessingstepallowed", type=_T.BOOLEAN),
    ),
)
_MESSAGE = Entity(
    name="sdkmessage",
    set_name=MESSAGES,
    primary_id="sdkmessageid",
    attributes=(
        Attribute(name="sdkmessageid", type=_T.UNIQUEIDENTIFIER, is_primary_id=True),
        Attribute(name="name", type=_T.STRING),
    ),
)
_ENTITIES = {FILTERS: _FILTER, MESSAGES: _MESSAGE}
Values = Mapping[str, RecordValue]


def has_bulk(entity: Entity) -> bool:
    """Return whether an entity has the bulk actions."""
    return not entity.is_intersect and entity.name not in _NO_BULK | _LIST_ONLY


def messages(name: str, *, is_intersect: bool) -> tuple[str, ...]:
    """Return the messages an entity understands."""
    if is_intersect or name in _LIST_ONLY:
        return ("RetrieveMultiple",)
    return (*_WRITE, *_READ, *(() if name in _NO_BULK else BULK))


class _Names:
    """The properties of the two sets (`organizations.query.odata_reader.Names`)."""

    def attribute(self, entity: Entity, name: str) -> str:
        return Shape(entity).property(name).name

    def function_attribute(self, entity: Entity, name: str) -> str:
        return self.attribute(entity, name)

    def link(self, entity: Entity, name: str, alias: str) -> tuple[Link, Entity]:
        if entity is not _FILTER or name != "sdkmessageid":
            raise unknown_property(name, entity.name)
        link = Link(
            entity="sdkmessage", from_attribute="sdkmessageid", to_attribute=name, alias=alias
        )
        return link, _MESSAGE


class _Linked:
    """The messages that filters point to (`organizations.query.matcher.Linked`)."""

    def entity(self, name: str) -> Entity:
        return _FILTER if name == _FILTER.name else _MESSAGE

    def records(self, entity: str) -> Iterable[Values]:
        return list(_messages())


def serve(call: Call, segment: Segment) -> HttpResponse:
    """Answer one of the two sets, or a record of it. Raises WebApiError."""
    if call.method != "GET":
        raise WebApiError(405, "0x80040800", f"'{segment.name}' can only be read.")
    entity = _ENTITIES[segment.name]
    rows = _chosen(call, entity)
    context = selection.context(call, segment.name)
    if segment.called:
        found = [row for row in rows if row[entity.primary_id] == segment.key]
        if not found:
            raise unknown_record(entity.name, str(segment.key))
        return answer({"@odata.context": f"{context}/$entity", **_shown(call, entity, found[0])})
    top = call.options.get("$top", "")
    rows = rows[: int(top)] if top.isdecimal() else rows
    return answer({"@odata.context": context, "value": [_shown(call, entity, i) for i in rows]})


def _chosen(call: Call, entity: Entity) -> list[Values]:
    call.refuse("$apply", "$orderby", "fetchXml")
    rows: Iterable[Values] = _filters(call) if entity is _FILTER else _messages()
    text = call.options.get("$filter")
    if not text:
        return list(rows)
    found = read_filter(text, entity, _Names(), call.aliases)
    query = Query(entity=entity.name, filter=found.group, links=found.links)
    return [
        row for row in rows if matches(query, row, entity, context=call.context, linked=_Linked())
    ]


def _messages() -> Iterator[Values]:
    for name in (*_WRITE, *_READ, *BULK):
        yield {"sdkmessageid": _message_id(name), "name": name}


def _message_id(name: str) -> str:
    return metadata_id("sdkmessage", name)


def _filters(call: Call) -> Iterator[Values]:
    rows = EntityDefinition.objects.filter(
        organization=call.organization, has_table=True, is_hidden=False
    )
    for name, is_intersect in rows.values_list("name", "is_intersect").order_by("name"):
        for message in messages(name, is_intersect=is_intersect):
            yield {
                "sdkmessagefilterid": metadata_id("sdkmessagefilter", f"{name}.{message}"),
                "sdkmessageid": _message_id(message),
                "primaryobjecttypecode": name,
                "iscustomprocessingstepallowed": True,
            }


def _shown(call: Call, entity: Entity, row: Values) -> dict[str, Any]:
    shape, text = Shape(entity), call.options.get("$select")
    names = [item.strip() for item in text.split(",") if item.strip()] if text else []
    columns = dict.fromkeys((*(names or shape.properties), entity.primary_id))
    own = {name: row[shape.property(name).name] for name in columns}
    return {"@odata.etag": 'W/"1"', **own, **_expanded(call, entity, row)}


def _expanded(call: Call, entity: Entity, row: Values) -> dict[str, Any]:
    text = call.options.get("$expand", "")
    if not text:
        return {}
    if entity is not _FILTER or text.partition("(")[0].strip() != "sdkmessageid":
        raise bad_request(f"'{text[:80]}' cannot be expanded here, only sdkmessageid.")
    names = {_message_id(name): name for name in (*_WRITE, *_READ, *BULK)}
    key = str(row["sdkmessageid"])
    return {"sdkmessageid": {"@odata.etag": 'W/"1"', "name": names[key], "sdkmessageid": key}}
