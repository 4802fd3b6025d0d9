"""`$batch` in its multipart form: operations in order, change sets as one."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from organizations.odata import batch
from tests.organizations.dynamics.batches import (
    CRLF,
    LF,
    body_of,
    change_set,
    operation,
    replies,
)
from tests.organizations.making import make_id
from tests.organizations.odata.reader import OData

KIND = 'multipart/mixed; boundary="batch_1"'
GO_ON = "odata.continue-on-error"


def send(odata: OData, *parts: str, prefer: str = "", end: str = CRLF) -> list[Any]:
    response = odata.post_text("$batch", body_of(*parts, end=end), KIND, Prefer=prefer)
    assert response.status_code == 200, response.content
    assert response["OData-Version"] == "4.0"
    if GO_ON in prefer:
        assert response["Preference-Applied"] == GO_ON
    return replies(response.content.decode(), response["Content-Type"])


def names(odata: OData) -> list[str]:
    return [row["name"] for row in odata.get("account?$orderby=name")["value"]]


@pytest.mark.parametrize("end", [CRLF, LF])
def test_it_answers_each_operation_in_order(odata: OData, end: str) -> None:
    account = odata.store.create("account", {"name": "Lies"}).id
    parts = send(
        odata,
        operation("GET", f"account('{account}')?$select=name", end=end),
        operation("POST", "account", {"name": "New"}, content_id="1", end=end),
        operation("DELETE", f"account('{account}')", end=end),
        end=end,
    )
    assert [part.status for part in parts] == [200, 201, 204]
    assert parts[0].body["name"] == "Lies"
    assert parts[0].headers["OData-Version"] == "4.0"
    assert (parts[1].body["name"], parts[1].content_id) == ("New", "1")
    assert parts[1].headers["Location"].endswith(f"account('{parts[1].body['accountid']}')")
    assert names(odata) == ["New"]


@pytest.mark.parametrize(
    "address",
    [
        "account",
        "/odata/v4/odata-office/account",
        "http://testserver/odata/v4/odata-office/account",
        "https://elsewhere.example/odata/v4/odata-office/account",
    ],
)
def test_addresses_are_absolute_or_relative(odata: OData, address: str) -> None:
    odata.store.create("account", {"name": "Žluť"})
    (part,) = send(odata, operation("GET", f"{address}?$filter=name eq '%C5%BDlu%C5%A5'"))
    assert [row["name"] for row in part.body["value"]] == ["Žluť"]


@pytest.mark.parametrize("address", ["/elsewhere", "/odata/v4/other/account", "ftp://x/y"])
def test_a_foreign_address_is_refused(odata: OData, address: str) -> None:
    (part,) = send(odata, operation("GET", address))
    assert part.status == 400
    assert "is not one of this service" in part.body["error"]["message"]


def test_it_stops_at_the_first_error_and_goes_on_if_asked(odata: OData) -> None:
    parts = [
        operation("POST", "account", {"name": "A"}),
        operation("GET", f"account({make_id()})"),
        operation("POST", "account", {"name": "B"}),
    ]
    assert [part.status for part in send(odata, *parts)] == [201, 404]
    assert names(odata) == ["A"]
    assert [part.status for part in send(odata, *parts, prefer=GO_ON)] == [201, 404, 201]
    assert names(odata) == ["A", "A", "B"]


def test_a_change_set_is_one_transaction_with_references(odata: OData) -> None:
    bind = {"name": "Child", "parentaccountid_account@odata.bind": "$1"}
    (answers,) = send(
        odata,
        change_set(
            operation("POST", "account", {"name": "Parent"}, content_id="1"),
            operation("POST", "account", bind, content_id="2"),
            operation("PATCH", "$1", {"employees": 3}, content_id="3"),
            operation("DELETE", "$2/employees", content_id="4"),
        ),
    )
    assert [(one.status, one.content_id) for one in answers] == [
        (201, "1"),
        (201, "2"),
        (200, "3"),
        (204, "4"),
    ]
    parent, child = answers[0].body["accountid"], answers[1].body
    assert child["__parentaccountid_id"] == parent
    assert odata.get(f"account({parent})")["employees"] == 3


def test_a_failing_change_set_leaves_nothing(odata: OData) -> None:
    parts = send(
        odata,
        change_set(
            operation("POST", "account", {"name": "A"}, content_id="1"),
            operation("PATCH", f"account({make_id()})", {"wrong": 1}, content_id="2"),
            operation("POST", "account", {"name": "C"}, content_id="3"),
        ),
        operation("PATCH", "$1", {"name": "never"}),
        operation("POST", "account", {"name": "After"}),
        prefer=GO_ON,
    )
    assert [(part.status, part.content_id) for part in parts] == [(400, "2"), (400, ""), (201, "")]
    assert "no property 'wrong'" in parts[0].body["error"]["message"]
    assert "'$1' does not exist" in parts[1].body["error"]["message"]
    assert names(odata) == ["After"]


def test_a_change_set_needs_no_content_ids(odata: OData) -> None:
    (answers,) = send(odata, change_set(operation("POST", "account", {"name": "A"})))
    assert answers[0].status == 201


def test_headers_of_a_part_count(odata: OData) -> None:
    account = odata.store.create("account", {"name": "A"}).id
    quiet = {"Prefer": "return=minimal"}
    parts = send(
        odata,
        operation("GET", f"account({account})", content_id="7"),
        operation("PATCH", f"account({account})", {"name": "B"}, {"If-Match": "$7"} | quiet),
        operation("PATCH", f"account({account})", {"name": "C"}, {"If-Match": "$7"} | quiet),
    )
    assert [part.status for part in parts] == [200, 204, 412]
    assert parts[1].headers["Preference-Applied"] == "return=minimal"
    assert names(odata) == ["B"]


def test_a_system_resource_is_no_reference(odata: OData) -> None:
    parts = send(odata, operation("GET", "$metadata"), operation("GET", "me"))
    assert [part.status for part in parts] == [200, 200]
    assert "<edmx:Edmx" in parts[0].body


def test_the_caller_is_that_of_the_batch(odata: OData) -> None:
    other = {"Authorization": "Basic eDp5", "Host": "elsewhere.example"}
    (part,) = send(odata, operation("GET", "me", headers=other))
    assert part.status == 200


def test_the_answers_of_a_batch_are_limited(odata: OData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MOST_ANSWER", 100)
    odata.store.create("account", {"name": "A"})
    parts = send(odata, *[operation("GET", "account")] * 3, prefer=GO_ON)
    assert [part.status for part in parts] == [200, 413, 413]
    assert "Send its operations in several batches" in parts[1].body["error"]["message"]


def refused(odata: OData, body: str, kind: str = KIND) -> str:
    response = odata.post_text("$batch", body, kind)
    assert response.status_code == 400, response.content
    return str(orjson.loads(response.content)["error"]["message"])


def test_malformed_batches_are_refused(odata: OData) -> None:
    one = operation("POST", "account", {"name": "A"}, content_id="1")
    get = operation("GET", "account", content_id="1")
    assert "The Content-Type of a batch must be multipart/mixed" in refused(odata, "x", "text/x")
    assert "The line '--batch_1--' at its end is missing" in refused(odata, "--batch_1\r\n")
    assert "The batch holds no operation." in refused(odata, "--batch_1--")
    assert "1000 are allowed" in refused(odata, body_of(*[one] * 1001))
    assert "another batch" in refused(odata, body_of(operation("POST", "$batch", {})))
    assert "method GET is not allowed" in refused(odata, body_of(change_set(get)))
    assert "stands twice" in refused(odata, body_of(change_set(one, one)))
    assert "method and address" in refused(odata, body_of(re.sub("POST account", "account", one)))
    assert names(odata) == []


def test_a_batch_needs_a_login(odata: OData) -> None:
    response = odata.post_text("$batch", "", KIND, Authorization="Basic x")
    assert response.status_code == 401
