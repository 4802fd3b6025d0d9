"""Forms of requests that clients in use send, beyond what the known ones do."""

from __future__ import annotations

import pytest

from tests.organizations.odata.reader import OData
from tests.organizations.rest.office import Rest
from tests.organizations.rest.office import rows as rows_of

POWER_QUERY = (
    "application/json;odata.metadata=minimal;q=1.0,application/json;odata=minimalmetadata;q=0.9,"
    "application/atomsvc+xml;q=0.8,application/atom+xml;q=0.8,application/xml;q=0.7,"
    "text/plain;q=0.7"
)


def make_account(odata: OData) -> str:
    return odata.store.create("account", {"name": "Alpha", "employees": 2}).id


@pytest.mark.parametrize(
    "path",
    [
        "account({id})",
        "account('{id}')",
        "account({id})/",
        "account(accountid={id})",
        "account(accountid='{id}')",
        "account( {id} )",
        "account({{{id}}})",
    ],
)
@pytest.mark.parametrize("is_upper", [True, False])
def test_a_key_in_every_writing(odata: OData, path: str, is_upper: bool) -> None:
    key = make_account(odata)
    found = odata.get(path.format(id=key.upper() if is_upper else key))
    assert found["accountid"] == key


@pytest.mark.parametrize(
    "path",
    [
        "",
        "?$format=json",
        "$metadata",
        "$metadata/",
        "$metadata?$format=json",
        "$metadata?$format=xml",
        "account/",
        "account/$count/",
        "account?$format=json",
        "account?$format=application/json",
        "account?$filter=",
        "me/",
    ],
)
@pytest.mark.parametrize("accept", ["", "*/*", POWER_QUERY])
def test_addresses_in_every_writing(odata: OData, path: str, accept: str) -> None:
    make_account(odata)
    response = odata.send(path, Accept=accept, OData_MaxVersion="4.0", MaxDataServiceVersion="3.0")
    assert response.status_code == (400 if path.endswith("filter=") else 200), path
    assert response["OData-Version"] == "4.0"


@pytest.mark.parametrize(
    "query",
    [
        "$orderby=name DESC",
        "$orderby=employees Asc , name desc",
        "$count=True",
        "$count=TRUE&$top=1",
        "$filter=name EQ 'Alpha'",
        "$select= name , employees ",
        "unknown=1",
    ],
)
def test_words_in_every_letter_case(odata: OData, query: str) -> None:
    make_account(odata)
    found = odata.get(f"account?{query}")
    assert [row["name"] for row in found["value"]] == ["Alpha"]
    assert ("@odata.count" in found) is ("count" in query)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("", "GET"),
        ("$metadata", "GET"),
        ("account", "GET, POST"),
        ("account({id})", "GET, PATCH, DELETE"),
        ("account({id})/name", "GET, PUT, PATCH, DELETE"),
        ("$batch", "POST"),
    ],
)
def test_who_asks_is_told_the_methods(odata: OData, path: str, allowed: str) -> None:
    response = odata.send(path.format(id=make_account(odata)), method="OPTIONS")
    assert (response.status_code, response.content) == (204, b"")
    assert response["Allow"] == allowed


def test_another_method_is_refused_all_the_same(odata: OData) -> None:
    assert odata.send("account", method="MERGE").status_code == 405
    assert odata.send("nothing", method="OPTIONS").status_code == 404


def test_a_body_may_begin_with_a_byte_order_mark(odata: OData) -> None:
    response = odata.post_text("account", b'\xef\xbb\xbf{"name": "Beta"}', "application/json")
    assert response.status_code == 201


def test_rest_reads_heads_and_tells_how_operations_are_called(odata: OData) -> None:
    rest = Rest(odata.organization)
    make_account(odata)
    assert rest.send("/account?$top=1", method="HEAD").status_code == 200
    for operation in ("WhoAmI", "GetMaxRowVersion", "Export"):
        response = rest.send(f"/{operation}", method="GET")
        assert (response.status_code, response["Allow"]) == (405, "POST")
        assert b"takes POST" in response.content
    marked = "\ufeff" + '<fetch><entity name="account"><attribute name="name"/></entity></fetch>'
    assert rows_of(rest.read("/", marked)) == [{"name": "Alpha"}]
