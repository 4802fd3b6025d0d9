"""`$batch` in the JSON form of OData 4.01: dependencies, groups that succeed or fail as one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.organizations.odata.reader import OData


def ask(name: str, method: str, url: str, body: object = None, **more: object) -> dict[str, object]:
    given = {} if body is None else {"body": body}
    return {"id": name, "method": method, "url": url} | given | more


def send(odata: OData, *requests: object, **headers: str) -> dict[str, Any]:
    response = odata.send("$batch", {"requests": requests}, method="POST", **headers)
    assert response.status_code == 200, response.content
    assert response["Content-Type"].startswith("application/json")
    return {one["id"]: one for one in orjson.loads(response.content)["responses"]}


def test_it_answers_each_request(odata: OData) -> None:
    odata.store.create("account", {"name": "Žluť"})
    found = send(
        odata,
        ask("1", "get", "account?$filter=name eq 'Žluť'&$select=name"),
        ask("2", "POST", "account", {"name": "New"}, headers={"prefer": "return=minimal"}),
        ask("3", "GET", "account/$count"),
        ask("4", "GET", "account?$top=-1"),
        ask("5", "GET", "account/$count"),
    )
    assert [one["status"] for one in found.values()] == [200, 204, 200, 400, 200]
    assert found["1"]["body"]["value"][0]["name"] == "Žluť"
    assert "body" not in found["2"]
    assert found["2"]["headers"]["odata-entityid"] == found["2"]["headers"]["location"]
    assert found["3"]["body"] == "2"
    assert found["4"]["body"]["error"]["target"] == "$top"


def test_references_and_dependencies(odata: OData) -> None:
    child = {"name": "Child", "parentaccountid_account@odata.bind": "$1"}
    found = send(
        odata,
        ask("1", "post", "account", {"name": "Parent"}),
        ask("2", "post", "account", child, dependsOn=["1"]),
        ask("3", "patch", "$1", {"wrong": 1}, dependsOn=["1"]),
        ask("4", "delete", "$1", dependsOn=["3"]),
        ask("5", "get", "$2/parentaccountid_account/name/$value", dependsOn=["2"]),
    )
    assert [one["status"] for one in found.values()] == [201, 201, 400, 424, 200]
    assert "has failed" in found["4"]["body"]["error"]["message"]
    assert found["5"]["body"] == "Parent"


def test_a_group_succeeds_or_fails_as_one(odata: OData) -> None:
    def group(*bodies: object) -> list[dict[str, object]]:
        return [
            ask(str(number), "post", "account", body, atomicityGroup="g")
            for number, body in enumerate(bodies)
        ]

    found = send(odata, *group({"name": "A"}, {"wrong": 1}, {"name": "B"}))
    assert [one["status"] for one in found.values()] == [424, 400, 424]
    assert {one["atomicityGroup"] for one in found.values()} == {"g"}
    assert odata.store.count_records("account") == 0
    after = ask("after", "get", "account/$count", dependsOn=["g"])
    found = send(odata, *group({"name": "A"}, {"name": "B"}), after)
    assert [one["status"] for one in found.values()] == [201, 201, 200]
    assert found["after"]["body"] == "2"


def test_it_stops_if_asked(odata: OData) -> None:
    bad, good = ask("1", "get", "nothing"), ask("2", "get", "account")
    assert list(send(odata, bad, good)) == ["1", "2"]
    assert list(send(odata, bad, good, Prefer="continue-on-error=false")) == ["1"]


@pytest.mark.parametrize("body", ['{"name": "A"}', {"name": "A"}])
def test_json_may_stand_in_a_text(odata: OData, body: object) -> None:
    headers = {"Content-Type": "application/json"}
    found = send(odata, ask("1", "post", "account", body, headers=headers))
    assert found["1"]["body"]["name"] == "A"


GET = ask("1", "get", "account")


@pytest.mark.parametrize(
    ("requests", "part"),
    [
        (None, "the list 'requests'"),
        ([5], "the list 'requests'"),
        ([], "The batch holds no operation"),
        ([{"id": "1", "method": "get"}], "A request needs the text 'url'"),
        ([GET | {"id": 5}], "A request needs the text 'id'"),
        ([GET | {"method": "dance"}], "The method 'DANCE' of a request"),
        ([GET | {"headers": {"x": 1}}], "headers of a request are an object of texts"),
        ([GET | {"dependsOn": "x"}], "DependsOn of a request is a list"),
        ([GET | {"dependsOn": ["2"]}], "depends on '2', which does not stand before it"),
        ([GET | {"if": "$1/$succeeded"}], "unknown member 'if'"),
        ([GET, GET], "'1' is there twice"),
        ([GET | {"atomicityGroup": "g"}], "GET is not allowed in a change set"),
        ([GET | {"url": "/odata/v4/x/$batch"}], "A batch cannot hold another batch"),
        (
            [GET | {"headers": {"content-type": "image/png"}, "body": "é"}],
            "body of a request is not base64url",
        ),
    ],
)
def test_malformed_batches_are_refused(odata: OData, requests: object, part: str) -> None:
    assert part in odata.error("$batch", 400, {"requests": requests}, method="POST")["message"]
