"""POST, PATCH and DELETE, with and without etags."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.organizations.making import make_id
from tests.organizations.odata.reader import OData
from tests.organizations.rest.office import EMAIL


def test_it_creates_and_answers_with_the_record(odata: OData) -> None:
    account = make_id()
    body = {"accountid": account, "name": "Alpha", "revenue": 1.25}
    response = odata.send("account", body, method="POST")
    assert response.status_code == 201
    assert response["Location"] == f"http://testserver{odata.root}account('{account}')"
    document = orjson.loads(response.content)
    assert (document["accountid"], document["name"]) == (account, "Alpha")
    assert response["ETag"] == document["@odata.etag"]
    assert odata.organization.changelog_set.latest("version").actor == EMAIL


def test_it_changes_only_what_is_named_and_clears_by_null(odata: OData) -> None:
    account = odata.store.create("account", {"name": "Alpha", "employees": 3, "revenue": "1"}).id
    response = odata.send(f"account('{account}')", {"revenue": None, "name": "B"}, method="PATCH")
    assert response.status_code == 200
    document = orjson.loads(response.content)
    assert (document["name"], document["employees"], document["revenue"]) == ("B", 3, None)


@pytest.mark.parametrize(
    "form", ["/account({})", "account('{}')", "https://x.example/o/account({})"]
)
def test_it_binds_lookups(odata: OData, form: str) -> None:
    parent = odata.store.create("account", {"name": "Parent"}).id
    body = {"name": "Child", "parentaccountid_account@odata.bind": form.format(parent)}
    document = orjson.loads(odata.send("account", body, method="POST").content)
    assert document["__parentaccountid_id"] == parent
    path = f"account('{document['accountid']}')"
    odata.send(path, {"parentaccountid_account@odata.bind": None}, method="PATCH")
    assert odata.get(path)["__parentaccountid_id"] is None


def test_it_binds_one_of_several_targets(odata: OData) -> None:
    team = make_id()
    body = {"name": "A", "ownerid_team@odata.bind": f"/team({team})"}
    made = orjson.loads(odata.send("account", body, method="POST").content)["accountid"]
    owner = odata.store.get("account", made).values["ownerid"]
    assert (getattr(owner, "entity", ""), getattr(owner, "id", "")) == ("team", team)


def test_an_etag_must_be_current(odata: OData) -> None:
    account = odata.store.create("account", {"name": "Alpha"}).id
    path = f"account('{account}')"
    stale = odata.get(path)["@odata.etag"]
    current = odata.send(path, {"name": "B"}, method="PATCH", If_Match=stale)["ETag"]
    assert (
        "changed meanwhile"
        in odata.error(path, 412, {"name": "C"}, method="PATCH", If_Match=stale)["message"]
    )
    assert odata.error(path, 412, method="DELETE", If_Match=stale)["code"] == "PreconditionFailed"
    assert "is no etag" in odata.error(path, 412, method="DELETE", If_Match="x")["message"]
    assert odata.send(path, method="DELETE", If_Match=current).status_code == 204
    assert odata.send(path).status_code == 404


def test_a_state_can_be_written(odata: OData) -> None:
    account = odata.store.create("account", {"name": "Alpha"}).id
    path = f"account('{account}')"
    document = orjson.loads(odata.send(path, {"statuscode": 2}, method="PATCH").content)
    assert (document["statecode"], document["statuscode"]) == (1, 2)


def test_dates_come_with_an_offset(odata: OData) -> None:
    body = {"moment": "2024-05-01T14:00:00+02:00", "day": "2024-05-01T00:00:00Z"}
    document = orjson.loads(odata.send("sampler", body, method="POST").content)
    assert document["moment"] == "2024-05-01T12:00:00Z"
    assert document["day"] == "2024-05-01T00:00:00Z"


def test_parties_are_a_list(odata: OData) -> None:
    person = make_id()
    body = {"parties": [{"entity": "contact", "party": person}, {"party": "x@example.com"}]}
    document = orjson.loads(odata.send("sampler", body, method="POST").content)
    assert [item["entity"] for item in document["parties"]] == [None, "contact"]


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"wrong": 1}, "no property 'wrong'"),
        ({"name": {"a": 1}}, "Property 'name' takes a single value"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"employees": "many"}, "'many' is not a Integer value"),
        ({"accountid": "x"}, "'x' is not an id"),
        ({"__parentaccountid_id": make_id()}, "Bind the lookup instead"),
        ({"wrong_account@odata.bind": "/account(x)"}, "no navigation 'wrong_account'"),
        ({"parentaccountid_account@odata.bind": "/team(x)"}, "takes an address such as"),
        ({"parentaccountid_account@odata.bind": 5}, "takes an address such as"),
        ([], "The body must be a JSON object"),
    ],
)
def test_it_refuses_a_body_it_cannot_mean(odata: OData, body: Any, part: str) -> None:
    assert part in odata.error("account", 400, body, method="POST")["message"]
    assert odata.store.count_records("account") == 0


@pytest.mark.parametrize(
    ("parties", "part"),
    [("x", "takes a list of parties"), ([{"entity": "a"}], "needs the text 'party'")],
)
def test_it_refuses_parties_it_cannot_mean(odata: OData, parties: Any, part: str) -> None:
    assert part in odata.error("sampler", 400, {"parties": parties}, method="POST")["message"]


def test_it_refuses_another_method(odata: OData) -> None:
    account = odata.store.create("account", {"name": "Alpha"}).id
    path = f"account('{account}')"
    assert "PUT does not fit" in odata.error(path, 405, method="PUT")["message"]
    assert "PATCH does not fit 'account'" in odata.error("account", 405, method="PATCH")["message"]


def test_it_names_a_body_that_is_not_json(odata: OData) -> None:
    told = odata.error("account", 400, orjson.Fragment(b"{"), method="POST")
    assert "The body is not JSON" in told["message"]
