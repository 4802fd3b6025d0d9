"""Reading one record, its properties, and related records."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from organizations.records import Reference
from tests.organizations.dynamics.library import ANNOTATED, HOST, Api, make

pytestmark = pytest.mark.django_db


def test_it_shows_one_record(api: Api) -> None:
    book = make(api.twin, "book", name="Lies")
    document = api.get(f"books({book.upper()})?$select=name")
    assert document["@odata.context"] == f"{HOST}{api.root}$metadata#books(name)/$entity"
    assert (document["bookid"], document["name"]) == (book, "Lies")


def test_a_missing_record_is_404(api: Api) -> None:
    key = str(uuid4())
    assert api.fails(f"books({key})") == (
        404,
        "0x80040217",
        f"Entity 'book' With Id = {key} Does Not Exist",
    )


def test_it_answers_304_to_who_has_it(api: Api) -> None:
    book = make(api.twin, "book", name="Lies")
    etag = api.get(f"books({book})")["@odata.etag"]
    response = api.send("GET", f"books({book})", headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")
    for headers in ({"If-None-Match": 'W/"0"'}, {"If-None-Match": "null"}):
        assert api.send("GET", f"books({book})", headers=headers).status_code == 200
    annotated = {"If-None-Match": etag, "Prefer": ANNOTATED}
    assert api.send("GET", f"books({book})", headers=annotated).status_code == 200


def test_an_entity_without_concurrency_is_always_shown(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    etag = api.get(f"authors({author})")["@odata.etag"]
    response = api.send("GET", f"authors({author})", headers={"If-None-Match": etag})
    assert response.status_code == 200


def test_it_finds_by_alternate_key(api: Api) -> None:
    book = make(api.twin, "book", name="Lies", isbn="it's")
    assert api.get("books(isbn='it''s')")["bookid"] == book
    assert api.get(f"books(bookid={book})")["bookid"] == book


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("books(isbn='none')", 404, "0x80060891"),
        ("books(name='Lies')", 400, "0x80060888"),
        ("books(x='Lies')", 400, "0x80060888"),
        ("books(isbn='twice')", 400, "0x8006089d"),
    ],
)
def test_a_key_must_be_one_and_find_one(api: Api, path: str, status: int, code: str) -> None:
    for name in "AB":
        make(api.twin, "book", name=name, isbn="twice")
    assert api.fails(path)[:2] == (status, code)


def test_it_shows_one_property(api: Api) -> None:
    book = make(api.twin, "book", name="Lies", pages=5)
    document = api.get(f"books({book})/pages")
    context = f"{HOST}{api.root}$metadata#books({book})/pages"
    assert document == {"@odata.context": context, "value": 5}
    assert api.send("GET", f"books({book})/name/$value").content == b"Lies"
    assert api.send("GET", f"books({book})/pages/$value").content == b"5"
    assert api.send("GET", f"books({book})/isbn").status_code == 204


def test_it_follows_lookups(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    book = make(
        api.twin,
        "book",
        name="Lies",
        editorid=Reference("author", author),
        writerid=Reference("author", author),
    )
    assert api.get(f"books({book})/EditorId?$select=name")["name"] == "Ada"
    assert api.get(f"books({book})/writerid_author")["authorid"] == author
    assert api.send("GET", f"books({book})/writerid_company").status_code == 204
    found = api.get(f"books({book})/EditorId/$ref")
    assert found["@odata.id"] == f"{HOST}{api.root}authors({author})"


def test_it_shows_related_records(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    for name in "AB":
        make(api.twin, "book", name=name, editorid=Reference("author", author))
    make(api.twin, "book", name="C")
    rows = api.rows(f"authors({author})/author_edited?$select=name&$orderby=name")
    assert [row["name"] for row in rows] == ["A", "B"]
    assert api.rows(f"authors({author})/author_edited?$filter=name eq 'B'")[0]["name"] == "B"
    counted = api.send("GET", f"authors({author})/author_edited/$count")
    assert counted.content.decode("utf-8-sig") == "2"
    references = api.rows(f"authors({author})/author_edited/$ref")
    assert all(item["@odata.id"].startswith(f"{HOST}{api.root}books(") for item in references)


def test_related_records_page_too(api: Api) -> None:
    author = make(api.twin, "author", name="Ada")
    for name in "ABC":
        make(api.twin, "book", name=name, editorid=Reference("author", author))
    document = api.get(f"authors({author})/author_edited", "odata.maxpagesize=2")
    assert len(document["value"]) == 2
    assert len(api.rows(document["@odata.nextLink"], "odata.maxpagesize=2")) == 1


def test_it_shows_pairs_from_both_sides(api: Api) -> None:
    book, shelf = make(api.twin, "book", name="Lies"), make(api.twin, "shelf", name="top")
    make(api.twin, "shelf", name="low")
    body = {"@odata.id": f"{HOST}{api.root}shelves({shelf})"}
    response = api.send("POST", f"books({book})/book_shelf_association/$ref", body)
    assert response.status_code == 204
    assert [row["name"] for row in api.rows(f"books({book})/book_shelf_association")] == ["top"]
    assert [row["name"] for row in api.rows(f"shelves({shelf})/book_shelf_association")] == ["Lies"]
    pairs = api.rows("bookshelfcollection?$select=bookid,shelfid")
    assert [(row["bookid"], row["shelfid"]) for row in pairs] == [(book, shelf)]


@pytest.mark.parametrize("path", ["nothing", "EditorId/more", "name/more", "cover/x"])
def test_an_unknown_segment_is_404(api: Api, path: str) -> None:
    book = make(api.twin, "book", name="Lies")
    status, code, _ = api.fails(f"books({book})/{path}")
    assert (status, code) == (404, "0x8006088a")


def test_functions_answer(api: Api) -> None:
    who = api.get("WhoAmI")
    assert who == api.get("WhoAmI()")
    assert who["@odata.context"].endswith("$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse")
    assert who["UserId"] == str(api.user.pk)
    assert who["OrganizationId"] == str(api.twin.pk)
    assert api.get("RetrieveVersion()")["Version"].startswith("9.2.")
    assert api.get("RetrieveAvailableLanguages()")["LocaleIds"] == [1031, 1033]
    assert api.get("RetrieveProvisionedLanguages")["LocaleIds"] == [1031, 1033]


def test_the_service_document_lists_entity_sets(api: Api) -> None:
    rows = api.rows("")
    assert {"name": "books", "kind": "EntitySet", "url": "books"} in rows
    assert "organizations" in [row["name"] for row in rows]


def test_the_organization_shows_itself(api: Api) -> None:
    (row,) = api.rows("organizations?$select=name,expirechangetrackingindays")
    assert (row["name"], row["expirechangetrackingindays"]) == ("library", 7)
    assert api.get(f"organizations({api.twin.pk})")["languagecode"] == 1033
    assert api.fails("organizations?$select=x")[1] == "0x80060888"
    assert api.fails(f"organizations({uuid4()})")[0] == 404


def test_only_documented_methods_are_answered(api: Api) -> None:
    for method, path in (("PUT", "books"), ("PATCH", "books"), ("DELETE", "books")):
        response = api.send(method, path)
        assert response.status_code == 405
        error = json.loads(response.content)["error"]
        assert error["message"].startswith("No HTTP resource was found that matches")
