"""Reading collections and single records (resco.md §3.2).

Without `$orderby` records come by id, and a page continues after its last one, so that reading
to the end misses and repeats nothing. With it, or with `$skip`, pages count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.http import HttpResponse

from organizations.odata import call as calls
from organizations.odata import expanding, wishes
from organizations.odata.call import Call, answer, nothing, text, with_applied
from organizations.odata.errors import ODataError, unknown
from organizations.odata.names import Shape, property_name
from organizations.odata.negotiation import PLAIN
from organizations.odata.rows import ETAG, Document, RowPrinter
from organizations.odata.wishes import Wish
from organizations.query.nodes import ALL
from organizations.records import Row

PAGE = calls.PAGE
_DEEPEST = 50_000
"""Records that `$skip` and `$orderby` reach: a page of them reads all before it."""
_ANNOTATIONS, _SIZE = "odata.include-annotations", "odata.maxpagesize"
_TAG = re.compile(r'(?:W/)?"[^"]*"|\*')


@dataclass(frozen=True, slots=True)
class _Page:
    """Rows of one page, and the token of the next one ('' = this is the last)."""

    rows: Sequence[Row]
    token: str = ""


def collection(call: Call, shape: Shape) -> HttpResponse:
    """Answer with a page of records."""
    wish = wishes.of_a_set(call, shape)
    printer = expanding.printer(call, shape, wish.attributes, wish.expanded)
    page = _page(call, shape, wish, printer)
    document: Document = {"@odata.context": context(call, shape) + _projection(call, wish)}
    if wish.is_counted:
        document["@odata.count"] = call.store.count(wish.query, context=call.context)
    written = printer.write(call.store, page.rows)
    expanding.fill(call, wish.expanded, page.rows, printer.columns, written)
    document["value"] = written
    if page.token:
        document["@odata.nextLink"] = call.next_link(page.token)
    return with_applied(call, answer(document, form=call.form), _SIZE, _ANNOTATIONS)


def count(call: Call, shape: Shape) -> HttpResponse:
    """Answer `/$count`: a number as plain text."""
    wishes.check_options(call, wishes.OF_A_COUNT, "a number of records")
    number = call.store.count(wishes.query(call, shape), context=call.context)
    return text(str(number), PLAIN)


def record(call: Call, shape: Shape, record_id: str, status: int = 200) -> HttpResponse:
    """Answer with one record, or 304 if the caller has it as it is."""
    wish = wishes.of_a_record(call, shape)
    printer = expanding.printer(call, shape, wish.attributes, wish.expanded)
    rows = call.store.fetch(shape.entity.name, printer.columns, [record_id])
    if not rows:
        raise unknown(f"record of '{shape.entity.name}'", record_id)
    written = printer.write(call.store, rows)
    expanding.fill(call, wish.expanded, rows, printer.columns, written)
    etag = str(written[0][ETAG])
    if call.method == "GET" and _is_known(call.header("If-None-Match"), etag):
        response = nothing(304)
    else:
        place = f"{context(call, shape)}{_projection(call, wish)}/$entity"
        head = {"@odata.context": place}
        response = answer(head | written[0], status, call.form)
    response["ETag"] = etag
    return with_applied(call, response, _ANNOTATIONS)


def _is_known(header: str, etag: str) -> bool:
    """Return whether one of the etags of If-None-Match is this one, or stands for all."""
    return any(one in ("*", etag) for one in _TAG.findall(header[:4000]))


def _page(call: Call, shape: Shape, wish: Wish, printer: RowPrinter) -> _Page:
    most = min(call.preferences.page_size or PAGE, PAGE)
    size = most if wish.left is None else min(wish.left, most)
    if size == 0:
        return _Page(())
    if wish.query.order or wish.offset:
        return _counted_page(call, shape, wish, printer, size)
    rows = call.store.page(
        shape.entity.name,
        printer.columns,
        filter=wish.query if wish.query.filter != ALL or wish.query.links else None,
        after=wish.after,
        limit=size + 1,
        context=call.context,
    )
    shown = rows[:size]
    if len(rows) <= size or wish.left == size:
        return _Page(shown)
    return _Page(shown, f"after-{shown[-1][0]}{_rest(wish, size)}")


def _counted_page(call: Call, shape: Shape, wish: Wish, printer: RowPrinter, size: int) -> _Page:
    """Let the query find the ids of the page in order, then read their rows."""
    key = shape.entity.primary_id
    limit = wish.offset + size + 1
    query = replace(wish.query, top=limit)
    if limit > _DEEPEST:
        raise ODataError(
            f"$skip and $orderby reach {_DEEPEST:,} records deep. Narrow the filter, or read "
            "without them.",
            target="$skip",
        )
    found = call.store.query(query, context=call.context)
    ids = [str(row[key]) for row in found.rows[wish.offset :]]
    wanted = ids[:size]
    by_id = {row[0]: row for row in call.store.fetch(shape.entity.name, printer.columns, wanted)}
    shown = [by_id[item] for item in wanted if item in by_id]
    if len(ids) <= size or wish.left == size:
        return _Page(shown)
    return _Page(shown, f"at-{wish.offset + size}{_rest(wish, size)}")


def _rest(wish: Wish, size: int) -> str:
    return "" if wish.left is None else f"-{wish.left - size}"


def context(call: Call, shape: Shape) -> str:
    """Return the context of a set's records."""
    return f"{call.root}$metadata#{shape.entity.name}"


def _projection(call: Call, wish: Wish) -> str:
    """Return what a context says of `$select`; '' for whole records (part 1, 10.7)."""
    if "$select" not in call.options:
        return ""
    names = [property_name(item) for item in wish.attributes]
    return f"({','.join([*names, *(item.navigation.name for item in wish.expanded)])})"
