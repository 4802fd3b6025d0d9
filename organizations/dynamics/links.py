"""Addresses that carry a position: nextLink with its cookie, deltaLink with its token.

A skip token is `<cookie pagenumber="2" pagingcookie="…" istracking="False" />`, its inner cookie
encoded once in a nextLink and twice in the annotation of FetchXML; clients decode and encode it
as they like (dataverse.md 3.1, 3.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlencode

from lxml import etree

from organizations.dynamics.call import Call
from organizations.dynamics.errors import bad_request
from organizations.errors import InvalidRequest
from organizations.query import markup

_SAFE = "$,()'/:@*"
_TOKEN = re.compile(r"(\d{1,19})!(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)\Z")
_MOMENT = "%m/%d/%Y %H:%M:%S"
_MOST_ENCODINGS = 3
MOST_PAGES = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a page begins: its number, and the store's cookie or named values of our own."""

    page: int = 1
    cookie: str = ""
    tracking: bool = False
    values: Mapping[str, str] = field(default_factory=dict)


START = Position()


def position(call: Call) -> Position:
    """Return where the page begins that a request asks for. Raises WebApiError 400."""
    token = call.options.get("$skiptoken")
    if token is None:
        return START
    root = _element(token)
    number = root.get("pagenumber", "")
    inner = _decoded(root.get("pagingcookie", ""))
    if not number.isdecimal() or not 1 <= int(number) <= MOST_PAGES:
        raise _broken()
    return Position(
        page=int(number),
        cookie=inner,
        tracking=root.get("istracking") == "True",
        values={str(name): str(value) for name, value in _element(inner).attrib.items()}
        if inner
        else {},
    )


def _decoded(cookie: str) -> str:
    for _ in range(_MOST_ENCODINGS):
        if cookie.startswith("<"):
            break
        cookie = unquote(cookie)
    return cookie


def _element(text: str) -> etree._Element:
    try:
        root = markup.parse(text, "paging-cookie")
    except InvalidRequest as error:
        raise _broken() from error
    if root.tag != "cookie":
        raise _broken()
    return root


def _broken() -> Exception:
    return bad_request("Malformed XML in the Paging Cookie", "0x8004e00a")


def id_cookie(page: int, key: str, first: str, last: str, **values: str) -> str:
    """Return the cookie of a page in the order of ids; `values` are carried along."""
    root = etree.Element("cookie", {"page": str(page), **values})
    item = etree.SubElement(root, key)
    item.set("last", f"{{{last.upper()}}}")
    item.set("first", f"{{{first.upper()}}}")
    return etree.tostring(root, encoding="unicode")


def last_id(cookie: str) -> str | None:
    """Return the last id of a page in the order of ids; None for an empty cookie."""
    if not cookie:
        return None
    item = next(iter(_element(cookie)), None)
    if item is None:
        return None
    return (item.get("last") or "").strip("{}").lower()


def value_cookie(page: int, **values: str) -> str:
    """Return a cookie that holds nothing but named values."""
    return etree.tostring(
        etree.Element("cookie", {"page": str(page), **values}), encoding="unicode"
    )


def wrapped(cookie: str, page: int, *, tracking: bool = False, encodings: int = 1) -> str:
    """Return the outer cookie for `page`, around the encoded one of the page before."""
    inner = cookie
    for _ in range(encodings):
        inner = _lower(quote(inner, safe=""))
    return f'<cookie pagenumber="{page}" pagingcookie="{inner}" istracking="{tracking}" />'


def _lower(encoded: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found.group().lower(), encoded)


def next_link(call: Call, cookie: str, page: int, *, tracking: bool = False) -> str:
    """Return the address of `page`, which begins after `cookie`."""
    token = wrapped(cookie, page, tracking=tracking)
    return f"{_address(call)}$skiptoken={quote(token, safe='=/')}"


def delta_link(call: Call, version: int) -> str:
    """Return the address that will tell what changed after `version`; it dates from now."""
    token = f"{version}!{datetime.now(UTC).strftime(_MOMENT)}"
    return f"{_address(call)}$deltatoken={_lower(quote(token, safe=''))}"


def _address(call: Call) -> str:
    carried = ("$skiptoken", "$deltatoken")
    options = {name: value for name, value in call.options.items() if name not in carried}
    query = urlencode(options, quote_via=quote, safe=_SAFE)
    return f"{call.api}{quote(call.path, safe=_SAFE)}?{query}{'&' if query else ''}"


def delta_token(text: str) -> tuple[int, datetime]:
    """Return version and moment of a delta token. Raises WebApiError 400."""
    found = _TOKEN.match(text)
    if found is None:
        raise bad_request("The delta token is not valid.", "0x80044351")
    try:
        moment = datetime.strptime(found[2], _MOMENT).replace(tzinfo=UTC)
    except ValueError as error:
        raise bad_request("The delta token is not valid.", "0x80044351") from error
    return int(found[1]), moment
