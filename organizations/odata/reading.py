"""Reading collections and single records (resco.md §3.2).

Without `$orderby` records come by id, and a page continues after its last one, so that reading
to the end misses and repeats nothing. With it, or with `$skip`, pages count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from django.http import HttpResponse

from organizations.odata import expanding
from organizations.odata.call import Call, answer, nothing
from organizations.odata.errors import ODataError, not_served, unknown
from organizations.odata.names import Shape
from organizations.odata.rows import ETAG, RowPrinter
from organizations.query.nodes import ALL, Query
from organizations.query.odata_reader import read_filter, read_order
from organizations.records import Row
from organizations.schema import Attribute

PAGE = 1000
"""Records of a page: the default and the most (resco.md §3.2)."""
_KNOWN = frozenset(
    {
        "$select",
        "$filter",
        "$orderby",
        "$expand",
        "$top",
        "$skip",
        "$skiptoken",
        "$count",
        "$format",
    }
)
_AFTER = re.compile(r"after-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-(\d{1,9}))?\Z")
_AT = re.compile(r"at-(\d{1,9})(?:-(\d{1,9}))?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What a request asks for. `left` is how many records $top still leaves."""

    query: Query
    attributes: list[Attribute]
    expanded: expanding.Items
    left: int | None
    offset: int
    after: str | None

    @property
    def size(self) -> int:
        """Records of this page."""
        return PAGE if self.left is None else min(self.left, PAGE)


@dataclass(frozen=True, slots=True)
class _Page:
    """Rows of one page, and the token of the next one ('' = this is the last)."""

    rows: Sequence[Row]
    token: str = ""


def collection(call: Call, shape: Shape) -> HttpResponse:
    """Answer with a page of records."""
    wish = _wish(call, shape)
    printer = _printer(call, shape, wish)
    page = _page(call, shape, wish, printer)
    document: dict[str, object] = {"@odata.context": _context(call, shape)}
    if call.options.get("$count", "false") == "true":
        document["@odata.count"] = call.store.count(wish.query, context=call.context)
    written = printer.write(call.store, page.rows)
    expanding.fill(call, shape, wish.expanded, page.rows, printer.columns, written)
    document["value"] = written
    if page.token:
        document["@odata.nextLink"] = _next_link(call, page.token)
    return answer(document)


def count(call: Call, shape: Shape) -> HttpResponse:
    """Answer `/$count`: a number as plain text."""
    number = call.store.count(_wish(call, shape).query, context=call.context)
    response = HttpResponse(str(number), content_type="text/plain")
    response["OData-Version"] = "4.0"
    return response


def record(call: Call, shape: Shape, record_id: str, status: int = 200) -> HttpResponse:
    """Answer with one record, or 304 if the caller has it as it is."""
    wish = _wish(call, shape)
    printer = _printer(call, shape, wish)
    rows = call.store.fetch(shape.entity.name, printer.columns, [record_id])
    if not rows:
        raise unknown(f"record of '{shape.entity.name}'", record_id)
    written = printer.write(call.store, rows)
    expanding.fill(call, shape, wish.expanded, rows, printer.columns, written)
    etag = str(written[0][ETAG])
    if call.method == "GET" and call.request.headers.get("If-None-Match") == etag:
        return nothing(304)
    context = {"@odata.context": f"{_context(call, shape)}/$entity"}
    response = answer(context | written[0], status)
    response["ETag"] = etag
    return response


def _wish(call: Call, shape: Shape) -> _Wish:
    options = call.options
    for option in options:
        if option.startswith("$") and option not in _KNOWN:
            raise not_served(f"The query option {option[:40]}")
    left, offset, after = _position(call)
    expanded = expanding.read(call, shape)
    return _Wish(
        query=_query(call, shape),
        attributes=_selected(shape, options.get("$select")),
        expanded=expanded,
        left=left,
        offset=offset,
        after=after,
    )


