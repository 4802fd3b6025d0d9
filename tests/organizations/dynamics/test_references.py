"""Lookups bound in bodies, `$ref`, pairs and activity parties."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from organizations.records import Reference
from organizations.store import Store
from tests.organizations.dynamics.library import HOST, Api, make

pytestmark = pytest.mark.django_db


def lookup(api: Api, book: str, name: str = "editorid") -> object:
    return Store(api.twin).get("book", book).values[name]


@pytest.mark.parametrize("form", ["/authors({})", "authors({})", "absolute"])
def test_a_lookup_is_bound(api: Api, form: str) -> None:
    author = make(api.twin, "author", name="Ada")
    address = f"{HOST}{api.root}authors({author})" if form == "absolute" else form.format(author)
    body = {"name": "A", "EditorId@odata.bind": address}
    response = api.send("POST", "books", body, {"Prefer": "return=representation"})
    assert json.loads(response.content)["_editorid_value"] == author


def test_a_lookup_of_many_targets_is_bound_by_its_navigation(api: Api) -> None:
    company = make(api.twin, "company", name="Press")
    book = make(api.twin, "book", name="A")
    body = {"writerid_company@odata.bind": f"/companies({company})"}
    assert api.send("PATCH", f"books({book})", body).status_code == 204
    assert lookup(api, book, "writerid") == Reference("company", company)


def test_a_lookup_is_bound_by_alternate_key(api: Api) -> None:
    book = make(api.twin, "book", name="A", isbn="7")
    shelf = make(api.twin, "shelf", name="top")
    body = {"@odata.id": "books(isbn='7')"}
    path = f"shelves({shelf})/book_shelf_association/$ref"
    assert api.send("POST", path, body).status_code == 204
    assert api.rows(f"shelves({shelf})/book_shelf_association")[0]["bookid"] == book


@pytest.mark.parametrize("body", [{"EditorId": None}, {"EditorId@odata.bind": None}])
def test_a_lookup_is_emptied(api: Api, body: dict[str, None]) -> None:
    author = make(api.twin, "author", name="Ada")
    book = make(api.twin, "book", name="A", editorid=Reference("author", author))
    assert api.send("PATCH", f"books({book})", body).status_code == 204
    assert lookup(api, book) is None


def test_a_lookup_is_emptied_by_its_value_only_when_asked(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    book = make(api.twin, "book", name="A", editorid=Reference("author", author))
    body = {"_editorid_value": None}
    assert api.fails(f"books({book})", "PATCH", body)[0] == 400
    headers = {"AutoDisassociate": "true"}
    assert api.send("PATCH", f"books({book})", body, headers).status_code == 204
    assert lookup(api, book) is None


@pytest.mark.parametrize(
    ("name", "address", "status", "message"),
    [
        ("EditorId", "/authors({missing})", 404, "Does Not Exist"),
        ("EditorId", "/shelves({shelf})", 400, "takes a reference to author, not to shelf"),
        ("EditorId", "/nothings({missing})", 404, "segment 'nothings'"),
        ("EditorId", "/authors", 400, "is not the address of a record"),
        ("EditorId", 5, 400, "must be bound to the address"),
        ("editorid", "/authors({missing})", 400, "Invalid property 'editorid'"),
        ("book_shelf_association", "/shelves({shelf})", 400, "takes a list of references"),
    ],
)
def test_a_bad_reference_is_refused(
    api: Api, name: str, address: object, status: int, message: str
) -> None:
    shelf = make(api.twin, "shelf", name="top")
    if isinstance(address, str):
        address = address.format(missing=uuid4(), shelf=shelf)
    found = api.fails("books", "POST", {f"{name}@odata.bind": address})
    assert found[0] == status
    assert message in found[2]


def test_pairs_are_made_with_a_new_record(api: Api) -> None:
    shelves = [make(api.twin, "shelf", name=name) for name in "ab"]
    body = {"book_shelf_association@odata.bind": [f"/shelves({key})" for key in shelves]}
    assert api.send("POST", "books", body).status_code == 204
    assert {row["shelfid"] for row in api.rows("bookshelfcollection")} == set(shelves)


def test_a_failed_pair_leaves_no_record(api: Api) -> None:
    shelf = make(api.twin, "shelf", name="a")
    twice = [f"/shelves({shelf})"] * 2
    found = api.fails("books", "POST", {"book_shelf_association@odata.bind": twice})
    assert found[:2] == (412, "0x80040237")
    assert api.rows("books") == []


def test_a_single_valued_reference_is_set_and_removed(api: Api) -> None:
    author, book = make(api.twin, "author", name="Ada"), make(api.twin, "book", name="A")
    body = {"@odata.id": f"{HOST}{api.root}authors({author})"}
    assert api.send("PUT", f"books({book})/EditorId/$ref", body).status_code == 204
    assert lookup(api, book) == Reference("author", author)
    assert api.send("DELETE", f"books({book})/EditorId/$ref").status_code == 204
    assert lookup(api, book) is None


def test_the_other_end_of_a_lookup_links_too(api: Api) -> None:
    author, book = make(api.twin, "author", name="Ada"), make(api.twin, "book", name="A")
    path = f"authors({author})/author_edited"
    body = {"@odata.id": f"books({book})"}
    assert api.send("POST", f"{path}/$ref", body).status_code == 204
    assert lookup(api, book) == Reference("author", author)
    assert api.send("DELETE", f"{path}({book})/$ref").status_code == 204
    assert lookup(api, book) is None


def test_a_record_of_another_is_not_unlinked(api: Api) -> None:
    ada, eve = make(api.twin, "author", name="Ada"), make(api.twin, "author", name="Eve")
    book = make(api.twin, "book", name="A", editorid=Reference("author", ada))
    found = api.fails(f"authors({eve})/author_edited({book})/$ref", "DELETE")
    assert found[:2] == (404, "0x80040217")
    assert lookup(api, book) == Reference("author", ada)


def make_pair(api: Api) -> tuple[str, str]:
    book, shelf = make(api.twin, "book", name="A"), make(api.twin, "shelf", name="a")
    Store(api.twin).associate("book_shelf_association", book, shelf)
    return book, shelf


@pytest.mark.parametrize("by_option", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_a_pair_is_removed_from_either_side(api: Api, by_option: bool, first: bool) -> None:
    book, shelf = make_pair(api)
    base, other = f"books({book})", f"shelves({shelf})"
    if not first:
        base, other = other, base
    key = shelf if first else book
    path = f"{base}/book_shelf_association"
    path += f"/$ref?$id={HOST}{api.root}{other}" if by_option else f"({key})/$ref"
    assert api.send("DELETE", path).status_code == 204
    assert api.rows("bookshelfcollection") == []
    assert api.fails(path, "DELETE")[:2] == (404, "0x80040217")


def test_a_pair_is_removed_by_alternate_key(api: Api) -> None:
    book, shelf = make(api.twin, "book", name="A", isbn="7"), make(api.twin, "shelf", name="a")
    Store(api.twin).associate("book_shelf_association", book, shelf)
    path = f"shelves({shelf})/book_shelf_association"
    assert api.fails(f"{path}(isbn='8')/$ref", "DELETE")[:2] == (404, "0x80060891")
    assert api.send("DELETE", f"{path}(isbn='7')/$ref").status_code == 204
    assert api.rows("bookshelfcollection") == []


def test_a_pair_that_is_there_is_refused(api: Api) -> None:
    book, shelf = make_pair(api)
    body = {"@odata.id": f"shelves({shelf})"}
    found = api.fails(f"books({book})/book_shelf_association/$ref", "POST", body)
    assert found == (412, "0x80040237", "Cannot insert duplicate key.")


@pytest.mark.parametrize(
    ("path", "method", "body", "status", "message"),
    [
        ("x/$ref", "POST", {}, 404, "'x'"),
        ("book_shelf_association/$ref", "POST", {}, 400, "needs '@odata.id'"),
        ("book_shelf_association/$ref", "DELETE", None, 400, "Name the record to unlink"),
    ],
)
def test_bad_references_are_refused(
    api: Api, path: str, method: str, body: Any, status: int, message: str
) -> None:
    book = make(api.twin, "book", name="A")
    found = api.fails(f"books({book})/{path}", method, body)
    assert found[0] == status
    assert message in found[2]


def test_a_reference_of_a_missing_record_is_404(api: Api) -> None:
    found = api.fails(f"books({uuid4()})/EditorId/$ref", "DELETE")
    assert found[:2] == (404, "0x80040217")


def parties(api: Api) -> list[tuple[Any, ...]]:
    rows = api.rows("activityparties")
    keys = ("participationtypemask", "_partyid_value", "addressused")
    return sorted(tuple(row[key] for key in keys) for row in rows)


def test_parties_are_written_through_their_activity(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    body = {
        "name": "Talk",
        "appointment_activity_parties": [
            {"partyid_author@odata.bind": f"/authors({author})", "participationtypemask": 5},
            {"addressused": "eve@example.org", "participationtypemask": 7},
            {"partyid_author@odata.bind": f"/authors({author})", "participationtypemask": 9},
        ],
    }
    made = api.send("POST", "appointments", body)
    assert made.status_code == 204
    assert parties(api) == [(5, author, None), (7, None, "eve@example.org")]
    path = made["OData-EntityId"]
    replacement = [{"addressused": "bob@example.org", "participationtypemask": 5}]
    again = api.send("PATCH", path, {"appointment_activity_parties": replacement})
    assert again.status_code == 204
    assert parties(api) == [(5, None, "bob@example.org")]
    assert "requiredattendees" not in api.rows("appointments")[0]


def test_all_parties_are_replaced_by_put(api: Api) -> None:
    party = {"addressused": "eve@example.org", "participationtypemask": 7}
    body = {"name": "Talk", "appointment_activity_parties": [party]}
    path = api.send("POST", "appointments", body)["OData-EntityId"]
    value = [{"addressused": "bob@example.org", "participationtypemask": 5}]
    put = f"{path}/appointment_activity_parties"
    assert api.send("PUT", put, {"value": value}).status_code == 204
    assert parties(api) == [(5, None, "bob@example.org")]
    assert api.send("PUT", put, {"value": []}).status_code == 204
    assert parties(api) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("x", "takes a list of parties"),
        ([{"addressused": "a", "participationtypemask": 1}], "participationtypemask 1"),
        ([{"participationtypemask": 5}], "needs partyid_"),
        ([{"addressused": "a"}], "participationtypemask None"),
    ],
)
def test_bad_parties_are_refused(api: Api, value: Any, message: str) -> None:
    found = api.fails("appointments", "POST", {"appointment_activity_parties": value})
    assert found[0] == 400
    assert message in found[2]
