"""Pages into canonical rows: the fast way equals `organizations.values.parse`."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connections.connectors.dynamics import values as module
from connections.connectors.dynamics.canonical import Doubtful
from connections.connectors.dynamics.columns import Shape
from connections.connectors.dynamics.values import Decoded, PageDecoder, version_of
from connections.errors import MetadataChanged, Retryable
from organizations.schema import Attribute, AttributeType, DateBehavior, Entity

ID = "00000000-0000-0000-0000-00000000000a"
T = AttributeType

ATTRIBUTES = (
    Attribute(name="thingid", type=T.UNIQUEIDENTIFIER, is_primary_id=True),
    Attribute(name="text", type=T.STRING),
    Attribute(name="memo", type=T.MEMO),
    Attribute(name="whole", type=T.INTEGER),
    Attribute(name="big", type=T.BIGINT),
    Attribute(name="money", type=T.MONEY, precision=2),
    Attribute(name="decimal", type=T.DECIMAL),
    Attribute(name="double", type=T.DOUBLE, precision=3),
    Attribute(name="free", type=T.DOUBLE),
    Attribute(name="flag", type=T.BOOLEAN),
    Attribute(name="moment", type=T.DATETIME),
    Attribute(name="day", type=T.DATETIME, date_behavior=DateBehavior.DATE_ONLY),
    Attribute(name="clock", type=T.DATETIME, date_behavior=DateBehavior.TIME_ZONE_INDEPENDENT),
    Attribute(name="choice", type=T.PICKLIST),
    Attribute(name="choices", type=T.MULTISELECT),
    Attribute(name="parent", type=T.LOOKUP, targets=("thing",)),
    Attribute(name="ownerid", type=T.OWNER, targets=("systemuser", "team")),
    Attribute(name="versionnumber", type=T.BIGINT),
)
ENTITY = Entity(name="thing", primary_id="thingid", attributes=ATTRIBUTES, set_name="things")
SHAPE = Shape.of(ENTITY, ATTRIBUTES)
TARGET = "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"

guids = st.uuids().map(str)
texts = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["", "a\u0000b", "\ufffe", "\uffff", "\\u0000", '"', "tab\t", "\b", "😀", "\x7f"]
    ),
)
numbers = st.one_of(
    st.integers(-(10**12), 10**12),
    st.decimals(-(10**10), 10**10, allow_nan=False, allow_infinity=False, places=5),
    st.sampled_from([Decimal("-0.001"), Decimal("0.005"), Decimal("-0.00"), "12.5", "NaN", True]),
)
moments = st.one_of(
    st.datetimes().map(lambda value: value.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")),
    st.sampled_from(
        [
            "2024-02-30T00:00:00Z",
            "2024-02-29T23:59:59Z",
            "2024-05-01t10:00:00z",
            "2024-05-01 10:00:00Z",
            "2024-05-01T10:00:00.123Z",
            "2024-05-01T12:00:00+02:00",
            "2024-05-01T10:00:60Z",
            "2024-05-01",
            "x" * 20,
        ]
    ),
)
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "memo": texts,
    "whole": st.one_of(st.integers(), st.sampled_from([5.0, 5.5, "7", True])),
    "big": st.integers(),
    "money": numbers,
    "decimal": numbers,
    "double": st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-9, 9)),
    "free": st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.just(-0.0)),
    "flag": st.sampled_from([True, False, 0, 1, "true"]),
    "moment": moments,
    "day": st.one_of(st.dates().map(str), st.sampled_from(["2024-02-30", "2024-05-01T00:00:00Z"])),
    "clock": moments,
    "choice": st.integers(0, 9),
    "choices": st.sampled_from(["1,2", "2,1", "1", "", "a", "3,3"]),
    "_parent_value": st.one_of(guids, guids.map(str.upper), st.sampled_from(["{x}", "é" * 36])),
    "_ownerid_value": guids,
}


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """One record: mostly as Dataverse writes it, sometimes not."""
    names = draw(st.sets(st.sampled_from(sorted(MEMBERS))))
    record: dict[str, Any] = {name: draw(st.none() | MEMBERS[name]) for name in sorted(names)}
    if record.get("_ownerid_value") and draw(st.booleans()):
        record[TARGET] = draw(st.sampled_from(["systemuser", "team"]))
    version = {"versionnumber": draw(st.integers(1, 10**9))} if draw(st.booleans()) else {}
    return {"@odata.etag": 'W/"7"', "thingid": draw(guids), **record, **version}


MARK = "@@number@@"
"""Stands around decimals until they are written; no text that is drawn holds it."""


class _Exact(json.JSONEncoder):
    """Writes decimals as the numbers they are, and text in either of JSON's two ways."""

    def iterencode(self, o: Any, _one_shot: bool = False) -> Any:
        for chunk in super().iterencode(_marked(o), _one_shot):
            yield chunk.replace(f'"{MARK}', "").replace(f'{MARK}"', "")


