"""WhoAmI, GetMaxRowVersion, Fetch, Select and GetRecordCount (resco.md §1.2 to §1.6)."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpResponse

from organizations.errors import InvalidRequest
from organizations.query import fetchxml_reader, select_reader
from organizations.query.fetchxml_parts import flag
from organizations.query.limits import check_size
from organizations.query.nodes import Query
from organizations.query.statements import DEFAULT_LIMIT
from organizations.rest.answering import Found, document
from organizations.rest.call import Call, answer
from organizations.rest.faults import RestFault
from organizations.rest.markup import attributes, element
from organizations.schema import VERSION, Entity

PAGE = 500
"""Records of a page where a request names no count: what the known clients ask for (§1.5)."""
_SELECT_TOP, _SELECT_DEFAULT = 5000, 100
_WHOLE = ("$select", "$filter", "$orderby", "$top", "$skip")


def who_am_i(call: Call) -> HttpResponse:
    """Answer who is calling whose service (§1.4). Only members call: nobody is external.

    `Languages` is an addition of ours: those in which there are localizations; `MetadataExtension`
    too: whether the caller may write metadata (`metadata_service`).
    """
    name = attributes(OrganizationName=call.organization.name)
    body = "".join(
        (
            element("OrganizationId", str(call.organization.pk)),
            element("UserId", call.context.user.id if call.context.user else ""),
            element("OrganizationVersion", str(call.organization.schema_version)),
            element("Languages", ";".join(map(str, call.organization.languages))),
            element("MetadataExtension", str(call.member.is_administrator)),
        )
    )
    return answer(f"<WhoAmIResult{name}>{body}</WhoAmIResult>")


def max_row_version(call: Call) -> HttpResponse:
    """Answer with the organization's version: one number is all that clients look for (§8)."""
    return answer(element("MaxRowVersion", str(call.store.row_version())))


def fetch(call: Call) -> HttpResponse:
    """Answer with one page of a FetchXML query."""
    root = call.document("fetch")
    query = fetchxml_reader.read(root, schema=call.catalog.entity)
    check_size(query, "fetch")
    asks_version = flag(root, "min-active-row-version")
    version = call.store.row_version() if asks_version else None
    limited = query if query.aggregate or query.top else _paged(query)
    found = call.store.query(limited, context=call.context)
    return answer(
        document(
            call,
            query,
            Found(rows=found.rows, more=found.more, cookie=found.cookie, version=version),
        )
    )


def select(call: Call, entity: str) -> HttpResponse:
    """Answer `GET {entity}?$select&$filter&$orderby&$top&$skip` as Fetch would (assumed).

    `$filter` is not OData but an SQL-like condition: `name LIKE 'C%'` (§1.2).
    """
    for option in call.options:
        if option.startswith("$") and option not in _WHOLE:
            raise InvalidRequest(f"Select knows no option '{option[:40]}'.", option[:40])
    top = _number(call, "$top", _SELECT_DEFAULT, 1, _SELECT_TOP)
    skip = _number(call, "$skip", 0, 0, 1_000_000)
    query = select_reader.read(
        _statement(call, call.catalog.entity(entity), top + skip), schema=call.catalog.entity
    )
    check_size(query, "$filter")
    found = call.store.query(query, context=call.context)
    return answer(document(call, query, Found(rows=found.rows[skip:])))


def record_count(call: Call) -> HttpResponse:
    """Answer how many rows a FetchXML query has (assumed: the body is a `<fetch>`)."""
    query = fetchxml_reader.read(call.document("fetch"), schema=call.catalog.entity)
    check_size(query, "fetch")
    return answer(element("RecordCount", str(call.store.count(query, context=call.context))))


def _paged(query: Query) -> Query:
    return replace(query, count=min(query.count or PAGE, DEFAULT_LIMIT))


def _number(call: Call, option: str, default: int, low: int, high: int) -> int:
    text = call.options.get(option, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and low <= int(text[:12]) <= high):
        raise RestFault(
            f"{option} is a whole number from {low} to {high}, not '{text[:40]}'.", detail=option
        )
    return int(text)


def _statement(call: Call, entity: Entity, limit: int) -> str:
    wanted = call.options.get("$select", "")
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        if entity.attribute(name) is None and name != VERSION:
            raise InvalidRequest(f"Entity '{entity.name}' has no attribute '{name[:80]}'.", name)
    chosen = names or [
        item.name for item in entity.attributes if item.is_stored and not item.is_hidden
    ]
    listed = ", ".join(f"[{name}]" for name in chosen)
    text = f"SELECT TOP {limit} {listed} FROM [{entity.name}]"  # noqa: S608 - parsed, never run
    condition, order = call.options.get("$filter", ""), call.options.get("$orderby", "")
    return (
        f"{text}{f' WHERE {condition}' if condition else ''}{f' ORDER BY {order}' if order else ''}"
    )
