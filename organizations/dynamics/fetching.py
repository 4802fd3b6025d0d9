"""`fetchXml=`: the answer of a FetchXML query as records of its entity (dataverse.md 3.3).

Null values are left out; values of linked entities and of aggregates come under their alias.
`savedQuery=` and `userQuery=` are the FetchXML of a view, where the organization has such records.
"""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpResponse

from organizations.dynamics import apply, links, reading, resource, selection
from organizations.dynamics.call import Call, answer
from organizations.dynamics.errors import bad_request, unknown_record
from organizations.dynamics.fetch_rows import OWN_VERSION, RowsWriter, columns
from organizations.dynamics.names import Shape
from organizations.dynamics.rows import Document
from organizations.query import fetchxml_reader, markup
from organizations.query.fetchxml_parts import flag
from organizations.query.nodes import Query, Selection
from organizations.query.statements import DEFAULT_LIMIT
from organizations.schema import VERSION

_COOKIE = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
_MORE = "Microsoft.Dynamics.CRM.morerecords"
MOST_WITHOUT_COOKIE = 50_000
"""Rows that can be reached by page number alone (dataverse.md 3.3)."""

_VIEWS = {"savedQuery": "savedquery", "userQuery": "userquery"}
OPTIONS = ("fetchXml", *_VIEWS)
"""Query options that this module answers."""


def collection(call: Call, shape: Shape) -> HttpResponse:
    """Answer with one page of a FetchXML query's rows."""
    text = _text(call)
    query = fetchxml_reader.read(text, schema=call.catalog.entity)
    _check(call, shape, query)
    query = _paged(query, call.preferences.most)
    found = call.store.query(versioned(query), context=call.context)
    writer = RowsWriter(call, shape, dict(columns(query, call.catalog.entity)))
    context = selection.context(call, shape.entity.set_name)
    document: Document = {"@odata.context": context} | reading.beside(
        call,
        lambda: call.store.count(query, context=call.context),
        is_totalled=flag(markup.parse(text, "fetch"), "returntotalrecordcount"),
    )
    document |= _paging(call, query, found.more, found.cookie)
    return answer(document | {"value": writer.write(found.rows)})


def _paged(query: Query, most: int) -> Query:
    """Make the page no larger than the organization gives it."""
    return query if query.aggregate else replace(query, count=min(query.count or most, most))


def _text(call: Call) -> str:
    if "fetchXml" in call.options:
        return call.options["fetchXml"]
    option = next(name for name in _VIEWS if name in call.options)
    entity, given = _VIEWS[option], call.options[option]
    key = resource.GUID.match(given.strip())
    if key is None:
        raise bad_request(f"{option} is the id of a view, and '{given[:80]}' is not an id.")
    known = call.catalog.entity(entity).attribute("fetchxml") if _has(call, entity) else None
    rows = call.store.fetch(entity, ["fetchxml"], [key[1].lower()]) if known else []
    if not rows or rows[0][0] is None:
        raise unknown_record(entity, key[1].lower())
    return str(rows[0][0])


def _has(call: Call, entity: str) -> bool:
    return call.catalog.enabled(entity)


def _check(call: Call, shape: Shape, query: Query) -> None:
    if query.entity != shape.entity.name:
        raise bad_request(
            f"Entity name '{query.entity}' of the FetchXML does not match the entity set "
            f"'{shape.entity.set_name}'.",
            "0x80041102",
        )
    if query.aggregate:
        apply.check_size(call, query)
    skipped = (query.page - 1) * min(query.count or DEFAULT_LIMIT, DEFAULT_LIMIT)
    if skipped >= MOST_WITHOUT_COOKIE and not query.cookie:
        raise bad_request(
            "Paging cookie is required when trying to retrieve a set of records on any high pages.",
            "0x8004430a",
        )


def versioned(query: Query) -> Query:
    """Return the query with the version that an etag is made of, where rows are records."""
    if query.aggregate or query.distinct:
        return query
    return replace(query, select=(*query.select, Selection(VERSION, alias=OWN_VERSION)))


def _paging(call: Call, query: Query, more: bool, cookie: str) -> Document:
    own: Document = {}
    if more and cookie and call.preferences.wants(_COOKIE):
        own[f"@{_COOKIE}"] = links.wrapped(cookie, query.page + 1, encodings=2)
    if call.preferences.wants(_MORE):
        own[f"@{_MORE}"] = more
    return own
