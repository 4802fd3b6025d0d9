"""CreateMultiple, UpdateMultiple, UpsertMultiple, and the question who has them."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.organizations.dynamics.library import Api, make

pytestmark = pytest.mark.django_db
BOOK = "Microsoft.Dynamics.CRM.book"


def path(action: str, name: str = "books") -> str:
    return f"{name}/Microsoft.Dynamics.CRM.{action}"


def targets(*items: dict[str, Any], kind: str = BOOK) -> dict[str, Any]:
    return {"Targets": [{"@odata.type": kind, **item} for item in items]}


def titles(api: Api) -> dict[str, str]:
    return {row["bookid"]: row["name"] for row in api.rows("books?$select=name")}


def test_it_creates_many_in_order(api: Api) -> None:
    author, given = make(api.twin, "author", name="Ada"), str(uuid4())
    body = targets(
        {"name": "A", "EditorId@odata.bind": f"/authors({author})"},
        {"name": "B", "bookid": given},
        {"name": "C"},
    )
    response = api.send("POST", path("CreateMultiple"), body)
    document = json.loads(response.content)
    assert response.status_code == 200
    assert document["@odata.context"].endswith("#Microsoft.Dynamics.CRM.CreateMultipleResponse")
    assert [titles(api)[key] for key in document["Ids"]] == ["A", "B", "C"]
    assert document["Ids"][1] == given


def test_creating_many_is_all_or_nothing(api: Api) -> None:
    body = targets({"name": "A"}, {"name": "B", "isbn": "x" * 21}, {"name": "C"})
    assert api.fails(path("CreateMultiple"), "POST", body)[:2] == (400, "0x80044331")
    assert titles(api) == {}


def test_it_updates_many(api: Api) -> None:
    first, second = make(api.twin, "book", name="A"), make(api.twin, "book", name="B", isbn="7")
    body = targets(
        {"bookid": first.upper(), "name": "A2"},
        {"@odata.id": "books(isbn='7')", "name": "B2", "isbn": "7"},
    )
    assert api.send("POST", path("UpdateMultiple"), body).status_code == 204
    assert titles(api) == {first: "A2", second: "B2"}


def test_updating_many_is_all_or_nothing(api: Api) -> None:
    first = make(api.twin, "book", name="A")
    body = targets({"bookid": first, "name": "A2"}, {"bookid": str(uuid4()), "name": "B2"})
    assert api.fails(path("UpdateMultiple"), "POST", body)[:2] == (404, "0x80040217")
    absent = targets({"@odata.id": "books(isbn='0')", "name": "x"})
    assert api.fails(path("UpdateMultiple"), "POST", absent)[:2] == (404, "0x80060891")
    assert titles(api) == {first: "A"}


def test_it_upserts_many(api: Api) -> None:
    first, given = make(api.twin, "book", name="A", isbn="7"), str(uuid4())
    body = targets(
        {"@odata.id": "books(isbn='7')", "name": "A2"},
        {"@odata.id": "books(isbn='8')", "name": "B"},
        {"bookid": given, "name": "C"},
        {"@odata.id": f"books({first})", "pages": 5},
        {"@odata.id": "books(isbn='8')", "name": "B2"},
    )
    response = api.send("POST", path("UpsertMultiple"), body)
    assert (response.status_code, response.content) == (204, b"")
    assert sorted(titles(api).values()) == ["A2", "B2", "C"]
    assert titles(api)[given] == "C"
    assert api.get("books(isbn='8')")["name"] == "B2"
    assert api.get("books(isbn='7')")["pages"] == 5


def test_delete_multiple_is_for_elastic_tables(api: Api) -> None:
    found = api.fails(path("DeleteMultiple"), "POST", targets({"bookid": str(uuid4())}))
    assert found == (501, "0x80004001", "DeleteMultiple has not yet been implemented.")


@pytest.mark.parametrize("name", ["bookshelfcollection", "activityparties"])
def test_some_entities_have_no_bulk_actions(api: Api, name: str) -> None:
    status, code, message = api.fails(path("CreateMultiple", name), "POST", targets({}))
    assert (status, code) == (400, "0x80040800")
    assert "'CreateMultiple' method does not support entities of type" in message


@pytest.mark.parametrize(
    ("action", "body", "message"),
    [
        ("CreateMultiple", {}, "'Targets' must be a list"),
        ("CreateMultiple", {"Targets": [1]}, "'Targets' must be a list"),
        ("CreateMultiple", {"Targets": []}, "holds no record"),
        ("CreateMultiple", {"Targets": [{"name": "A"}]}, "Targets[0] has no '@odata.type'"),
        ("CreateMultiple", targets({}, kind="Microsoft.Dynamics.CRM.shelf"), "not 'Microsoft"),
        ("UpdateMultiple", targets({"name": "A"}), "needs 'bookid' or '@odata.id'"),
        ("UpsertMultiple", targets({"@odata.id": f"authors({uuid4()})"}), "not a record of book"),
        ("UpsertMultiple", targets({"@odata.id": "books(name='A')"}), "key in the request URI"),
    ],
)
def test_bad_targets_are_refused(api: Api, action: str, body: Any, message: str) -> None:
    status, _, found = api.fails(path(action), "POST", body)
    assert status == 400
    assert message in found


def asked(entity: str) -> str:
    return (
        "sdkmessagefilters?$select=sdkmessagefilterid&$expand=sdkmessageid($select=name)&$filter="
        "(sdkmessageid/name eq 'CreateMultiple' or sdkmessageid/name eq 'UpdateMultiple') and "
        f"primaryobjecttypecode eq '{entity}'"
    )


def test_clients_can_ask_who_has_bulk_actions(api: Api) -> None:
    rows = api.rows(asked("book"))
    assert {row["sdkmessageid"]["name"] for row in rows} == {"CreateMultiple", "UpdateMultiple"}
    assert {"@odata.etag", "sdkmessagefilterid", "sdkmessageid"} == rows[0].keys()
    assert api.rows(asked("bookshelf")) == api.rows(asked("activityparty")) == []
    key = rows[0]["sdkmessagefilterid"]
    assert api.get(f"sdkmessagefilters({key})")["primaryobjecttypecode"] == "book"


def test_messages_are_listed(api: Api) -> None:
    (row,) = api.rows("sdkmessages?$select=name&$filter=name eq 'UpsertMultiple'")
    found = api.rows(f"sdkmessagefilters?$filter=_sdkmessageid_value eq {row['sdkmessageid']}")
    assert "book" in {item["primaryobjecttypecode"] for item in found}
    assert len(api.rows("sdkmessagefilters?$top=2")) == 2
    one_of = "Microsoft.Dynamics.CRM.In(PropertyName='primaryobjecttypecode',PropertyValues=['x'])"
    assert api.rows(f"sdkmessagefilters?$filter={one_of}") == []


@pytest.mark.parametrize(
    ("address", "status", "message"),
    [
        ("sdkmessagefilters?$select=x", 400, "property named 'x'"),
        ("sdkmessagefilters?$filter=x eq 1", 400, "property named 'x'"),
        ("sdkmessagefilters?$filter=x/name eq 'a'", 400, "property named 'x'"),
        ("sdkmessagefilters?$expand=x", 400, "cannot be expanded"),
        ("sdkmessagefilters?$apply=x", 501, "$apply"),
        ("sdkmessages(5f0e1a52-7c1d-4b7e-9a3f-0d7c2b1e4a90)", 404, "Does Not Exist"),
    ],
)
def test_bad_questions_are_refused(api: Api, address: str, status: int, message: str) -> None:
    found = api.fails(address)
    assert found[0] == status
    assert message in found[2]


def test_messages_can_only_be_read(api: Api) -> None:
    assert api.fails("sdkmessagefilters", "POST", {})[:2] == (405, "0x80040800")