def _query(call: Call, shape: Shape) -> Query:
    query = Query(entity=shape.entity.name)
    if text := call.options.get("$filter"):
        found = read_filter(text, shape.entity, call.names)
        query = replace(query, filter=found.group, links=found.links)
    if text := call.options.get("$orderby"):
        query = replace(query, order=read_order(text, shape.entity, call.names))
    return query


def _selected(shape: Shape, text: str | None) -> list[Attribute]:
    """Return the attributes of `$select`; the key is always one of them."""
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    if not names or "*" in names:
        return list(shape.properties.values())
    chosen = [shape.property(name) for name in names]
    key = shape.properties[shape.entity.primary_id]
    return list({item.name: item for item in (key, *chosen)}.values())


def _position(call: Call) -> tuple[int | None, int, str | None]:
    """Return how many records are left, how many are skipped, and after which id to go on."""
    token = call.options.get("$skiptoken")
    if token is None:
        return _number(call, "$top"), _number(call, "$skip") or 0, None
    if found := _AFTER.match(token):
        return _left(found[2]), 0, found[1]
    if found := _AT.match(token):
        return _left(found[2]), int(found[1]), None
    raise ODataError("The $skiptoken is not one of this service.", target="$skiptoken")


def _left(text: str | None) -> int | None:
    return None if text is None else int(text)


def _number(call: Call, option: str) -> int | None:
    text = call.options.get(option)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ODataError(
            f"{option} is a whole number that is not negative, not '{text[:40]}'.", target=option
        )
    return int(text)


def _printer(call: Call, shape: Shape, wish: _Wish) -> RowPrinter:
    return RowPrinter(
        shape,
        expanding.with_lookups(shape, wish.attributes, wish.expanded),
        call.organization.language,
        is_annotated=call.is_annotated,
    )


def _page(call: Call, shape: Shape, wish: _Wish, printer: RowPrinter) -> _Page:
    if wish.size == 0:
        return _Page(())
    if wish.query.order or wish.offset:
        return _counted_page(call, shape, wish, printer)
    rows = call.store.page(
        shape.entity.name,
        printer.columns,
        filter=wish.query if wish.query.filter != ALL or wish.query.links else None,
        after=wish.after,
        limit=wish.size + 1,
        context=call.context,
    )
    shown = rows[: wish.size]
    if len(rows) <= wish.size or wish.left == wish.size:
        return _Page(shown)
    return _Page(shown, f"after-{shown[-1][0]}{_rest(wish)}")


def _counted_page(call: Call, shape: Shape, wish: _Wish, printer: RowPrinter) -> _Page:
    """Let the query find the ids of the page in order, then read their rows."""
    key = shape.entity.primary_id
    limit = wish.offset + wish.size + 1
    query = replace(wish.query, top=limit)
    if limit > _DEEPEST:
        raise ODataError(
            f"$skip and $orderby reach {_DEEPEST:,} records deep. Narrow the filter, or read "
            "without them.",
            target="$skip",
        )
    found = call.store.query(query, context=call.context)
    ids = [str(row[key]) for row in found.rows[wish.offset :]]
    wanted = ids[: wish.size]
    by_id = {row[0]: row for row in call.store.fetch(shape.entity.name, printer.columns, wanted)}
    shown = [by_id[item] for item in wanted if item in by_id]
    if len(ids) <= wish.size or wish.left == wish.size:
        return _Page(shown)
    return _Page(shown, f"at-{wish.offset + wish.size}{_rest(wish)}")


_DEEPEST = 50_000


def _rest(wish: _Wish) -> str:
    return "" if wish.left is None else f"-{wish.left - wish.size}"


def _next_link(call: Call, token: str) -> str:
    carried = {
        name: value
        for name, value in call.options.items()
        if name not in ("$skiptoken", "$skip", "$top")
    }
    query = urlencode(carried | {"$skiptoken": token}, quote_via=quote, safe="$,()'")
    return f"{call.root}{call.path}?{query}"


def _context(call: Call, shape: Shape) -> str:
    return f"{call.root}$metadata#{shape.entity.name}"
