"""Reading collections of records: filtered, sorted, counted, page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse

from organizations.dynamics import apply, links, selection
from organizations.dynamics.call import Call, answer
from organizations.dynamics.names import Shape
from organizations.dynamics.selection import Selection
from organizations.query.nodes import Query
from organizations.records import Row

MOST_COUNTED = 5000
"""Counts never say more (dataverse.md 3.1)."""

_TOTAL = "Microsoft.Dynamics.CRM.totalrecordcount"
_EXCEEDED = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"
_VERSION = "Microsoft.Dynamics.CRM.globalmetadataversion"


@dataclass(frozen=True, slots=True)
class _Page:
    """Rows of one page, and the cookie of the next one ('' = this is the last)."""

    rows: Sequence[Row]
    cookie: str = ""


def collection(
    call: Call, shape: Shape, *, within: Query | None = None, name: str = ""
) -> HttpResponse:
    """Answer with a page of records; `within` narrows them, `name` is shown for the set's."""
    if "$apply" in call.options:
        return apply.collection(call, shape, within=within)
    chosen = selection.read(call, shape, within=within)
    position = links.position(call)
    page = _page(call, chosen, position)
    document: dict[str, Any] = {
        "@odata.context": selection.context(call, name or shape.entity.set_name)
    }
    document |= beside(call, lambda: call.store.count(chosen.query, context=call.context))
    document["value"] = chosen.writer.write(call.store, page.rows)
    if page.cookie:
        document["@odata.nextLink"] = links.next_link(call, page.cookie, position.page + 1)
    return answer(document)


def beside(call: Call, count: Callable[[], int], *, is_totalled: bool = False) -> dict[str, Any]:
    """Return what stands beside the records: their number, and what was asked for about it.

    `is_totalled` asks for the number in the annotations only.
    """
    counted = call.options.get("$count", "").lower() == "true"
    total = count() if counted or is_totalled else -1
    own: dict[str, Any] = {}
    if counted:
        own["@odata.count"] = min(total, MOST_COUNTED)
    known = {
        _TOTAL: min(total, MOST_COUNTED),
        _EXCEEDED: total > MOST_COUNTED,
        _VERSION: str(call.catalog.version),
    }
    wanted = {name: value for name, value in known.items() if call.preferences.wants(name)}
    return own | {f"@{name}": value for name, value in wanted.items()}


def _page(call: Call, chosen: Selection, position: links.Position) -> _Page:
    if chosen.top == 0:
        return _Page(())
    if chosen.query.order:
        return _sorted_page(call, chosen, position)
    return _plain_page(call, chosen, position)


def _limit(chosen: Selection) -> int:
    return chosen.page_size if chosen.top is None else min(chosen.top, chosen.page_size)


def _plain_page(call: Call, chosen: Selection, position: links.Position) -> _Page:
    """Read in the order of ids, one row more than shown to know whether there is more."""
    limit = _limit(chosen)
    rows = call.store.page(
        chosen.shape.entity.name,
        chosen.writer.columns,
        filter=chosen.query if chosen.is_filtered else None,
        after=links.last_id(position.cookie),
        limit=limit + 1,
        context=call.context,
    )
    shown = rows[:limit]
    if len(rows) <= limit or chosen.top is not None:
        return _Page(shown)
    key = chosen.shape.entity.primary_id
    return _Page(shown, links.id_cookie(position.page, key, str(shown[0][0]), str(shown[-1][0])))


def _sorted_page(call: Call, chosen: Selection, position: links.Position) -> _Page:
    """Let the query find the ids of the page in order, then read their rows."""
    entity = chosen.shape.entity
    query = replace(
        chosen.query,
        page=position.page,
        count=_limit(chosen),
        cookie=position.cookie,
    )
    found = call.store.query(query, context=call.context)
    ids = [str(row[entity.primary_id]) for row in found.rows]
    rows = call.store.fetch(entity.name, chosen.writer.columns, ids)
    by_id = {row[0]: row for row in rows}
    more = found.more and chosen.top is None
    return _Page([by_id[key] for key in ids if key in by_id], found.cookie if more else "")


def count(call: Call, shape: Shape, *, within: Query | None = None) -> HttpResponse:
    """Answer `/$count`: a number as plain text after a byte order mark, at most 5,000."""
    chosen = selection.read(call, shape, within=within)
    number = call.store.count(chosen.query, context=call.context)
    return counted(number)


def counted(number: int) -> HttpResponse:
    """Return a number as the text that `/$count` answers with."""
    text = f"\ufeff{min(number, MOST_COUNTED)}"
    return HttpResponse(text.encode(), content_type="text/plain")
