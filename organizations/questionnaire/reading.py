"""Reading sets and single records.

Records come by id, and a page continues after its last one. A filter that asks for answers is
decided record by record, so a page ends early, with a link to go on, once so many were looked at.
With `$orderby` pages count (`ordering`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse

from organizations.odata import selecting, wishes
from organizations.odata.call import PAGE, answer, nothing, text, with_applied
from organizations.odata.errors import ODataError, not_served, unknown
from organizations.odata.negotiation import PLAIN
from organizations.odata.rows import ETAG, Document
from organizations.odata.wishes import Wish
from organizations.questionnaire import ordering
from organizations.questionnaire.answers import MOST_LOOKED_AT, PORTION, Answer, Reading
from organizations.questionnaire.call import QuestionnaireCall
from organizations.questionnaire.printing import Printer
from organizations.questionnaire.templates import Answered, Set

_OF_A_RECORD = frozenset({"$select", "$expand", "$format"})
_OF_A_SET = _OF_A_RECORD | {"$filter", "$orderby", "$top", "$skip", "$skiptoken", "$count"}
_OF_A_COUNT = frozenset({"$filter", "$format"})
_SIZE, _ANNOTATIONS = "odata.maxpagesize", "odata.include-annotations"


@dataclass(slots=True)
class _Page:
    """Records of one page; `token` is where the next one begins, '' on the last."""

    found: list[Answer]
    token: str = ""


def collection(call: QuestionnaireCall, name: str) -> HttpResponse:
    """Answer with a page of records."""
    wishes.check_options(call, _OF_A_SET, "a set")
    of, shape = call.set(name)
    wish, parts = _wish(call, shape)
    reading = _reading(call, of, shape, wish)
    document: Document = {"@odata.context": _context(call, shape)}
    if wish.is_counted:
        document["@odata.count"] = _count(reading)
    most = min(call.preferences.page_size or PAGE, PAGE)
    size = most if wish.left is None else min(wish.left, most)
    page = _ordered(reading, wish, size) if wish.query.order else _page(reading, wish, size)
    document["value"] = Printer(call, shape, wish.attributes, parts).write(page.found)
    left = None if wish.left is None else wish.left - len(page.found)
    if page.token and left != 0:
        token = f"{page.token}{'' if left is None else f'-{left}'}"
        document["@odata.nextLink"] = call.next_link(token)
    return with_applied(call, answer(document, form=call.form), _SIZE, _ANNOTATIONS)


def count(call: QuestionnaireCall, name: str) -> HttpResponse:
    """Answer `/$count`: a number as plain text."""
    wishes.check_options(call, _OF_A_COUNT, "a number of records")
    of, shape = call.set(name)
    wish, _ = _wish(call, shape)
    return text(str(_count(_reading(call, of, shape, wish))), PLAIN)


def record(call: QuestionnaireCall, name: str, record_id: str) -> HttpResponse:
    """Answer with one record, or 304 if the caller has it as it is."""
    wishes.check_options(call, _OF_A_RECORD, "a record")
    of, shape = call.set(name)
    wish, parts = _wish(call, shape)
    found = _reading(call, of, shape, wish).one(record_id)
    if found is None:
        raise unknown(f"record of '{name}'", record_id)
    (written,) = Printer(call, shape, wish.attributes, parts).write([found])
    if call.header("If-None-Match") in ("*", written[ETAG]):
        response = nothing(304)
    else:
        head = {"@odata.context": f"{_context(call, shape)}/$entity"}
        response = answer(head | written, form=call.form)
    response["ETag"] = str(written[ETAG])
    return with_applied(call, response, _ANNOTATIONS)


def _wish(call: QuestionnaireCall, shape: Answered) -> tuple[Wish, Sequence[str]]:
    """Return what is asked for, and the repeated groups that are."""
    left, offset, after = wishes.position(call)
    names = [one.strip() for one in call.options.get("$select", "").split(",") if one.strip()]
    is_whole = not names or "*" in names
    plain = [one for one in names if one not in shape.parts]
    chosen = "*" if is_whole else ",".join(plain or [shape.entity.primary_id])
    wish = Wish(
        query=wishes.ordered(call, shape, wishes.query(call, shape)),
        attributes=selecting.attributes(shape, chosen),
        left=left,
        offset=offset,
        after=after,
        is_counted=wishes.flag(call, "$count"),
    )
    expanded = _expanded(call, shape)
    return wish, [one for one in shape.parts if is_whole or one in names or one in expanded]


def _expanded(call: QuestionnaireCall, shape: Answered) -> set[str]:
    """Return the repeated groups of `$expand`, which come without it too (assumed).

    They are parts of a record, which the standard does not expand; a client that takes them for
    records of their own is answered all the same.
    """
    names = [one.strip() for one in call.options.get("$expand", "").split(",") if one.strip()]
    for name in names:
        if name != "*" and name not in shape.parts:
            raise not_served(f"$expand of '{name[:60]}'")
    return set(shape.parts) if "*" in names else set(names)


def _reading(call: QuestionnaireCall, of: Set, shape: Answered, wish: Wish) -> Reading:
    if wish.query.links:
        raise not_served("$filter by records of other entities")
    return Reading(call.store, of, shape, wish.query.filter, call.context)


def _count(reading: Reading) -> int:
    if reading.count_is_cheap():
        return reading.count()
    looked_at = total = 0
    for portion in reading.portions(None):
        total, looked_at = total + len(portion), looked_at + PORTION
        if looked_at >= MOST_LOOKED_AT:
            raise ODataError(
                f"Records that meet a filter by answers are counted among {MOST_LOOKED_AT:,} at "
                "most. Read them, or filter by the questionnaire's own properties.",
                status=501,
                code="NotServed",
                target="$count",
            )
    return total


def _page(reading: Reading, wish: Wish, size: int) -> _Page:
    """Return up to `size` records beyond those to skip, and where to go on."""
    page, skipped, looked_at = _Page([]), 0, 0
    if size == 0:
        return page
    for portion in reading.portions(wish.after):
        looked_at += PORTION
        for item in portion:
            if skipped < wish.offset:
                skipped += 1
                continue
            if len(page.found) == size:
                return page
            page.found.append(item)
            page.token = f"after-{_id(reading, item)}"
        if looked_at >= MOST_LOOKED_AT:
            _check_skipped(skipped, wish)
            page.token = f"after-{reading.last}" if reading.last else ""
            return page
    page.token = ""
    return page


def _ordered(reading: Reading, wish: Wish, size: int) -> _Page:
    end = wish.offset + size
    found = ordering.first(reading, wish.query.order, wish.offset, end + 1) if size else []
    return _Page(found[:size], f"at-{end}" if len(found) > size else "")


def _check_skipped(skipped: int, wish: Wish) -> None:
    if skipped < wish.offset:
        raise ODataError(
            f"$skip reaches {MOST_LOOKED_AT:,} records deep. Follow @odata.nextLink instead.",
            target="$skip",
        )


def _id(reading: Reading, item: Answer) -> str:
    return str(item.values[reading.shape.entity.primary_id])


def _context(call: QuestionnaireCall, shape: Answered) -> str:
    return f"{call.root}$metadata#{shape.entity.name}"
