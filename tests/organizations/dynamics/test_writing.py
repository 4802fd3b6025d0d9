"""Creating, changing and deleting records over HTTP."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from organizations.dynamics import call
from organizations.models import ChangeLog
from organizations.store import Store
from tests.organizations.dynamics.library import HOST, Api, make

pytestmark = pytest.mark.django_db
ECHO = {"Prefer": "return=representation"}


def values(api: Api, key: str) -> dict[str, Any]:
    return dict(Store(api.twin).get("book", key).values)


def test_it_creates(api: Api) -> None:
    response = api.send("POST", "books", {"name": "Lies", "pages": 5})
    assert (response.status_code, response.content) == (204, b"")
    address = response["OData-EntityId"]
    assert address == response["Location"]
    key = address.removeprefix(f"{HOST}{api.root}books(").removesuffix(")")
    assert values(api, key)["name"] == "Lies"
    assert ChangeLog.objects.get(record=key).actor == "test"


def test_it_creates_under_a_given_id_and_shows_it(api: Api) -> None:
    key = str(uuid4())
    response = api.send("POST", "books?$select=name", {"bookid": key.upper(), "name": "L"}, ECHO)
    assert response.status_code == 201
    assert response["Preference-Applied"] == "return=representation"
    document = json.loads(response.content)
    assert (document["bookid"], document["name"]) == (key, "L")
    assert document["@odata.context"].endswith("$metadata#books(name)/$entity")
    assert response["ETag"] == document["@odata.etag"]


def test_an_id_that_is_there_is_refused(api: Api) -> None:
    key = make(api.twin, "book", name="Lies")
    assert api.fails("books", "POST", {"bookid": key}) == (
        412,
        "0x80040237",
        "A record with matching key values already exists.",
    )


def test_an_alternate_key_that_is_there_is_refused(api: Api) -> None:
    make(api.twin, "book", name="Lies", isbn="1")
    status, code, message = api.fails("books", "POST", {"isbn": "1"})
    assert (status, code) == (412, "0x80060892")
    assert message.startswith("Entity Key book_isbn violated.")


def test_it_changes(api: Api) -> None:
    key = make(api.twin, "book", name="Lies", pages=5)
    before = api.get(f"books({key})")["@odata.etag"]
    response = api.send("PATCH", f"books({key})", {"name": "Truth"}, {"If-Match": "*"})
    assert response.status_code == 204
    assert response["OData-EntityId"] == f"{HOST}{api.root}books({key})"
    after = api.get(f"books({key})")
    assert (after["name"], after["pages"]) == ("Truth", 5)
    assert after["@odata.etag"] != before


def test_a_change_can_be_shown(api: Api) -> None:
    key = make(api.twin, "book", name="Lies")
    response = api.send("PATCH", f"books({key})", {"name": "Truth"}, ECHO)
    assert (response.status_code, json.loads(response.content)["name"]) == (200, "Truth")


def test_patch_makes_what_is_not_there(api: Api) -> None:
    key = str(uuid4())
    response = api.send("PATCH", f"books({key})", {"name": "New"}, ECHO)
    assert response.status_code == 201
    assert values(api, key)["name"] == "New"


def test_if_match_any_never_makes(api: Api) -> None:
    key = str(uuid4())
    body = {"name": "New"}
    assert api.fails(f"books({key})", "PATCH", body, If_Match="*")[:2] == (404, "0x80040217")
    assert api.fails(f"books({key})", "PATCH", body, If_Match='W/"5"')[:2] == (404, "0x80040217")


def test_if_none_match_any_only_makes(api: Api) -> None:
    key = str(uuid4())
    headers = {"If-None-Match": "*"}
    assert api.send("PATCH", f"books({key})", {"name": "A"}, headers).status_code == 204
    found = api.fails(f"books({key})", "PATCH", {"name": "B"}, If_None_Match="*")
    assert found[:2] == (412, "0x80040237")
    assert values(api, key)["name"] == "A"


def test_a_write_on_an_old_version_is_refused(api: Api) -> None:
    key = make(api.twin, "book", name="Lies")
    etag = api.get(f"books({key})")["@odata.etag"]
    response = api.send("PATCH", f"books({key})", {"name": "Truth"}, {"If-Match": etag})
    assert response.status_code == 204
    refusal = (
        412,
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    )
    assert api.fails(f"books({key})", "PATCH", {"name": "x"}, If_Match=etag) == refusal
    assert api.fails(f"books({key})", "DELETE", If_Match=etag) == refusal
    assert values(api, key)["name"] == "Truth"


def test_an_entity_without_concurrency_refuses_versions(api: Api) -> None:
    key = make(api.twin, "author", name="Ada")
    found = api.fails(f"authors({key})", "PATCH", {"name": "x"}, If_Match='W/"1"')
    assert found[:2] == (400, "0x8006088d")


def test_a_broken_etag_is_refused(api: Api) -> None:
    key = make(api.twin, "book", name="Lies")
    status, _, message = api.fails(f"books({key})", "DELETE", If_Match="abc")
    assert (status, message) == (400, "The etag 'abc' is not valid.")


def test_it_upserts_by_alternate_key(api: Api) -> None:
    made = api.send("PATCH", "books(isbn='7')", {"name": "A"})
    assert made.status_code == 204
    again = api.send("PATCH", "books(isbn='7')", {"name": "B"})
    assert again["OData-EntityId"] == made["OData-EntityId"]
    (row,) = api.rows("books?$select=name,isbn")
    assert (row["name"], row["isbn"]) == ("B", "7")


def test_it_deletes(api: Api) -> None:
    key = make(api.twin, "book", name="Lies")
    assert api.send("DELETE", f"books({key})").status_code == 204
    assert api.fails(f"books({key})", "DELETE")[:2] == (404, "0x80040217")


def test_it_writes_and_empties_one_property(api: Api) -> None:
    key = make(api.twin, "book", name="Lies", pages=5)
    assert api.send("PUT", f"books({key})/name", {"value": "Truth"}).status_code == 204
    assert api.send("DELETE", f"books({key})/pages").status_code == 204
    assert (values(api, key)["name"], values(api, key)["pages"]) == ("Truth", None)
    assert api.fails(f"books({key})/x", "PUT", {"value": 1})[:2] == (404, "0x8006088a")
    assert "needs a member 'value'" in api.fails(f"books({key})/name", "PUT", {})[2]
    assert "is a lookup" in api.fails(f"books({key})/_editorid_value", "PUT", {"value": 1})[2]
    assert api.fails(f"books({uuid4()})/name", "PUT", {"value": "x"})[0] == 404


def test_values_that_cannot_be_written_are_ignored(api: Api) -> None:
    body = {
        "name": "A",
        "createdon": "2001-01-01T00:00:00Z",
        "versionnumber": 1,
        "@odata.type": "x",
    }
    (row,) = [json.loads(api.send("POST", "books", body, ECHO).content)]
    assert row["createdon"] > "2020"
    assert row["versionnumber"] > 0


def test_the_status_follows_the_state(api: Api) -> None:
    key = make(api.twin, "book", name="A")
    api.send("PATCH", f"books({key})", {"statecode": 1})
    assert values(api, key)["statuscode"] == 2
    found = api.fails(f"books({key})", "PATCH", {"statecode": 0, "statuscode": 2})
    assert found[:2] == (400, "0x80048408")


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"x": 1}, "0x80048d19", "Invalid property 'x' was found in entity 'Microsoft.Dynamics"),
        ({"x@odata.bind": "/a"}, "0x80048d19", "Invalid property 'x'"),
        ({"requiredattendees": "[]"}, "0x80048d19", "Invalid property 'requiredattendees'"),
        ({"x@odata.type": "y"}, "0x80048d19", "An undeclared property 'x' which only has"),
        ({"_editorid_value": str(uuid4())}, "0x80048d19", "CRM do not support direct update"),
        ({"isbn": "x" * 21}, "0x80044331", "exceeded the maximum allowed length of '20'"),
        ({"kind": 99}, "0x8004431a", "no option 99"),
        ({"pages": 0}, "0x80048d19", "takes numbers from 1"),
        ({"pages": "many"}, "0x80048d19", "pages"),
        ({"name": {"a": 1}}, "0x80048d19", "takes a single value"),
        ({"bookid": "x"}, "0x80048d19", "not the id of a record"),
    ],
)
def test_bad_values_are_refused(api: Api, body: dict[str, Any], code: str, message: str) -> None:
    found = api.fails("books", "POST", body)
    assert found[:2] == (400, code)
    assert message in found[2]
    assert api.rows("books") == []


def test_a_body_must_be_a_json_object(api: Api) -> None:
    assert "must be a JSON object" in api.fails("books", "POST", [1])[2]
    response = api.client.post(
        f"{api.root}books",
        b"{",
        content_type="application/json",
        headers={"Authorization": f"Bearer {api.token}"},
    )
    assert b"Error identified in Payload" in response.content


def test_a_body_has_a_greatest_length(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "MOST_BYTES", 20)
    found = api.fails("books", "POST", {"name": "x" * 30})
    assert found == (413, "0x8004418a", "The request is longer than 20 bytes.")


def test_an_error_tells_more_if_asked(api: Api) -> None:
    headers = {"Prefer": 'odata.include-annotations="*"'}
    response = api.send("POST", "books", {"x": 1}, headers)
    error = json.loads(response.content)["error"]
    assert error["@Microsoft.PowerApps.CDS.InnerError.Message"] == error["message"]


def test_the_id_in_a_body_must_fit_the_address(api: Api) -> None:
    key = make(api.twin, "book", name="A")
    assert api.send("PATCH", f"books({key})", {"bookid": key, "name": "B"}).status_code == 204
    found = api.fails(f"books({key})", "PATCH", {"bookid": str(uuid4())})
    assert "differs from the one in the address" in found[2]


@pytest.mark.parametrize("path", ["bookshelfcollection", "activityparties"])
def test_some_sets_can_only_be_read(api: Api, path: str) -> None:
    found = api.fails(path, "POST", {})
    assert found[:2] == (405, "0x80040800")
    assert api.fails(f"{path}({uuid4()})", "DELETE")[0] == 405