def _marked(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{MARK}{value}{MARK}"
    if isinstance(value, dict):
        return {name: _marked(item) for name, item in value.items()}
    return [_marked(item) for item in value] if isinstance(value, list) else value


def make_body(found: list[dict[str, Any]], *, ascii_only: bool = True) -> bytes:
    text = "".join(_Exact(ensure_ascii=ascii_only).iterencode({"value": found}))
    return text.encode("utf-8")


def slowly(body: bytes) -> Decoded:
    decoder = PageDecoder(SHAPE)
    with patch.object(module, "astuple", side_effect=Doubtful):
        return decoder.decode(body)


@settings(max_examples=400, deadline=None)
@given(st.lists(records(), min_size=1, max_size=3), st.booleans())
def test_the_fast_way_equals_the_slow_one(found: list[dict[str, Any]], ascii_only: bool) -> None:
    body = make_body(found, ascii_only=ascii_only)
    fast, slow = PageDecoder(SHAPE).decode(body), slowly(body)
    assert [_typed(row) for row in fast.rows] == [_typed(row) for row in slow.rows]
    assert list(fast.versions) == list(slow.versions)
    assert list(fast.rejected) == list(slow.rejected)


def _typed(row: tuple[Any, ...]) -> list[tuple[str, str]]:
    return [(type(value).__name__, repr(value)) for value in row]


GOOD: dict[str, Any] = {
    "@odata.etag": 'W/"81052965"',
    "thingid": ID,
    "versionnumber": 81052965,
    "text": "Žlutý kůň 😀",
    "memo": "",
    "whole": 5,
    "big": 2**40,
    "money": Decimal("20000.0000"),
    "decimal": Decimal("0.0500000000"),
    "double": 1.23456,
    "free": -0.0,
    "flag": True,
    "moment": "2023-04-07T21:59:01Z",
    "day": "2024-05-01",
    "clock": "2024-05-01T10:00:00Z",
    "choice": 1,
    "choices": "2,1,2",
    "_parent_value": ID,
    TARGET: "team",
    "_ownerid_value": ID,
}


def test_it_reads_every_type() -> None:
    with patch.object(PageDecoder, "_slow", side_effect=AssertionError("went the slow way")):
        found = PageDecoder(SHAPE).decode(make_body([GOOD], ascii_only=False))
    row = dict(zip(SHAPE.names, found.rows[0], strict=True))
    assert row == {
        "thingid": ID,
        "text": "Žlutý kůň 😀",
        "memo": None,
        "whole": 5,
        "big": 2**40,
        "money": Decimal("20000.00"),
        "decimal": Decimal("0.05"),
        "double": 1.235,
        "free": 0.0,
        "flag": True,
        "moment": "2023-04-07T21:59:01Z",
        "day": "2024-05-01",
        "clock": "2024-05-01T10:00:00",
        "choice": 1,
        "choices": "1,2",
        "parent": ID,
        "ownerid": ID,
        "ownerid__type": "team",
    }
    assert list(found.versions) == [81052965]
    assert str(row["money"]) == "20000.00"


def test_absent_and_null_are_the_same() -> None:
    empty = {"thingid": ID, "versionnumber": 1}
    nulls = {**dict.fromkeys(MEMBERS), **empty}
    decoder = PageDecoder(SHAPE)
    first, second = decoder.decode(make_body([empty])), decoder.decode(make_body([nulls]))
    assert first.rows == second.rows == [(ID, *[None] * (len(SHAPE.columns) - 1))]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("text", "a\u0001b", r"'text' holds the character U\+0001 at position 1"),
        ("text", 5, "'text' takes text"),
        ("whole", "many", "'many' is not a Integer value for attribute 'whole'"),
        ("moment", "yesterday", "'yesterday' is not a DateTime value for attribute 'moment'"),
        ("_parent_value", "nobody", "'nobody' is not a Lookup value for attribute 'parent'"),
        (TARGET, None, "'ownerid' refers to a record without saying of which entity"),
        ("money", "NaN", "'money' takes a finite number"),
    ],
)
def test_one_bad_record_costs_only_itself(name: str, value: Any, message: str) -> None:
    other = {**GOOD, "thingid": ID[:-1] + "b"}
    found = PageDecoder(SHAPE).decode(make_body([other, {**GOOD, name: value}, other]))
    assert len(found.rows) == 2
    assert [(item.id, item.code) for item in found.rejected] == [(ID, "invalid-value")]
    assert re.search(message, found.rejected[0].message)


def test_a_half_character_costs_only_its_record() -> None:
    body = make_body([{**GOOD, "text": "\ud800"}, {**GOOD, "text": "fine"}])
    found = PageDecoder(SHAPE).decode(body)
    assert (len(found.rows), len(found.rejected)) == (1, 1)
    assert "U+D800" in found.rejected[0].message


def test_it_takes_the_version_from_the_etag_where_there_is_no_other() -> None:
    shape = Shape.of(
        Entity(name="thing", primary_id="thingid", attributes=ATTRIBUTES[:2], set_name="things"),
        ATTRIBUTES[:2],
    )
    found = PageDecoder(shape).decode(b'{"value":[%b]}' % json.dumps(GOOD, default=str).encode())
    assert list(found.versions) == [81052965]
    assert version_of('W/"x"') == version_of(None) == 0


def test_it_tells_changes_from_deletions() -> None:
    gone = {
        "@odata.context": "https://a/api/data/v9.2/$metadata#things/$deletedEntity",
        "id": ID.upper(),
        "reason": "deleted",
    }
    liar = {**GOOD, "text": "/$deletedEntity"}
    found = PageDecoder(SHAPE).decode_delta(make_body([liar, gone]))
    assert (len(found.rows), found.deleted) == (1, [ID])


def test_a_page_without_ids_means_other_metadata() -> None:
    with pytest.raises(MetadataChanged, match="without their primary id 'thingid'"):
        PageDecoder(SHAPE).decode(b'{"value":[{"otherid":"x"}]}')


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"value":', b'{"other":1}', b"\xff"])
def test_what_is_no_page_is_tried_again(body: bytes) -> None:
    with pytest.raises(Retryable, match="not JSON"):
        PageDecoder(SHAPE).decode(body)


def test_an_empty_page_has_no_rows() -> None:
    assert PageDecoder(SHAPE).decode(b'{"value":[]}') == Decoded()
