"""Requests that mean harm: large, deep, endless or broken ones are refused with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from tests.organizations.odata.reader import OData

ID = "11111111-1111-4111-8111-111111111111"
PARENT = "parentaccountid_account"
pytestmark = pytest.mark.timeout(120)


def refused(response: Any, *statuses: int) -> dict[str, str]:
    """Check that an answer is an error of the client's, told as OData tells it."""
    assert response.status_code in (statuses or (400, 404, 501)), response.content[:300]
    error: dict[str, str] = orjson.loads(response.content)["error"]
    assert error["code"]
    assert 10 < len(error["message"]) < 1000
    return error


def any_of(number: int) -> str:
    return " or ".join(f"name eq '{n}'" for n in range(number))


FILTERS: Mapping[str, str] = {
    "2,000 conditions": any_of(2000),
    "2,000 conditions with and": any_of(2000).replace(" or ", " and "),
    "too long": any_of(9000),
    "parentheses": "(" * 5000 + "name eq 'x'" + ")" * 5000,
    "open parentheses": "(" * 20000,
    "not": "not " * 5000 + "name eq 'x'",
    "minus": "employees eq " + "-" * 5000 + "1",
    "a long path": f"{PARENT}/" * 2000 + "name eq 'x'",
    "a path of many joins": f"{PARENT}/" * 19 + "name eq 'x'",
    "many paths": " or ".join(
        f"{'parentaccountid_account/' * deep}name eq 'x'" for deep in range(1, 8)
    ),
    "functions in functions": "tolower(" * 50 + "name" + ")" * 50 + " eq 'x'",
    "collections in collections": "x/any(" * 20 + "a:a/name eq 'x'" + ")" * 20,
    "a long name": "a" * 50000 + " eq 1",
    "a long dotted name": "a.a" * 20000 + " eq 1",
    "a long number": "employees eq " + "9" * 20000,
    "a huge number": "revenue eq 1e999999999",
    "a tiny number": "revenue eq 1e-999999999",
    "quotes": "'" * 20001,
    "a pattern without end": f"contains(name,'{'%a' * 10001}')",
    "more joints than conditions": "name eq 'a or b' or " * 4000 + "name eq 'x'",
    "brackets": "[" * 20000,
    "brackets in a list": "name in " + "[" * 5000 + "]" * 5000,
    "a broken text in a list": 'name in ["' + "\\" * 20000,
    "commas": "name in (" + "," * 20000 + ")",
    "slashes": "/" * 20000,
    "a NUL": "name eq '\0'",
    "a NUL in a pattern": "contains(name,'\0')",
    "a date beyond the calendar": "createdon gt 9999-12-31T23:59:59-14:00",
    "an alias of itself": "@p&@p=@p",
    "an alias of an alias": "@p&@p=@q&@q=@p",
    "an alias bomb": " or ".join(["@p"] * 2000) + "&@p=" + any_of(200),
    "a missing entity": "ownerid_systemuser/nothing eq 1",
    "nothing": "",
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter(odata: OData, name: str) -> None:
    error = refused(odata.send(f"account?$filter={FILTERS[name]}"))
    assert error["target"]


def test_a_list_of_many_values_is_served(odata: OData) -> None:
    odata.store.create("account", {"name": "7"})
    values = ",".join(f"'{n}'" for n in range(5000))
    assert len(odata.get(f"account?$filter=name in ({values})")["value"]) == 1


@pytest.mark.parametrize("text", ["'" + "%" * 5000 + "'", "'" + "[" * 5000 + "'"])
def test_wildcards_cost_nothing(odata: OData, text: str) -> None:
    assert odata.get(f"account?$filter=contains(name,{text})")["value"] == []


EXPANSIONS: Mapping[str, str] = {
    "four levels": f"{PARENT}($expand={PARENT}($expand={PARENT}($expand={PARENT})))",
    "thousands of levels": f"{PARENT}($expand=" * 100 + PARENT + ")" * 100,
    "too long": f"{PARENT}($expand=" * 500 + PARENT + ")" * 500,
    "eleven": ",".join([PARENT] * 11),
    "many in many": ",".join([f"{PARENT}($expand={PARENT},{PARENT})"] * 4),
    "all of all of all": "*($expand=*($expand=*($expand=*)))",
    "open": "(" * 2000,
    "closed": ")" * 2000,
    "semicolons": f"{PARENT}({';' * 2000})",
    "commas": "," * 2000,
    "a NUL": "\0",
}


@pytest.mark.parametrize("name", EXPANSIONS)
def test_an_expansion(odata: OData, name: str) -> None:
    assert refused(odata.send(f"account?$expand={EXPANSIONS[name]}"))["target"]


@pytest.mark.parametrize(
    "option",
    [
        "$top=-1",
        "$top=" + "9" * 30,
        "$top=1.5",
        "$skip=-1",
        "$skip=" + "9" * 30,
        "$skip=999999999",
        "$skiptoken=",
        "$skiptoken=x",
        "$skiptoken=at-999999999",
        "$skiptoken=at-99999999999",
        "$skiptoken=at--1",
        "$skiptoken=after-x",
        "$skiptoken=after-11111111-1111-4111-8111-111111111111-99999999999",
        "$count=\0",
        "$select=" + "x" * 5000,
        "$select=\0",
        "$orderby=" + ",".join(["name"] * 51),
        "$orderby=,",
        "$orderby=" + "x" * 5000,
    ],
)
def test_an_option(odata: OData, option: str) -> None:
    assert refused(odata.send(f"account?{option}"))["target"]


def test_too_many_options(odata: OData) -> None:
    many = "&".join(f"a{n}=1" for n in range(5000))
    assert "too many query options" in refused(odata.send(f"account?{many}"))["message"]


@pytest.mark.parametrize("option", ["$format=\0", "$format=" + "x" * 5000])
def test_a_format(odata: OData, option: str) -> None:
    refused(odata.send(f"account?{option}"), 415)


@pytest.mark.parametrize(
    "path",
    [
        "account(" + "1" * 5000 + ")",
        "account(" + "(" * 500 + ")" * 500 + ")",
        "account(%00)",
        "%00",
        "a" * 5000,
        "account/" + "a/" * 500,
        f"account({ID})/{PARENT}" + f"/{PARENT}" * 30,
        f"account({ID})/name/$value/$value",
        "$schema/" + "x" * 5000,
        "$hook?$id=%00",
    ],
)
def test_an_address(odata: OData, path: str) -> None:
    method = "DELETE" if path.startswith("$hook") else "GET"
    refused(odata.send(path, method=method))


BODIES: Mapping[str, bytes] = {
    "a NUL": b'{"name":"\\u0000"}',
    "a NUL in a name": b'{"\\u0000":1}',
    "half a character": b'{"name":"\\ud800"}',
    "no UTF-8": b'{"name":"\xff"}',
    "deep objects": b'{"a":' * 50000 + b"1" + b"}" * 50000,
    "deep lists": b"[" * 50000,
    "a huge whole number": b'{"employees":' + b"9" * 50000 + b"}",
    "a huge number": b'{"revenue":1e400}',
    "a huge exponent": b'{"revenue":"1e999999999"}',
    "many digits": b'{"revenue":"' + b"9" * 5000 + b'"}',
    "not a number": b'{"revenue":NaN}',
    "a number beyond its bounds": b'{"employees":100000}',
    "an unknown option": b'{"statuscode":99}',
    "an odd date": b'{"createdon":"99999-01-01T00:00:00Z"}',
    "a date that is a number": b'{"createdon":5}',
    "an id that is a number": b'{"accountid":5}',
    "a long name": b'{"' + b"x" * 50000 + b'":1}',
    "a long address": b'{"parentaccountid_account@odata.bind":"' + b"x" * 50000 + b'"}',
    "an address of nothing": b'{"parentaccountid_account@odata.bind":"account(\\u0000)"}',
    "a binding of nothing": b'{"@odata.bind":"x"}',
    "a navigation of nothing": b'{"ownerid_nothing@odata.bind":"x"}',
    "many names": orjson.dumps({f"k{n}": 1 for n in range(50000)}),
    "nothing": b"",
    "a list": b"[]",
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body(odata: OData, name: str) -> None:
    refused(odata.post_text("account", BODIES[name], "application/json"))
    assert odata.store.count_records("account") == 0


@pytest.mark.parametrize(
    "party",
    [
        {"party": "x\0y"},
        {"party": "x", "entity": "contact"},
        {"party": ID, "entity": "contact", "participationtypemask": 10**12},
        {"party": ID, "entity": "contact", "participationtypemask": "many"},
    ],
)
def test_a_party(odata: OData, party: dict[str, object]) -> None:
    refused(odata.send("sampler", {"parties": [party]}, method="POST"))


def test_a_body_that_is_too_long_or_no_json(odata: OData) -> None:
    refused(odata.post_text("account", b" " * (16 * 2**20 + 1), "application/json"), 413)
    refused(odata.post_text("account", b"<a/>", "application/xml"), 415)


@pytest.mark.parametrize("path", ["account", "$batch"])
def test_a_packed_body(odata: OData, path: str) -> None:
    answer = odata.send(path, {"name": "A"}, method="POST", Content_Encoding="deflate")
    error = refused(answer, 415)
    assert error["target"] == "Content-Encoding"
    assert "Send it as it is" in error["message"]


def part(request: bytes, more: bytes = b"") -> bytes:
    head = b"--b\r\nContent-Type: application/http\r\n"
    return head + more + b"\r\n" + request + b"\r\n\r\n--b--"


@pytest.mark.parametrize(
    "body",
    [
        b"--b\r\n\r\n" * 20000 + b"--b--",
        part(b"GET account(\0) HTTP/1.1", b"X: y\r\n" * 20000),
        part(b"GET http://[::1/odata/v4/x HTTP/1.1"),
        part(b"GET account?$filter=%ZZ&%FF=%00 HTTP/1.1\r\nAccept: \xff"),
        part(b"GET account(1) HTTP/1.1", b"Content-ID: \x01\xff\rX: y\r\n"),
    ],
)
def test_a_batch(odata: OData, body: bytes) -> None:
    response = odata.post_text("$batch", body, "multipart/mixed; boundary=b")
    assert response.status_code in (200, 400)
    if response.status_code == 200:
        status = int(response.content.partition(b"HTTP/1.1 ")[2][:3])
        assert status in (400, 404, 406)
        assert b"\r\nX: y" not in response.content


@pytest.mark.parametrize(
    "request_",
    [
        {"id": "1", "method": "get", "url": "http://[::1"},
        {"id": "\0", "method": "get", "url": "account(\0)"},
        {"id": "1", "method": "get", "url": "account", "headers": {"a\r\nb": "c\r\nd"}},
        {"id": "1", "method": "get", "url": "account", "headers": {"odata-maxversion": "\0"}},
        {"id": "1", "method": "get", "url": "account", "headers": {"accept": "é"}},
    ],
)
def test_a_json_batch(odata: OData, request_: dict[str, object]) -> None:
    response = odata.send("$batch", {"requests": [request_]}, method="POST")
    assert response.status_code in (200, 400), response.content
    for one in orjson.loads(response.content).get("responses", ()):
        assert one["status"] in (200, 400, 404, 406)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Accept", "a/" * 20000, 406),
        ("Accept", "," * 20000, 406),
        ("Accept", "application/json;q=x", 200),
        ("Prefer", "odata.maxpagesize=" + "9" * 5000, 200),
        ("Prefer", "odata.maxpagesize=²", 200),
        ("Prefer", 'odata.include-annotations="' + "*," * 20000 + '"', 200),
        ("Prefer", "a" * 20000, 200),
        ("OData-MaxVersion", "9" * 5000, 400),
        ("OData-MaxVersion", "4.0" + " " * 5000 + "x", 400),
        ("If-None-Match", '"' * 20000, 200),
        ("Authorization", "Basic " + "A" * 20000, 401),
        ("Authorization", "Basic !!!", 401),
        ("Authorization", "Basic /w==", 401),
    ],
)
def test_a_header(odata: OData, name: str, value: str, status: int) -> None:
    assert odata.send("account", **{name: value}).status_code == status
